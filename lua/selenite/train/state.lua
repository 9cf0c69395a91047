-- All that a run needs to go on bit for bit, as tensors and one table of numbers and texts.
--
-- Tensors: parameters and buffers ("model.NAME") and the optimizer's ("optimizer.NAME"). The table:
-- where the run stands, seeds and the generator's state, settings and steps of optimizer and
-- schedule, what was measured so far. Nothing in it depends on time or machine, so that equal runs
-- have equal states. It changes between two steps alone.

local errors = require "selenite.errors"
local generator = require "selenite.generator"

local M = {}

local FORMAT = 1

-- The state of a part, nil where there is no such part.
local function state_of(part) return part and part:state_dict() end

local function states_of(list)
  local states = {}
  for name, part in pairs(list) do states[name] = state_of(part) end
  return states
end

-- Callbacks may have a state; numbers are texts, so that those without leave no hole in a list.
local function callback_states(callbacks)
  local states = {}
  for i, callback in ipairs(callbacks) do
    if callback.state_dict then states[tostring(i)] = callback.state_dict() end
  end
  return states
end

local function copy_of(list)
  local copy = {}
  for i, value in ipairs(list) do copy[i] = value end
  return copy
end

-- The table, without the optimizer's part.
function M.position(run)
  local o = run.options
  return {
    format = FORMAT, epoch = run.epoch, batch = run.batch, step = run.step,
    batches = run.batches, accumulate = o.accumulate,
    generator = generator.get_rng_state(),
    data_seed = o.data.seed, validation_seed = o.validation and o.validation.seed,
    schedule = state_of(o.schedule), loss = run.meter:state_dict(),
    metrics = states_of(o.metrics), history = copy_of(run.history),
    early_stopping = state_of(run.early_stopping), best = state_of(run.best),
    callbacks = callback_states(o.callbacks),
  }
end

-- Tensors and table of the run as it stands, or as it stood at `position`, when only what is
-- measured was changed since.
function M.capture(run, position)
  local state, tensors = position or M.position(run), {}
  local model = run.options.model:state_dict()
  for name, tensor in pairs(model) do tensors["model." .. name] = tensor end
  local optimizer = run.options.optimizer:state_dict()
  for name, tensor in pairs(optimizer.tensors or {}) do tensors["optimizer." .. name] = tensor end
  state.optimizer = {}
  for key, value in pairs(optimizer) do
    if key ~= "tensors" then state.optimizer[key] = value end
  end
  return tensors, state
end

local function expect_same(path, what, before, present)
  if before ~= present then
    errors.raise(("train: %s was made with %s %s, this run has %s")
                 :format(path, tostring(before), what, tostring(present)))
  end
end

-- Whatever changes from step to step must tell its state.
function M.check(run)
  local o = run.options
  local stateful = { ["the optimizer"] = o.optimizer, ["the schedule"] = o.schedule }
  for name, metric in pairs(o.metrics) do stateful[("the metric '%s'"):format(name)] = metric end
  for what, part in pairs(stateful) do
    if not (part.state_dict and part.load_state_dict) then
      errors.raise(("train: checkpoints need state_dict() and load_state_dict(state), which %s "
                    .. "lacks"):format(what))
    end
  end
end

local function with_prefix(tensors, prefix)
  local part = {}
  for name, tensor in pairs(tensors) do
    if name:sub(1, #prefix) == prefix then part[name:sub(#prefix + 1)] = tensor end
  end
  return part
end

-- The saved state of a part that this run has.
local function saved(path, what, value)
  if value ~= nil then return value end
  errors.raise(("train: %s holds no state of %s; was it made without?"):format(path, what))
end

local function reseed(data, seed)
  if data and data.reseed and seed then data:reseed(seed) end
end

-- What every table has, and of which type.
local parts = { epoch = "number", batch = "number", step = "number", batches = "number",
                accumulate = "number", generator = "string", optimizer = "table", loss = "table",
                metrics = "table", history = "table", callbacks = "table" }

-- Raises unless `state` can have come from here.
local function check_whole(path, state)
  local format = type(state) == "table" and state.format or nil
  if format ~= FORMAT then
    errors.raise(("train: %s has format %s, this version reads %d")
                 :format(path, tostring(format), FORMAT))
  end
  for name, kind in pairs(parts) do
    if type(state[name]) ~= kind then
      errors.raise(("train: %s is no whole checkpoint: it lacks '%s'"):format(path, name))
    end
  end
end

-- Puts the run where it was captured; position and meters last, so that a state that doesn't fit
-- leaves them alone. `path` is the file it came from, for errors.
function M.restore(run, path, tensors, state)
  local o = run.options
  check_whole(path, state)
  expect_same(path, "batches an epoch", state.batches, run.batches)
  expect_same(path, "batches a step (accumulate)", state.accumulate, o.accumulate)
  o.model:load_state_dict(with_prefix(tensors, "model."))
  state.optimizer.tensors = with_prefix(tensors, "optimizer.")
  o.optimizer:load_state_dict(state.optimizer)
  if o.schedule then o.schedule:load_state_dict(saved(path, "the schedule", state.schedule)) end
  run.meter:load_state_dict(state.loss)
  for name, metric in pairs(o.metrics) do
    metric:load_state_dict(saved(path, ("the metric '%s'"):format(name), state.metrics[name]))
  end
  if state.early_stopping and run.early_stopping then
    run.early_stopping:load_state_dict(state.early_stopping)
  end
  if state.best and run.best then run.best:load_state_dict(state.best) end
  for i, callback in ipairs(o.callbacks) do
    if callback.load_state_dict then
      callback.load_state_dict(saved(path, "callback " .. i, state.callbacks[tostring(i)]))
    end
  end
  run.epoch, run.batch, run.step, run.history = state.epoch, state.batch, state.step, state.history
  reseed(o.data, state.data_seed)
  reseed(o.validation, state.validation_seed)
  generator.set_rng_state(state.generator)
end

return M
