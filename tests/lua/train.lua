-- sel.train in one process: what it learns, counts, reports and refuses. Going on after a kill is
-- in train_resume.lua.

local sel = require "selenite"
local nn, optim, data, metrics = sel.nn, sel.optim, sel.data, sel.metrics
local check = require "check"
local test, equal, near, raises, contains = check.test, check.equal, check.near, check.raises,
                                            check.contains

-- Two classes that a line parts, and what trains on them.
local function problem(options)
  sel.manual_seed(1)
  local x = sel.randn(50, 2)
  local y = (x:select(2, 1) + x:select(2, 2)):gt(0):to "i64"
  local set = data.tensor_dataset(x, y)
  local model = nn.sequential(nn.linear(2, 8), nn.tanh(), nn.linear(8, 2))
  local o = {
    model = model, loss = sel.cross_entropy, epochs = 3, progress = false,
    optimizer = optim.adam(model:parameters(), { lr = 0.05 }),
    data = data.loader(set, { batch_size = 8, shuffle = true, seed = 3 }),
    validation = data.loader(set, { batch_size = 16 }),
    metrics = { accuracy = metrics.accuracy() },
  }
  for name, value in pairs(options or {}) do o[name] = value end
  return o
end

local function bytes_of(model)
  local texts = {}
  for name, t in pairs(model:state_dict()) do
    texts[#texts + 1] = name .. table.concat(t:flatten():totable(), " ")
  end
  table.sort(texts)
  return table.concat(texts, "\n")
end

local folders = 0
local function new_folder()
  folders = folders + 1
  local name = "run" .. folders
  os.execute("rm -rf " .. name)
  return name
end

test("it learns, and returns a history", function()
  local run = sel.train(problem { epochs = 20 })
  equal({ #run.history, run.step, run.epoch }, { 20, 20 * 7, 21 })
  local first, last = run.history[1], run.history[20]
  equal({ first.epoch, first.step, last.epoch, last.lr }, { 1, 7, 20, 0.05 })
  assert(last.loss < 0.3 and last.loss < first.loss, last.loss)
  assert(last.val_accuracy > 0.9 and last.accuracy > 0.9)
end)

test("it is the raw loop: the same bits", function()
  local o = problem()
  sel.train(o)
  local p = problem()
  for _ = 1, 3 do
    for x, y in p.data:batches() do
      p.optimizer:zero_grad()
      sel.cross_entropy(p.model(x), y):backward()
      p.optimizer:step()
    end
  end
  equal(bytes_of(o.model), bytes_of(p.model))
end)

test("losses and metrics are means over examples, though the last batch has two", function()
  local idle = { step = function() end, zero_grad = function() end }
  local o = problem { epochs = 1, optimizer = idle }
  local record = sel.train(o).history[1]
  local all = sel.evaluate { model = o.model, loss = o.loss, data = o.validation,
    metrics = { accuracy = metrics.accuracy(),
                size = function(_, targets) return #targets end } }
  near({ record.loss, record.accuracy }, { all.loss, all.accuracy }, 1e-6)
  near({ record.val_loss, record.val_accuracy }, { all.loss, all.accuracy }, 1e-9)
  near(all.size, (3 * 16 * 16 + 2 * 2) / 50)
end)

test("accumulated batches make one step, also those left at the end", function()
  local o = problem { accumulate = 3, epochs = 2 }
  local run = sel.train(o)
  equal(run.step, 2 * 3) -- 3 + 3 + 1 batches
  local p = problem()
  for _ = 1, 2 do
    local batches = {}
    for x, y in p.data:batches() do batches[#batches + 1] = { x, y } end
    for first = 1, 7, 3 do
      local n = math.min(3, 7 - first + 1)
      p.optimizer:zero_grad()
      for i = first, first + n - 1 do
        local loss = sel.cross_entropy(p.model(batches[i][1]), batches[i][2])
        if n > 1 then loss = loss * (1 / n) end
        loss:backward()
      end
      p.optimizer:step()
    end
  end
  equal(bytes_of(o.model), bytes_of(p.model))
end)

test("gradients are clipped to a joint norm", function()
  local o = problem { epochs = 1, clip = 1e-3, validation = nil }
  local norms = {}
  o.callbacks = { step = function(run)
    norms[#norms + 1] = nn.clip_grad_norm_(run.model:parameters(), math.huge)
  end }
  sel.train(o)
  equal(#norms, 7)
  for _, norm in ipairs(norms) do near(norm, 1e-3, 1e-5) end
end)

test("schedules step when they are told to", function()
  local o = problem()
  o.schedule = optim.step_lr(o.optimizer, { step_size = 2, gamma = 0.5 })
  o.schedule_every = "epoch"
  local run = sel.train(o)
  near({ run.history[1].lr, run.history[2].lr, run.history[3].lr }, { 0.05, 0.05, 0.025 })
  o = problem()
  o.schedule = optim.one_cycle_lr(o.optimizer, { max_lr = 0.1, total_steps = 3 * 7 })
  sel.train(o)
  equal(o.schedule.steps, 21)
  o = problem { epochs = 6 }
  o.optimizer:set("lr", 1e-9) -- nothing improves
  o.schedule = optim.reduce_lr_on_plateau(o.optimizer, { patience = 1, eps = 0, threshold = 0.1 })
  run = sel.train(o)
  near(run.history[6].lr, 1e-11, 1e-20)
end)

test("early stopping", function()
  local o = problem { epochs = 50, early_stopping = { patience = 2, min_delta = 10 } }
  local run = sel.train(o)
  equal(#run.history, 3) -- the first is better than nothing, the next two are not by 10
  o = problem { epochs = 4, early_stopping = { score = "val_accuracy", patience = 4 } }
  equal(#sel.train(o).history, 4)
end)

test("callbacks see the run and may end it", function()
  local seen = {}
  local o = problem { epochs = 5 }
  o.callbacks = {
    { start = function(run) seen[#seen + 1] = "start " .. run.step end,
      finish = function(run) seen[#seen + 1] = "finish " .. run.step end },
    { step = function(run) if run.step == 10 then run:stop() end end,
      epoch = function(_, record) seen[#seen + 1] = "epoch " .. record.epoch end },
  }
  local run = sel.train(o)
  equal(seen, { "start 0", "epoch 1", "finish 10" })
  equal(#run.history, 1)
end)

test("forward gives outputs, and targets where they are not the second field", function()
  local o = problem { epochs = 2 }
  local p = problem { epochs = 2 }
  p.forward = function(model, x, y) return model(x:unsqueeze(3):squeeze(3)), y end
  sel.train(o)
  sel.train(p)
  equal(bytes_of(o.model), bytes_of(p.model))
end)

test("validation leaves modes, and parts that were frozen, as they are", function()
  local Net = nn.module "Net"
  function Net:init()
    self.norm, self.drop = nn.batch_norm1d(2), nn.dropout(0.5)
    self.out = nn.linear(2, 2)
  end
  function Net:forward(x) return self.out(self.drop(self.norm(x))) end
  local net = Net()
  local o = problem { model = net, optimizer = optim.sgd(net:parameters(), { lr = 0.1 }) }
  local modes = {}
  o.callbacks = { start = function() net.norm:eval() end, epoch = function()
    modes[#modes + 1] = tostring(net.training) .. " " .. tostring(net.norm.training) .. " "
      .. tostring(net.drop.training)
  end }
  sel.train(o)
  equal(modes, { "true false true", "true false true", "true false true" })
end)

test("seed starts dropout and the order of data", function()
  local function train(seed)
    local o = problem { seed = seed, epochs = 1 }
    o.model:append(nn.dropout(0.3))
    sel.train(o)
    return bytes_of(o.model)
  end
  local one = train(1)
  sel.randn(100)
  equal(train(1), one)
  assert(train(2) ~= one)
end)

test("the progress has a line an epoch, with everything that is measured", function()
  local lines = {}
  local sink = { flush = function() end, write = function(_, ...)
    lines[#lines + 1] = table.concat { ... }
  end }
  sel.train(problem { epochs = 2, progress = { output = sink, unit = "rows" } })
  equal(#lines, 2)
  contains(lines[2], "epoch 2/2  loss 0.", "  accuracy 0.", "  val_loss 0.", "  val_accuracy 0.",
           " rows/s")
end)

-- ---- checkpoints ----

local function names_in(folder)
  return table.concat(require("selenite.folder").list(folder), " ")
end

test("the newest are kept, and the best model", function()
  local folder = new_folder()
  local o = problem { checkpoints = { folder = folder, every = 4, keep = 2, best = "val_loss" } }
  local run = sel.train(o)
  equal(names_in(folder), "best.safetensors step-000000020.safetensors step-000000021.safetensors")
  equal(run.best.name, "val_loss")
  local state, metadata = sel.load(folder .. "/best.safetensors")
  contains(metadata["selenite.train"], '"score":"val_loss"', ('"epoch":%d'):format(run.best.epoch))
  local p = problem()
  p.model:load_state_dict(state)
  local value = sel.evaluate { model = p.model, loss = p.loss, data = p.validation }.loss
  equal(value, run.best.best)
end)

test("a folder alone: one an epoch, three kept", function()
  local folder = new_folder() .. "/deeper"
  sel.train(problem { epochs = 4, checkpoints = folder })
  equal(names_in(folder), "step-000000014.safetensors step-000000021.safetensors "
                          .. "step-000000028.safetensors")
end)

test("more epochs go on from where the run ended", function()
  local folder, whole = new_folder(), problem { epochs = 4 }
  sel.train(whole)
  sel.train(problem { epochs = 2, checkpoints = folder, resume = true }) -- nothing there: a new run
  local o = problem { epochs = 4, checkpoints = folder, resume = true }
  local run = sel.train(o)
  equal(bytes_of(o.model), bytes_of(whole.model))
  equal({ #run.history, run.history[1].epoch }, { 4, 1 })
  o = problem { epochs = 4, resume = folder .. "/step-000000014.safetensors" } -- a file by its name
  sel.train(o)
  equal(bytes_of(o.model), bytes_of(whole.model))
end)

-- Trains once for 4 epochs and once for 2 and then 2 more; the models' bytes must be the same.
local function goes_on(name, options)
  test("going on with " .. name, function()
    local folder = new_folder()
    local function train(epochs, more)
      local o = problem(more)
      o.epochs = epochs
      options(o)
      sel.train(o)
      return bytes_of(o.model)
    end
    local whole = train(4)
    train(2, { checkpoints = folder })
    equal(train(4, { checkpoints = folder, resume = true }), whole)
  end)
end

for name, settings in pairs {
  sgd = { lr = 0.1, momentum = 0.9, nesterov = true }, adam = { lr = 0.01, amsgrad = true },
  adamw = { lr = 0.01, betas = { 0.8, 0.9 } }, adagrad = { lr = 0.1, lr_decay = 0.01 },
  rmsprop = { lr = 0.01, centered = true, momentum = 0.5 } } do
  goes_on(name, function(o)
    o.optimizer = optim[name]({ { params = { o.model[1].weight }, lr = 0.02 },
                                { params = { o.model[1].bias, o.model[3].weight } } }, settings)
  end)
end
goes_on("a rate by epochs", function(o)
  o.schedule = optim.step_lr(o.optimizer, { step_size = 1, gamma = 0.7 })
  o.schedule_every = "epoch"
end)
goes_on("a warm-up by steps", function(o)
  local warm_up = optim.linear_lr(o.optimizer, { total_iters = 10 })
  local decay = optim.cosine_annealing_lr(o.optimizer, { t_max = 18 })
  o.schedule = optim.sequential_lr(o.optimizer, { schedules = { warm_up, decay },
                                                  milestones = { 10 } })
  o.schedule_every = "step"
end)
goes_on("a rate by a score", function(o)
  o.schedule = optim.reduce_lr_on_plateau(o.optimizer, { patience = 1, threshold = 0.5 })
end)
goes_on("a sampler", function(o)
  local set = data.tensor_dataset(sel.randn(20, 2), sel.randint(0, 2, { 20 }))
  o.data = data.loader(set, { batch_size = 4,
                              sampler = data.random_sampler(20, 30, { replacement = true }) })
end)

test("a folder that is gone is named, and Ctrl-C works afterwards", function()
  local folder = new_folder()
  local o = problem { checkpoints = folder, epochs = 2 }
  o.callbacks = { step = function(run)
    if run.step == 3 then os.execute("rm -rf " .. folder) end
  end }
  raises(function() sel.train(o) end, folder .. "/step-000000007.safetensors")
  local ffi = require "ffi"
  ffi.cdef 'int sel_test_raise_again(int) __asm__("raise");'
  local ok, message = pcall(function()
    ffi.C.sel_test_raise_again(2)
    return sel.ones(1):exp()
  end)
  equal({ ok, message }, { false, "interrupted" })
end)

goes_on("tied weights and dropout inside of a plugin's layers", function(o)
  local ids = sel.randint(0, 12, { 40, 9 })
  o.model = nn.gpt { vocab_size = 12, n_positions = 8, n_embd = 8, n_layer = 1, n_head = 2 }
  o.optimizer = optim.adamw(o.model:parameters(), { lr = 0.01 })
  o.forward = function(model, tokens) return model(tokens):transpose(2, 3) end
  local set = data.tensor_dataset(ids:slice(2, 1, 8):contiguous(), ids:slice(2, 2, 9):contiguous())
  o.data, o.validation = data.loader(set, { batch_size = 8, shuffle = true, seed = 1 }), nil
  o.metrics = { perplexity = metrics.perplexity() }
end)

test("callbacks may have a state", function()
  local folder = new_folder()
  local function counter()
    local self = { n = 0 }
    function self.step() self.n = self.n + 1 end
    function self.state_dict() return { n = self.n } end
    function self.load_state_dict(state) self.n = state.n end
    return self
  end
  sel.train(problem { checkpoints = folder, callbacks = counter() })
  local second = counter()
  sel.train(problem { epochs = 4, checkpoints = folder, callbacks = { second }, resume = true })
  equal(second.n, 28)
end)

test("an interruption writes a checkpoint and goes on up", function()
  local folder, ffi = new_folder(), require "ffi"
  ffi.cdef 'int sel_test_raise(int) __asm__("raise");'
  local whole = problem()
  sel.train(whole)
  local o = problem { checkpoints = { folder = folder, every = 1000 } }
  o.callbacks = { step = function(run) if run.step == 10 then ffi.C.sel_test_raise(2) end end }
  local ok, message = pcall(sel.train, o)
  equal({ ok, message }, { false, "interrupted" })
  equal(names_in(folder), "step-000000010.safetensors")
  o = problem { checkpoints = folder, resume = true }
  sel.train(o)
  equal(bytes_of(o.model), bytes_of(whole.model))
end)

test("an interruption in validation finds the run before it", function()
  local folder, ffi = new_folder(), require "ffi"
  local whole = problem()
  local history = sel.train(whole).history
  local validating = problem { checkpoints = { folder = folder, every = 1000 } }
  local real, calls = validating.validation, 0
  validating.validation = { size = function() return real:size() end, batches = function(_, epoch)
    calls = calls + 1
    if calls == 2 then ffi.C.sel_test_raise(2) end
    return real:batches(epoch)
  end }
  local ok, message = pcall(sel.train, validating)
  equal({ ok, message }, { false, "interrupted" })
  local o = problem { checkpoints = folder, resume = true }
  local run = sel.train(o)
  equal(bytes_of(o.model), bytes_of(whole.model))
  for i = 1, 3 do
    for name, value in pairs(history[i]) do equal(run.history[i][name], value) end
  end
end)

test("what doesn't fit a checkpoint is refused, and nothing is lost", function()
  local folder = new_folder()
  sel.train(problem { checkpoints = folder })
  raises(function() sel.train(problem { checkpoints = folder }) end,
         folder .. "/step-000000021.safetensors is there from an earlier run", "resume = true")
  local o = problem { checkpoints = folder, resume = true, accumulate = 2 }
  raises(function() sel.train(o) end, "was made with 1 batches a step (accumulate), this run has 2")
  o = problem { checkpoints = folder, resume = true }
  o.data = data.loader(data.tensor_dataset(sel.randn(10, 2), sel.arange(10)), { batch_size = 5 })
  raises(function() sel.train(o) end, "was made with 7 batches an epoch, this run has 2")
  o = problem { checkpoints = folder, resume = true }
  o.schedule = optim.one_cycle_lr(o.optimizer, { max_lr = 1, total_steps = 100 })
  raises(function() sel.train(o) end, "holds no state of the schedule")
  o = problem { checkpoints = folder, resume = true, metrics = { top = metrics.top_k { k = 1 } } }
  raises(function() sel.train(o) end, "holds no state of the metric 'top'")
  o = problem { checkpoints = folder, resume = true }
  o.model = nn.linear(2, 2)
  raises(function() sel.train(o) end, "load_state_dict: the state does not fit linear")
  for text, message in pairs {
    ["{"] = "text.safetensors: json: expected a name in quotes at byte 2",
    ["[1]"] = "text.safetensors has format nil, this version reads 1",
    ['{"format":1}'] = "text.safetensors is no whole checkpoint: it lacks " } do
    sel.save("text.safetensors", o.model:state_dict(), { ["selenite.train"] = text })
    raises(function() sel.train(problem { resume = "text.safetensors" }) end, message)
  end
  sel.save("other.safetensors", o.model:state_dict())
  raises(function() sel.train(problem { resume = "other.safetensors" }) end,
         "other.safetensors is no checkpoint")
  raises(function() sel.train(problem { resume = true }) end, "there is no folder of checkpoints")
  raises(function() sel.train(problem { resume = "no/such.safetensors" }) end, "no/such")
  equal(names_in(folder):match "%S+$", "step-000000021.safetensors")
  local stateless = { update = function() end, compute = function() return 0 end,
                      reset = function() end }
  raises(function()
    sel.train(problem { checkpoints = new_folder(), metrics = { mine = stateless } })
  end, "checkpoints need state_dict() and load_state_dict(state), which the metric 'mine' lacks")
end)

-- ---- what isn't finite ----

test("a loss that isn't finite ends the run before the step", function()
  local o = problem()
  local before
  o.loss = function(outputs, targets)
    local loss = sel.cross_entropy(outputs, targets)
    before = bytes_of(o.model)
    return #targets == 2 and loss / 0 or loss -- the last batch of the epoch
  end
  raises(function() sel.train(o) end, "train: step 7 (epoch 1, batch 7): the loss is inf")
  equal(bytes_of(o.model), before)
end)

-- ---- mistakes ----

test("mistakes name the option and what there is", function()
  local function mistake(options, ...)
    local o = problem(options)
    raises(function() sel.train(o) end, ...)
  end
  mistake({ epoch = 3 }, "train: no option 'epoch'; there are: accumulate, callbacks, check, ")
  raises(function() sel.train { model = nn.linear(1, 1) } end, "train: option '", "is required")
  raises(function() sel.train() end, "is required")
  mistake({ model = sel.ones(1) }, "train: option 'model': expected a module, got a tensor f32[1]")
  mistake({ loss = "mse" }, "option 'loss': expected a function or module, got the string")
  mistake({ optimizer = {} }, "option 'optimizer': expected an optimizer, got a table")
  mistake({ data = {} }, "option 'data': expected a loader", "size() and batches(epoch, first)")
  mistake({ epochs = 1.5 }, "option 'epochs': expected a whole number from 1, got the number 1.5")
  mistake({ clip = 0 }, "option 'clip': expected a number above 0")
  mistake({ metrics = { metrics.accuracy() } }, "option 'metrics'", "under the number 1")
  mistake({ metrics = { a = 3 } }, "got the number 3 under the string \"a\"")
  mistake({ metrics = { loss = metrics.accuracy() } }, "'loss' has a meaning already")
  mistake({ schedule = {} }, "option 'schedule': expected a schedule")
  mistake({ schedule_every = "step" }, "go with 'schedule'")
  mistake({ early_stopping = { score = "val_acuracy" } }, "train: early_stopping: no score "
          .. "'val_acuracy'; there are: loss, accuracy, val_loss, val_accuracy")
  mistake({ early_stopping = { waits = 3 } }, "train: early_stopping: no option 'waits'")
  mistake({ metrics = { size = function() return 1 end }, early_stopping = { score = "size" } },
          "option 'mode' is needed for the score 'size': 'min' or 'max'")
  mistake({ checkpoints = {} }, "train: checkpoints: option 'folder' is required: a text")
  mistake({ checkpoints = { folder = new_folder(), best = "f1" } }, "train: checkpoints: no score")
  mistake({ callbacks = { epoch = 3 } }, "option 'callbacks[1].epoch': expected a function")
  mistake({ callbacks = { print } }, "callback 1: expected a table")
  mistake({ loss = function(x) return x end }, "loss: expected a tensor of one element, got a")
  local o = problem()
  o.schedule = optim.step_lr(o.optimizer, { step_size = 1 })
  raises(function() sel.train(o) end, "option 'schedule_every' is required with step_lr: 'step' or")
  o = problem { epochs = 1 }
  local real = o.data
  o.data = { size = function() return 9 end,
             batches = function(_, epoch, first) return real:batches(epoch, first) end }
  raises(function() sel.train(o) end, "size() says 9 batches, but epoch 1 ended before batch 8")
  raises(function() sel.evaluate { model = o.model, loss = o.loss } end,
         "evaluate: option 'data' is required")
end)

test("docs/train.md has a row for each option", function()
  local file = assert(io.open(os.getenv "SEL_TEST_DIR" .. "/../docs/train.md"))
  local text = file:read "*a"
  file:close()
  local options_of = require "selenite.train.options"
  for _, known in ipairs { options_of.train, options_of.evaluate } do
    for name in pairs(known) do contains(text, "| `" .. name .. "` |") end
  end
  for _, part in ipairs { "early_stopping", "checkpoints" } do
    local row = text:match("\n(| `" .. part .. "` |[^\n]*)")
    for name in pairs(options_of[part]) do contains(row, "`" .. name .. "`") end
  end
end)
