-- sel.train: the training loop, with what a run of hours wants around it.
--
--   sel.train{ model = net, loss = sel.cross_entropy, optimizer = adam, data = loader,
--              epochs = 10 }
--
-- Readable Lua on top of the library's own functions: a step is `step` below, an epoch `end_epoch`
-- and what calls it. What each option means is in docs/train.md, what it must be in options.lua.
-- Nothing here draws random numbers of its own, and all that changes from step to step is in
-- state.lua: that is why a resumed run ends with the same bytes.

local errors = require "selenite.errors"
local generator = require "selenite.generator"
local new_progress = require "selenite.progress"
local clip = require "selenite.nn.clip"
local mean = require "selenite.metrics.mean"
local checkpoints = require "selenite.train.checkpoints"
local early_stopping = require "selenite.train.early_stopping"
local evaluate = require "selenite.train.evaluate"
local finite = require "selenite.train.finite"
local interruption = require "selenite.train.interruption"
local options_of = require "selenite.train.options"
local pass = require "selenite.train.pass"
local rates = require "selenite.train.rates"
local score = require "selenite.train.score"
local state = require "selenite.train.state"

local run_methods = {}
run_methods.__index = run_methods

-- run:stop(): ends the run after this step, in the middle of an epoch too. For callbacks.
function run_methods:stop() self.stopping = true end

local function call_back(run, event, ...)
  for _, callback in ipairs(run.options.callbacks) do
    if callback[event] then callback[event](run, ...) end
  end
end

-- ---- a step ----

-- One batch forward and backward; its gradient counts as one of n that are averaged. Returns its
-- loss.
local function learn_from(run, batch, n)
  local o = run.options
  finite.mark()
  local loss, outputs, targets = pass.run(o, batch)
  local value, rows = loss:item(), pass.rows(batch)
  if o.check and not finite.is(value) then finite.explain_loss(run, batch, value) end
  if n > 1 then loss = loss * (1 / n) end
  loss:backward()
  pass.measure(run.meter, o.metrics, value, rows, outputs, targets)
  if run.progress then run.progress:step(rows, { loss = run.meter:compute() }) end
  return value
end

-- Cuts the gradients' joint norm to the option `clip` when all of a step is there.
local function check_gradients(run, batch, is_last)
  local o = run.options
  local limit = is_last and o.clip or math.huge
  if not o.check and limit == math.huge then return end
  local norm = clip.clip_grad_norm_(run.parameters, limit)
  if o.check and not finite.is(norm) then finite.explain_gradient(run, batch, norm) end
end

-- Takes up to `accumulate` batches, and then one step of the optimizer.
local function step(run, next_batch)
  local o = run.options
  local n = math.min(o.accumulate, run.batches - run.batch + 1)
  o.optimizer:zero_grad()
  local sum = 0
  for i = 1, n do
    local batch = next_batch()
    sum = sum + learn_from(run, batch, n)
    check_gradients(run, batch, i == n)
    run.batch = run.batch + 1
  end
  o.optimizer:step()
  run.step, run.loss = run.step + 1, sum / n
  rates.after_step(o)
  call_back(run, "step")
end

-- ---- an epoch ----

-- A function that gives the batches of this epoch from run.batch on, each as a packed list.
local function batches_of(run)
  local iterate, iterated, last = run.options.data:batches(run.epoch, run.batch)
  return function()
    local batch = pass.pack(iterate(iterated, last))
    last = batch[1]
    if last == nil then
      errors.raise(("train: data: size() says %d batches, but epoch %d ended before batch %d")
                   :format(run.batches, run.epoch, run.batch))
    end
    return batch
  end
end

-- Where checkpoints are written, Ctrl-C is noticed here, between two steps; else anywhere.
local function pause(run)
  if not run.checkpoints then return end
  interruption.let()
  interruption.hold()
  interruption.check()
end

-- The steps that are left of this epoch.
local function take_steps(run)
  if run.batch > run.batches then return end
  local next_batch = batches_of(run)
  repeat
    pause(run)
    step(run, next_batch)
    local ends = run.batch > run.batches
    if run.checkpoints and not ends and (run.stopping or run.checkpoints:is_due(run.step)) then
      run.checkpoints:write(run)
    end
  until ends or run.stopping
end

-- What was measured in this epoch, and validation, through which Ctrl-C is let: the run then is
-- where it stood before.
local function measure(run)
  local o = run.options
  local record = { epoch = run.epoch, step = run.step, lr = rates.current(o) }
  pause(run)
  run.position = run.checkpoints and state.position(run)
  pass.collect(record, "", run.meter, o.metrics)
  if o.validation then
    interruption.let()
    evaluate.into(record, "val_", o, o.validation, o.metrics)
    if run.checkpoints then interruption.hold() end
  end
  run.position = nil
  return record
end

local function is_over(run)
  return run.stopping or run.epoch > run.options.epochs
    or run.early_stopping and run.early_stopping:is_due()
end

local function end_epoch(run)
  local record = measure(run)
  rates.after_epoch(run.options, record)
  if run.early_stopping then run.early_stopping:update(record) end
  if run.checkpoints then run.checkpoints:write_if_best(run, record) end
  run.history[#run.history + 1] = record
  if run.progress then run.progress:finish_epoch(record) end
  run.epoch, run.batch = run.epoch + 1, 1
  call_back(run, "epoch", record)
  if run.checkpoints and run.checkpoints:is_due_after_epoch(run.step, is_over(run)) then
    run.checkpoints:write(run)
  end
end

local function train_all(run)
  call_back(run, "start")
  while not is_over(run) do
    take_steps(run)
    if run.batch > run.batches then end_epoch(run) end
  end
  call_back(run, "finish")
end

-- ---- a run ----

-- The option `callbacks` as a list: one may stand alone.
local function read_callbacks(given)
  local list = #given > 0 and given or next(given) ~= nil and { given } or {}
  for i, callback in ipairs(list) do
    if type(callback) ~= "table" then
      errors.raise(("train: callback %d: expected a table with functions start, step, epoch or "
                    .. "finish, got %s"):format(i, errors.describe(callback)))
    end
    for _, event in ipairs { "start", "step", "epoch", "finish" } do
      if callback[event] ~= nil and type(callback[event]) ~= "function" then
        errors.option("train", ("callbacks[%d].%s"):format(i, event), "a function",
                      callback[event])
      end
    end
  end
  return list
end

-- sel.progress for this run, which may begin in the middle.
local function progress_of(run)
  local given = run.options.progress
  if not given then return nil end
  local o = { epochs = run.options.epochs, batches = run.batches,
              values = score.names_of(run.options.metrics, run.options.validation),
              done = (run.epoch - 1) * run.batches + run.batch - 1 }
  for name, value in pairs(given == true and {} or given) do o[name] = value end
  return new_progress(o)
end

local function new_run(given)
  local o = options_of.read("train", given, options_of.train)
  o.metrics = pass.read_metrics("train", o.metrics)
  o.callbacks = read_callbacks(o.callbacks)
  local run = setmetatable({
    options = o, model = o.model, optimizer = o.optimizer, parameters = o.model:parameters(),
    epoch = 1, batch = 1, step = 0, batches = o.data:size(), history = {}, meter = mean(),
    stopping = false,
  }, run_methods)
  if run.batches < 1 then errors.raise "train: data: there is no batch to learn from" end
  for _, metric in pairs(o.metrics) do metric:reset() end
  rates.read(run)
  if o.early_stopping then run.early_stopping = early_stopping(run, o.early_stopping) end
  if o.checkpoints then run.checkpoints = checkpoints.new(run, o.checkpoints) end
  return run
end

-- Brings the run to where it begins: at the start, or where a checkpoint was written.
local function begin(run)
  local o = run.options
  o.model:train()
  if o.seed then
    generator.manual_seed(o.seed)
    if o.data.reseed then o.data:reseed(o.seed) end
  end
  checkpoints.resume(run.checkpoints, run, o.resume)
  run.progress = progress_of(run)
end

local function finish(run, ok, failure)
  interruption.let()
  if failure == "interrupted" and run.checkpoints then run.checkpoints:write(run, run.position) end
  if not ok then errors.rethrow(failure) end
  return run
end

-- sel.train{ model =, loss =, optimizer =, data =, epochs =, ... }: trains, returns the run: its
-- history (a list with a table for each epoch: epoch, step, lr, loss, metrics, and those of
-- validation under names with val_), epoch, step, best. Further options, see docs/train.md:
--   validation, metrics, forward(model, ...), schedule, schedule_every, schedule_score, clip,
--   accumulate, early_stopping = { score, mode, patience, min_delta }, callbacks,
--   checkpoints = { folder, every, keep, best, mode }, resume, seed, progress, check
local function train(options)
  local run = new_run(options)
  begin(run)
  return finish(run, errors.protect(train_all, run))
end

return train
