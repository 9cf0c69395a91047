-- Two devices side by side in one process: how many times a device's time is the CPU backend's own.
-- docs/opencl.md says what came out for the OpenCL device on PoCL.
--
-- usage: selenite devices.lua [options]
--   --device NAME   the device to compare with the CPU (opencl)
--   --only TEXT     only rows whose name contains TEXT
--   --rounds N      how often the devices take turns (9)
--   --seconds S     how long a turn is (0.3)
--   --short         one turn of one call, small sizes: whether both compute the same, nothing of
--                   time
--
-- Both devices start from the same numbers, and what they compute must agree to a thousandth. A
-- turn is as many calls as fill its time, and one wait for the device; figures are medians of the
-- turns.

package.path = arg[0]:match "^(.*/)[^/]*$" .. "?.lua;" .. package.path
local sel = require "selenite"
local clock = require "clock"
local measure = require "measure"
local networks = require "networks"
local workloads = require "workloads"

local options = { device = "opencl", only = "", rounds = 9, seconds = 0.3 }
local i = 1
while i <= #arg do
  local name = arg[i]:match "^%-%-(%l+)$"
  if name == "short" then
    options.short = true
  elseif options[name or ""] and arg[i + 1] then
    i = i + 1
    options[name] = type(options[name]) == "number" and assert(tonumber(arg[i])) or arg[i]
  else
    error("there is no option " .. arg[i] .. ", or nothing behind it", 0)
  end
  i = i + 1
end

-- ---- rows: make(device) gives a function that computes a tensor ----

local rows = {}

-- `amount` of one call: bytes that pass through memory, or nil.
local function row(name, make, amount)
  if name:find(options.only, 1, true) then
    rows[#rows + 1] = { name = name, make = make, amount = amount }
  end
end

local function training(name)
  local spec = workloads.find(name)
  row(name, function(device)
    sel.manual_seed(1)
    local model = networks[spec.network].make(spec)
    local x, target = networks[spec.network].inputs(spec)
    model, x, target = model:to(device), x:to(device), target:to(device)
    local optimizer = sel.optim[spec.optimizer](model:parameters(),
                                                { lr = spec.lr, momentum = spec.momentum })
    return function()
      local y = model(x)
      if y:dim() == 3 then y = y:flatten(1, 2) end
      local loss = sel.cross_entropy(y, target)
      optimizer:zero_grad()
      loss:backward()
      optimizer:step()
      return loss
    end, function() optimizer:set("lr", 0) end -- so that all timed steps compute the same
  end)
end

-- fn of tensors of these shapes, without gradients.
local function operation(name, amount, shapes, fn)
  row(name, function(device)
    sel.manual_seed(1)
    local x = {}
    for k, shape in ipairs(shapes) do x[k] = sel.randn(unpack(shape)):to(device) end
    return function() return sel.no_grad(fn, unpack(x)) end
  end, amount)
end

-- make(device) gives a function of one tensor, which is taken with its gradients.
local function gradient(name, shape, make)
  row(name, function(device)
    sel.manual_seed(1)
    local fn, x = make(device), sel.randn(unpack(shape)):to(device)
    x.requires_grad = true
    return function()
      x.grad = nil
      fn(x):sum():backward()
      return x.grad
    end
  end)
end

training "train cnn 28x28, batch 64"
training "train mlp 784-512-512-10, batch 64"
if not options.short then
  training "train resnet-20 32x32, batch 32"
  training "train lstm 2x256, 64 steps, batch 32"
  training "train gpt 4x128, 64 tokens, batch 16"
end

local side = options.short and 256 or 4096
local all, words = side * side, side .. "x" .. side
local flat, square = { { all } }, { { side, side } }
operation("add " .. all, 12 * all, { { all }, { all } }, function(x, y) return x + y end)
operation("relu " .. all, 8 * all, flat, function(x) return x:relu() end)
operation("gelu " .. all, 8 * all, flat, function(x) return x:gelu() end)
operation("exp " .. all, 8 * all, flat, function(x) return x:exp() end)
operation("add " .. words .. ", a row to each", 8 * all, { { side, side }, { side } },
          function(x, y) return x + y end)
operation("sum " .. all, 4 * all, flat, function(x) return x:sum() end)
operation("sum " .. words .. " over the last dim", 4 * all, square,
          function(x) return x:sum(2) end)
operation("sum " .. words .. " over the first dim", 4 * all, square,
          function(x) return x:sum(1) end)
operation("max " .. words .. " over the last dim", 4 * all, square,
          function(x) return (x:max(2)) end)
operation("softmax " .. words .. " over the last dim", 8 * all, square,
          function(x) return x:softmax(2) end)
operation("softmax " .. words .. " over the first dim", 8 * all, square,
          function(x) return x:softmax(1) end)

local extent = options.short and 64 or 1024
operation(("matmul %dx%d"):format(extent, extent), nil, { { extent, extent }, { extent, extent } },
          function(x, y) return x:matmul(y) end)
operation("matmul 64x3136, a 128x3136 transposed", nil, { { 64, 3136 }, { 128, 3136 } },
          function(x, y) return x:matmul(y:t()) end)
local plane = options.short and 8 or 32
gradient(("conv2d 8x64x%dx%d, 64 of 3x3, and gradients"):format(plane, plane),
         { 8, 64, plane, plane },
         function(device) return sel.nn.conv2d(64, 64, 3, { padding = 1 }):to(device) end)
local length = options.short and 32 or 256
gradient(("attention 4x6x%dx64, and gradients"):format(length), { 4, 6, length, 64 },
         function() return function(x) return sel.attention(x, x, x, nil, true) end end)

-- ---- measuring ----

-- Why the device can't be measured; nil: it can.
local function reason_against(name)
  for _, device in ipairs(sel.devices()) do
    if device.name == name then return not device.available and device.reason or nil end
  end
  return "there is none of that name"
end

-- Mean time of `calls` calls.
local function time(step, device, calls)
  local begin = clock()
  for _ = 1, calls do step() end
  sel.synchronize(device)
  return (clock() - begin) / calls
end

local function calls_for(step, device, seconds)
  local one = time(step, device, 1)
  return math.max(1, math.ceil(seconds / math.min(one, time(step, device, 1))))
end

-- Largest difference, relative to the largest number.
local function difference(a, b)
  a = a:detach():to "cpu"
  b = b:detach():to "cpu"
  return ((a - b):abs():max() / a:abs():max()):item()
end

local TOLERANCE = 1e-3
local devices = { "cpu", options.device }

local function run(each)
  local steps, freeze, calls, samples, worst = {}, {}, {}, { {}, {} }, 0
  for d, device in ipairs(devices) do steps[d], freeze[d] = each.make(device) end
  for _ = 1, 3 do
    local far = difference(steps[1](), steps[2]())
    if far > worst or far ~= far then worst = far end
  end
  for d, device in ipairs(devices) do
    if freeze[d] then freeze[d]() end
    calls[d] = options.short and 1 or calls_for(steps[d], device, options.seconds)
  end
  for round = 1, options.short and 1 or options.rounds do
    for turn = 1, 2 do
      local d = round % 2 == 1 and turn or 3 - turn
      samples[d][round] = time(steps[d], devices[d], calls[d])
    end
  end
  return measure.median(samples[1]), measure.median(samples[2]), worst
end

local function figure(seconds, amount)
  if not amount then return ("%11.3f ms"):format(seconds * 1e3) end
  return ("%9.2f GB/s"):format(amount / seconds * 1e-9)
end

local reason = reason_against(options.device)
if reason then
  print(options.device .. ": " .. reason)
  os.exit(77)
end
local failures = 0
print(("%-46s %14s %14s %14s"):format("", "cpu", options.device, "times cpu's time"))
for _, each in ipairs(rows) do
  local cpu, other, worst = run(each)
  local agrees = worst <= TOLERANCE
  if not agrees then failures = failures + 1 end
  print(("%-46s %14s %14s %14.2f%s"):format(each.name, figure(cpu, each.amount),
        figure(other, each.amount), other / cpu,
        agrees and "" or ("   results differ by %.2g"):format(worst)))
  io.stdout:flush()
  collectgarbage()
  collectgarbage()
end
if failures > 0 then os.exit(1) end
