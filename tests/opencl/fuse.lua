-- Fused functions as generated OpenCL C: the numbers of the cpu, gradients of both orders, inputs
-- that lie in every way, and what a device can't do in one kernel.

local sel = require "selenite"
local check = require "check"
local test, equal, near = check.test, check.equal, check.near

if not pcall(sel.ones, 2, { device = "opencl" }) then os.exit(77) end

local function list(t) return t:detach():to("cpu"):double():flatten():totable() end

-- Applies the function on both devices; `make` makes inputs of them on the cpu. Compares results,
-- gradients, and gradients of gradients.
local function same(expression, make, tolerance)
  local function all(device)
    sel.manual_seed(3)
    local f, inputs, leaves = sel.fuse(expression), { make() }, {}
    for i, x in ipairs(inputs) do
      if type(x) ~= "number" then
        inputs[i] = x:to(device)
        if x:dtype():sub(1, 1) == "f" then
          inputs[i] = inputs[i]:detach():requires_grad_()
          leaves[#leaves + 1] = inputs[i]
        end
      end
    end
    if device == "opencl" then equal(f:kernel("f32", device), "compiled") end
    local numbers, total = {}, 0
    for _, y in ipairs { f(unpack(inputs)) } do
      numbers[#numbers + 1] = list(y)
      total = total + (y * y):sum()
    end
    local slopes = sel.grad(total, leaves, { create_graph = true })
    slopes = #leaves == 1 and { slopes } or slopes
    if type(slopes[1]) == "table" then slopes = slopes[1] end
    local second = 0
    for _, slope in ipairs(slopes) do
      numbers[#numbers + 1] = list(slope)
      second = second + (slope * slope):sum()
    end
    local curvature = sel.grad(second, { leaves[1] })
    numbers[#numbers + 1] = list(type(curvature) == "table" and curvature[1] or curvature)
    return numbers
  end
  local here, there = all "cpu", all "opencl"
  equal(#there, #here)
  for i, expected in ipairs(here) do near(there[i], expected, tolerance or 2e-4) end
end

test("contiguous tensors and numbers, several results", function()
  same("x, b -> x * sigmoid(b * x), tanh(x) - where(x > 1, x, -x) / 3",
       function() return sel.randn(5000), 1.5 end)
  same("x, y -> (x - y)^2 / (1 + (x - y)^2)",
       function() return sel.randn(3, 4), sel.randn(3, 4) end)
end)

test("every way to lie: broadcast, transposed, cut out, in up to 8 dims", function()
  local gate = "x, w, m -> x * sigmoid(w * x) + w * m"
  same(gate, function() return sel.randn(50, 70), sel.randn(70), sel.randn(50, 1):gt(0) end)
  same(gate, function() return sel.randn(70, 5):t(), sel.randn(5, 1), sel.randn(5, 70):gt(0) end)
  same(gate, function()
    return sel.randn(4, 9, 5):narrow(2, 3, 4), sel.randn(4, 1, 5), sel.randn(4, 1):gt(0)
  end)
  same("x, y -> x * y", function()
    return sel.randn(2, 3, 2, 2, 2, 3), sel.randn(2, 1, 2, 1, 2, 1)
  end)
  same("x, y -> x * y + x", function() return sel.randn(3, 9000), sel.randn(3, 1) end)
  same("x, y -> x / 2 + y", function() return sel.randn(1), sel.randn(1) end)
end)

test("results that are inputs, constants, or no gradient", function()
  same("x, y -> x, 2, y * 1", function() return sel.randn(7), sel.randn(7) end)
  local y = sel.fuse "x, s -> s + 1" (sel.ones(3, { device = "opencl" }), 2)
  equal(list(y), { 3, 3, 3 })
  equal(sel.fuse "x -> x + 1" (sel.ones(0, 3, { device = "opencl" })):shape(), { 0, 3 })
end)

test("f64 in doubles, f16 through f32", function()
  local x = sel.linspace(-2, 2, 9, { dtype = "f64" })
  local f = sel.fuse "x -> exp(x) * x / 3"
  near(list(f(x:to "opencl")), list(f(x)), 1e-14)
  near(list(f(x:half():to "opencl")), list(f(x:half())), 2e-3)
end)

test("every function that expressions may call", function()
  local C = require("selenite.library").C
  local ffi = require "ffi"
  local arguments, x = ffi.new "int[1]", sel.linspace(0.1, 0.9, 50)
  local calls, i = {}, 0
  while C.sel_fuse_name(i, arguments) ~= nil do
    local name = ffi.string(C.sel_fuse_name(i, arguments))
    calls[#calls + 1] = name .. "(" .. ("x, "):rep(arguments[0] - 1) .. "x)"
    i = i + 1
  end
  for first = 1, #calls, 8 do -- results of one program
    local f = sel.fuse("x -> " .. table.concat(calls, ", ", first, math.min(first + 7, #calls)))
    local here, there = { f(x) }, { f(x:to "opencl") }
    for k, expected in ipairs(here) do
      local ok, message = pcall(near, list(there[k]), list(expected), 1e-5)
      assert(ok, calls[first + k - 1] .. ": " .. tostring(message))
    end
  end
  assert(i > 40, "only " .. i .. " functions")
end)

test("more parameters than a kernel takes, and nothing compiled, run as separate operations",
     function()
  local names, terms, inputs = {}, {}, {}
  for i = 1, 8 do
    names[i], terms[i] = "v" .. i, ("v%d * %d"):format(i, i)
    inputs[i] = sel.randn(2, i % 2 + 1, 2, 1, 3, i % 3 > 0 and 2 or 1, 1, 2)
  end
  local expression = table.concat(names, ", ") .. " -> " .. table.concat(terms, ", ")
  local f, there = sel.fuse(expression), {}
  for i = 1, 8 do there[i] = inputs[i]:to "opencl" end
  local expected, results = { f(unpack(inputs)) }, { f(unpack(there)) }
  for k = 1, 8 do near(list(results[k]), list(expected[k]), 1e-6) end
  local plain = sel.fuse("x -> x * 2", { compile = false })
  equal(plain:kernel("f32", "opencl"), "separate operations")
  equal(list(plain(sel.ones(2, { device = "opencl" }))), { 2, 2 })
end)

test("one launch, and programs are shared by equal expressions", function()
  local x = sel.randn(1000, { device = "opencl" })
  sel.fuse "x -> x * tanh(x) + 4" (x)
  sel.synchronize "opencl"
  local before = sel.device_counters "opencl"
  local f = sel.fuse "x -> x * tanh(x) + 4"
  f(x)
  local after = sel.device_counters "opencl"
  equal(after.launches - before.launches, 1)
  equal(after.copies - before.copies, 0)
  equal(after.waits - before.waits, 0)
end)
