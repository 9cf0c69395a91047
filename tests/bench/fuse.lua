-- What fusing gives: expressions as separate operations, interpreted, and compiled, forward and
-- with backward, in turns, so that what disturbs the machine disturbs all. Prints the median of the
-- turns and how much faster than separate operations it is. Results are compared first.
--
-- usage: selenite tests/bench/fuse.lua [elements] [rounds]     10 million elements, 9 rounds

package.path = arg[0]:match "^(.*/)[^/]*$" .. "?.lua;" .. package.path
local sel = require "selenite"
local now = require "clock"
local median = require("measure").median

local elements, rounds = tonumber(arg[1]) or 1e7, tonumber(arg[2]) or 9

-- Each is a function of tensors and of symbols alike; inputs by their extents (nil: all elements).
local cases = {
  { "x * sigmoid(beta * x)", function(x, beta) return x * (beta * x):sigmoid() end, { false, 1 } },
  { "tanh(x * w + b) * y + x",
    function(x, w, b, y) return (x * w + b):tanh() * y + x end, { false, false, false, false } },
  { "(x - y)^2 / (1 + (x - y)^2)",
    function(x, y) local d = (x - y) * (x - y); return d / (d + 1) end, { false, false } },
}

local modes = { "separate", "interpreted", "compiled" }

local function make_inputs(extents)
  sel.manual_seed(1)
  local inputs = {}
  for i, n in ipairs(extents) do inputs[i] = sel.randn(n or elements):requires_grad_() end
  return inputs
end

-- One turn; returns its seconds.
local function forward(f, inputs)
  local start = now()
  sel.no_grad(f, unpack(inputs)):free()
  return now() - start
end
local function both(f, inputs, gradient)
  for _, x in ipairs(inputs) do x.grad = nil end
  local start = now()
  local y = f(unpack(inputs))
  y:backward(gradient)
  local seconds = now() - start
  y:free()
  return seconds
end

local function check(case, functions, inputs, gradient)
  local expected
  for _, mode in ipairs(modes) do
    for _, x in ipairs(inputs) do x.grad = nil end
    local y = functions[mode](unpack(inputs))
    y:backward(gradient)
    local sums = { y:abs():mean():item() }
    for i, x in ipairs(inputs) do sums[i + 1] = x.grad:abs():mean():item() end
    expected = expected or sums
    for i, value in ipairs(sums) do
      assert(math.abs(value - expected[i]) <= 1e-4 * math.abs(expected[i]),
             ("%s, %s: result %d is %.9g, not %.9g"):format(case, mode, i, value, expected[i]))
    end
  end
end

print(("%d elements, %d threads, median of %d turns; milliseconds"):format(
  elements, sel.num_threads(), rounds))
for _, case in ipairs(cases) do
  local name, fn, extents = unpack(case)
  local inputs, gradient = make_inputs(extents), sel.ones(elements)
  local functions = { separate = fn, interpreted = sel.fuse(fn, { compile = false }),
                      compiled = sel.fuse(fn) }
  local start = now()
  local how = functions.compiled:kernel()
  local preparing = now() - start
  check(name, functions, inputs, gradient)
  print(("%s: %s, after %.1f ms"):format(name, how, preparing * 1e3))
  for _, turn in ipairs { { "forward", forward }, { "forward and backward", both } } do
    local times = { separate = {}, interpreted = {}, compiled = {} }
    for round = 1, rounds do
      for _, mode in ipairs(modes) do
        collectgarbage()
        times[mode][round] = turn[2](functions[mode], inputs, gradient)
      end
    end
    local base = median(times.separate)
    local line = { ("  %-21s separate %7.2f"):format(turn[1], base * 1e3) }
    for m = 2, 3 do
      local seconds = median(times[modes[m]])
      line[m] = ("%s %7.2f (%.2f x)"):format(modes[m], seconds * 1e3, base / seconds)
    end
    print(table.concat(line, "   "))
  end
end
