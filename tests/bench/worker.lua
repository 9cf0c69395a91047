-- The Selenite side of the benchmark: a process that is told line by line what to do by measure.lua
-- and answers each line with one. worker.py is the same for PyTorch.
--
-- usage: selenite worker.lua THREADS
--   load NAME PATH   makes the workload; writes weights, inputs and settings to PATH for worker.py
--   check N          the values of the first N steps, which both sides must agree on
--   run N            N steps; their mean time in seconds
--   memory           peak bytes of the process since load, and bytes before the first load
--   quit

package.path = arg[0]:match "^(.*/)[^/]*$" .. "?.lua;" .. package.path
local sel = require "selenite"
local clock = require "clock"
local workloads = require "workloads"
local networks = require "networks"
local operations = require "operations"

-- ---- memory ----

local function peak_bytes()
  for line in io.lines "/proc/self/status" do
    local kilobytes = line:match "^VmHWM:%s*(%d+) kB"
    if kilobytes then return tonumber(kilobytes) * 1024 end
  end
  return 0
end

-- The peak begins anew, where the system allows it: loading is no part of what is measured.
local function reset_peak()
  local file = io.open("/proc/self/clear_refs", "w")
  if not file then return end
  file:write "5"
  file:close()
end

-- ---- a step, by mode ----

local function mean_square(t)
  return t:float():square():mean():item()
end

local modes = {}

function modes.train(spec, model, x, target)
  local optimizer = sel.optim[spec.optimizer](model:parameters(),
                                              { lr = spec.lr, momentum = spec.momentum })
  local loss_of = spec.loss == "mse" and sel.mse_loss or sel.cross_entropy
  local function step()
    local y = model(x)
    if y:dim() == 3 and spec.loss == "cross_entropy" then y = y:flatten(1, 2) end
    local loss = loss_of(y, target)
    optimizer:zero_grad()
    loss:backward()
    optimizer:step()
    return loss
  end
  return step, function(loss) return loss:item() end, optimizer
end

function modes.update(_, model)
  local optimizer = sel.optim.adam(model:parameters(), { lr = 1e-3 })
  for _, weight in ipairs(model.weights) do weight.grad = weight:detach():clone() end
  return function() optimizer:step() end, function() return mean_square(model.weights[1]) end,
         optimizer
end

function modes.forward(spec, model, x, other)
  if spec.network then other = nil end
  local step = other and function() return (model(x, other)) end
    or function() return (model(x)) end
  return step, mean_square
end

-- Frees a cache when the next has been made, as nn.generate does.
function modes.generate(spec, model, x)
  local ids = {}
  for i = 1, spec.tokens do ids[i] = x:narrow(2, i, 1) end
  local function step()
    local logits, past = nil, sel.zeros(0)
    for i = 1, spec.tokens do
      local before = past
      logits, past = model(ids[i], before)
      before:free()
    end
    return logits
  end
  return step, mean_square
end

function modes.gradient(spec, model, x, other, direction)
  local wants = x:is_floating_point()
  local parameters = sel.nn.is_module(model) and model:parameters() or {}
  local forward = modes.forward(spec, model, x, other)
  x.requires_grad = wants
  local function step()
    for i = 1, #parameters do parameters[i].grad = nil end
    if wants then x.grad = nil end
    local y = forward()
    y:backward(direction)
    return y
  end
  local function value(y)
    local total = mean_square(y:detach())
    if wants then total = total + mean_square(x.grad) end
    for _, p in ipairs(parameters) do total = total + mean_square(p.grad) end
    return total
  end
  return step, value
end

-- ---- loading ----

-- Everything worker.py needs to have the same.
local function write_file(path, spec, model, inputs)
  local tensors, words = {}, {}
  if sel.nn.is_module(model) then
    for name, t in pairs(model:state_dict()) do tensors["model." .. name] = t end
  end
  for name, t in pairs(inputs) do tensors["input." .. name] = t end
  for key, value in pairs(spec) do words[key] = tostring(value) end
  words.random = tostring(operations.by_name[spec.operation or ""] ~= nil
                          and operations.by_name[spec.operation].random or false)
  sel.save(path, tensors, words)
end

local current -- { spec, step, value, optimizer }
local baseline = peak_bytes()

local function load(name, path)
  current = nil
  local spec = workloads.find(name)
  local source = spec.network and networks[spec.network] or operations.by_name[spec.operation]
  sel.manual_seed(1)
  local model = source.make(spec)
  local x, other = source.inputs(spec)
  local direction
  if spec.mode == "gradient" then
    direction = sel.randn_like(sel.no_grad(modes.forward(spec, model, x, other)))
  end
  write_file(path, spec, model, { x = x, other = other, direction = direction })
  if spec.network and spec.mode ~= "train" then model:eval() end
  local step, value, optimizer = modes[spec.mode](spec, model, x, other, direction)
  current = { spec = spec, step = step, value = value, optimizer = optimizer,
              no_grad = spec.mode == "forward" or spec.mode == "generate" }
  collectgarbage()
  collectgarbage()
  reset_peak()
end

local function times(n)
  local step = current.step
  local begin = clock()
  for _ = 1, n do step() end
  return (clock() - begin) / n / (current.spec.tokens or 1)
end

-- The learning rate is 0 afterwards: what is timed computes the same numbers at each step, however
-- many there are, instead of ending in denormal ones when a batch has been learnt by heart.
local function check(n)
  local values = {}
  for i = 1, n do values[i] = ("%.9g"):format(current.value(current.step())) end
  if current.optimizer then current.optimizer:set("lr", 0) end
  return table.concat(values, " ")
end

local function without_gradients(fn, n)
  if current.no_grad then return sel.no_grad(fn, n) end
  return fn(n)
end

local commands = {
  load = function(rest)
    local name, path = rest:match "^(.*)\t(.*)$"
    load(name, path)
    return "loaded"
  end,
  check = function(n) return without_gradients(check, tonumber(n)) end,
  run = function(n) return ("%.9g"):format(without_gradients(times, tonumber(n))) end,
  memory = function() return ("%d %d"):format(peak_bytes(), baseline) end,
}

sel.set_num_threads(tonumber(arg[1]))
io.stdout:write(("Selenite %s\n"):format(sel._VERSION))
io.stdout:flush()
for line in io.stdin:lines() do
  local command, rest = line:match "^(%l+)\t?(.*)$"
  if command == "quit" then break end
  io.stdout:write(commands[command](rest), "\n")
  io.stdout:flush()
end
