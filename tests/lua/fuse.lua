-- Fused functions, interpreted: values against the separate operations, gradients against
-- differences, shapes, errors. What the C compiler makes of them is tested in fuse_compiled.lua.

local ffi = require "ffi"
local sel = require "selenite"
local C = require("selenite.library").C
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises
local contains = check.contains

local function fuse(source) return sel.fuse(source, { compile = false }) end

local function f64(values, options)
  options = options or {}
  options.dtype = "f64"
  return sel.tensor(values, options)
end

-- n numbers in (low, high) without pattern.
local function numbers(n, low, high, seed)
  local list, state = {}, seed
  for i = 1, n do
    state = (state * 16807 + 11) % 2147483647
    list[i] = low + (high - low) * state / 2147483647
  end
  return list
end

-- ---- gradients of both orders against differences ----

local weights = numbers(60, 0.5, 1.5, 5)
local limits = { eps = 1e-5, atol = 2e-6, rtol = 2e-6 }

-- The gradients of a weighted sum of f's results, recorded.
local function slopes(f, ...)
  local inputs, total = { ... }, 0
  for i, t in ipairs { f(...) } do
    total = total + (t * f64(weights):narrow(1, i, t:numel()):reshape(t:shape())):sum()
  end
  return sel.grad(total, inputs, { create_graph = true, allow_unused = true })
end

-- f of leaves made of lists of numbers.
local function check_gradients(f, lists, shapes)
  local leaves = {}
  for i, list in ipairs(lists) do
    leaves[i] = (shapes and f64(list):reshape(shapes[i]) or f64(list)):requires_grad_()
  end
  sel.gradcheck(f, leaves, limits)
  sel.gradcheck(function(...)
    local results = { (...) * (...) } -- gradients may be constant
    for _, slope in pairs(sel.enable_grad(slopes, f, ...)) do results[#results + 1] = slope end
    return unpack(results)
  end, leaves, limits)
end

-- ---- every function ----

-- Where a function is smooth and finite: ranges of its arguments. The rest is as { -2, 2 }.
local ranges = {
  sqrt = { { 0.5, 3 } }, rsqrt = { { 0.5, 3 } }, log = { { 0.5, 3 } }, log2 = { { 0.5, 3 } },
  log10 = { { 0.5, 3 } }, log1p = { { -0.5, 3 } }, reciprocal = { { 0.5, 3 } },
  asin = { { -0.8, 0.8 } }, acos = { { -0.8, 0.8 } }, tan = { { -1, 1 } },
  pow = { { 0.5, 2 }, { -2, 2 } }, atan2 = { { 0.5, 2 }, { 0.5, 2 } },
  where = { { 0.5, 1 }, { -2, 2 }, { -2, 2 } },
  clamp = { { -2, 2 }, { -1.5, -1 }, { 1, 1.5 } }, hardsigmoid = { { -2.9, 2.9 } },
  hardswish = { { -2.9, 2.9 } },
}

local argument = ffi.new "int[1]"
local names, arity = {}, {}
do
  local i, name = 0, C.sel_fuse_name(0, argument)
  while name ~= nil do
    names[#names + 1] = ffi.string(name)
    arity[#names] = argument[0]
    i = i + 1
    name = C.sel_fuse_name(i, argument)
  end
end

-- name -> the same by separate operations, where it isn't the tensor's method.
local methods = {
  where = function(c, a, b) return (c:ne(0)):where(a, b) end,
  clamp = function(x, low, high) return sel.minimum(sel.maximum(x, low), high) end,
  leaky_relu = function(x, slope) return (x:lt(0)):where(x * slope, x) end,
  elu = function(x, alpha) return (x:lt(0)):where(x:expm1() * alpha, x) end,
}

test("there are functions", function() assert(#names > 40) end)

for k, name in ipairs(names) do
  local n = arity[k]
  local inputs = ({ "x", "x, y", "x, y, z" })[n]
  local f = fuse(("%s -> %s(%s)"):format(inputs, name, inputs))
  local lists = {}
  for i = 1, n do
    local range = ranges[name] and ranges[name][i] or { -2, 2 }
    lists[i] = numbers(7, range[1], range[2], 100 * k + i)
  end
  test(name .. ": gradients of both orders", function() check_gradients(f, lists) end)
  test(name .. ": values are the operation's", function()
    for _, dtype in ipairs { "f32", "f64" } do
      local given = {}
      for i = 1, n do given[i] = sel.tensor(lists[i], { dtype = dtype }) end
      local expected = (methods[name] or sel[name])(unpack(given))
      local got = f(unpack(given))
      equal(got:dtype(), dtype)
      near(got, expected:totable(), dtype == "f32" and 1e-6 or 1e-12)
    end
  end)
end

-- ---- expressions ----

-- expression, the same on numbers, ranges of the inputs
local expressions = {
  { "x, beta -> x * sigmoid(beta * x)", function(x, b) return x / (1 + math.exp(-b * x)) end },
  { "x -> 1 + 2 * x ^ 2 ^ 0.5 - -x", function(x) return 1 + 2 * x ^ 2 ^ 0.5 + x end, { 0.5, 2 } },
  { "x -> -x ^ 2", function(x) return -x ^ 2 end },
  { "x, y -> x / y / 2 - x % 0.7", function(x, y) return x / y / 2 - x % 0.7 end, { 0.9, 1.3 } },
  { "x -> x ^ 3 + x ^ 4 + x ^ -1 + x ^ -2 + x ^ 1 + x ^ 0",
    function(x) return x ^ 3 + x ^ 4 + 1 / x + x ^ -2 + x + 1 end, { 0.5, 2 } },
  { "x -> 2 ^ x + x ^ 2.5", function(x) return 2 ^ x + x ^ 2.5 end, { 0.5, 2 } },
  { "x, y -> e = exp(x); t = e * y; t / (1 + e) + sin(t) * pi",
    function(x, y)
      local e = math.exp(x)
      return e * y / (1 + e) + math.sin(e * y) * math.pi
    end },
  { "x, y -> where(x > 0 and not (y >= 0.5) or y == 7, x * y, -x)",
    function(x, y) return x > 0 and y < 0.5 and x * y or -x end },
  { "a, b, c, d -> (a < b) + (b <= c) * 2 + (c ~= d) * 4 + a * d",
    function(a, b, c, d)
      return (a < b and 1 or 0) + (b <= c and 2 or 0) + (c ~= d and 4 or 0) + a * d
    end },
  { "x -> x*1.5e-1+.25*x+2.*x", function(x) return 2.4 * x end },
  { "x -> maximum(x, -x) - minimum(x, 0)", function(x) return math.abs(x) - math.min(x, 0) end },
  { "x, y -> sqrt(x*x + y*y) - atan2(y, x)",
    function(x, y) return math.sqrt(x * x + y * y) - math.atan2(y, x) end, { 0.5, 2 } },
}

for k, case in ipairs(expressions) do
  local expression, value, range = case[1], case[2], case[3] or { -1.9, 1.9 }
  test(expression, function()
    local f, lists, expected = fuse(expression), {}, {}
    for i = 1, f.inputs do lists[i] = numbers(6, range[1], range[2], 17 * k + i) end
    for e = 1, 6 do
      local at = {}
      for i = 1, f.inputs do at[i] = lists[i][e] end
      expected[e] = value(unpack(at))
    end
    local given = {}
    for i = 1, f.inputs do given[i] = f64(lists[i]) end
    near(f(unpack(given)), expected, 1e-12)
    check_gradients(f, lists)
  end)
end

test("several results, some without a gradient of theirs", function()
  local f = fuse "x, y -> x * y, exp(x), y, 3, x > y"
  equal(f.outputs, 5)
  local x, y = f64 { 1, 2 }, f64 { 4, 1 }
  local a, b, c, d, e = f(x, y)
  near(a, { 4, 2 })
  near(b, { math.exp(1), math.exp(2) })
  near(c, { 4, 1 })
  near(d, { 3, 3 })
  near(e, { 0, 1 })
  check_gradients(f, { { 0.3, 0.7 }, { 1.2, -0.4 } })
  x:requires_grad_()
  local _, again = f(x, y)
  again:sum():backward()
  near(x.grad, { math.exp(1), math.exp(2) })
end)

test("a gradient that isn't needed is not computed", function()
  -- d log(x)/dx is infinite at 0, and times 0 no number
  local x = f64({ 0 }, { requires_grad = true })
  local a = fuse "x -> exp(x), log(x)" (x)
  a:sum():backward()
  near(x.grad, { 1 })
end)

test("third order", function()
  local x = f64({ 0.3, 1.1 }, { requires_grad = true })
  local y = fuse "x -> sin(2 * x)" (x)
  for _ = 1, 2 do y = sel.grad(y:sum(), x, { create_graph = true }) end
  local third = sel.grad(y:sum(), x)
  near(third, { -8 * math.cos(0.6), -8 * math.cos(2.2) }, 1e-12)
end)

-- ---- shapes and operands ----

test("broadcasting", function()
  local f = fuse "x, y, z -> x * y + z"
  local x, y, z = sel.rand(2, 1, 3), sel.rand(4, 1), sel.tensor(10)
  near(f(x, y, z), (x * y + z):totable())
  equal(f(x, y, z):shape(), { 2, 4, 3 })
  check_gradients(fuse "x, y, z -> x * y + sin(z) * y",
                  { numbers(6, -1, 1, 3), numbers(4, -1, 1, 4), { 0.3 } },
                  { { 2, 1, 3 }, { 4, 1 }, {} })
  raises(function() f(sel.ones(2), sel.ones(3), z) end,
         'fuse "x, y, z -> x * y + z": shapes [2] and [3]')
end)

test("views", function()
  local f = fuse "x, y -> x * y - x"
  local big = sel.rand(80, 70)
  local other = big * 0.3 + 1
  local function same(x, y) near(f(x, y), (x * y - x):totable(), 1e-5) end
  same(big:transpose(1, 2), other:transpose(1, 2))
  same(big:narrow(1, 3, 50):narrow(2, 5, 50),
       other:narrow(1, 1, 50):narrow(2, 2, 50):transpose(1, 2))
  same(big:flip(2), sel.tensor { 2.5 }:expand(80, 70))
  same(big:reshape(8, 10, 70):permute(2, 3, 1), other:reshape(8, 10, 70):permute(2, 3, 1))
  same(big[3], other[4])
end)

test("large tensors, many threads, all sizes around a tile", function()
  local f = fuse "x, y, s -> t = x * s; t + y, t - y"
  for _, n in ipairs { 1, 63, 1023, 1024, 1025, 4097, 300001 } do
    local x, y = sel.rand(n), sel.rand(n)
    local sum, rest = f(x, y, 0.5)
    near((sum - (x * 0.5 + y)):abs():max():item(), 0, 1e-6)
    near((rest - (x * 0.5 - y)):abs():max():item(), 0, 1e-6)
  end
end)

test("empty tensors, and those without dimensions", function()
  local f = fuse "x, y -> x + exp(y)"
  equal(f(sel.zeros(0, 3), sel.zeros(3)):shape(), { 0, 3 })
  equal(f(sel.tensor(1), sel.tensor(0)):shape(), {})
  equal(f(sel.tensor(1), sel.tensor(0)):item(), 2)
  local x = sel.zeros(0, { requires_grad = true })
  f(x, sel.zeros(1)):sum():backward()
  equal(x.grad:shape(), { 0 })
end)

test("numbers, masks and low precision", function()
  local f = fuse "x, m, s -> where(m, x, -x) * s"
  local x, mask = sel.tensor { 1, 2, 3 }, sel.tensor({ true, false, true })
  near(f(x, mask, 2), { 2, -4, 6 })
  near(f(x, 0, 2), { -2, -4, -6 })
  for _, dtype in ipairs { "f16", "bf16" } do
    local low = x:to(dtype):requires_grad_()
    local y = f(low, mask, 3)
    equal(y:dtype(), dtype)
    near(y:float(), { 3, -6, 9 })
    y:sum():backward()
    equal(low.grad:dtype(), dtype)
    near(low.grad:float(), { 3, -3, 3 })
  end
  near(fuse "x -> x" (x), { 1, 2, 3 })
  assert(not fuse "x -> x" (x):shares_storage(x))
end)

test("the same tensor twice", function()
  local x = f64({ 1, 2 }, { requires_grad = true })
  local y = fuse "a, b -> a * b" (x, x)
  y:sum():backward()
  near(x.grad, { 2, 4 })
end)

test("what was changed in place since is refused", function()
  local x = f64({ 1, 2 }, { requires_grad = true })
  local a = x * 1
  local y = fuse "a -> exp(a)" (a)
  a:add_(1)
  raises(function() y:sum():backward() end, "fuse", "changed in place by 'add_'")
end)

test("inputs that a gradient doesn't need are not kept", function()
  local x = f64({ 1, 2 }, { requires_grad = true })
  local a = x * 1
  local y = fuse "a -> a + 1" (a)
  a:add_(1)
  y:sum():backward()
  near(x.grad, { 1, 1 })
end)

test("a profile shows calls and what they move", function()
  local f, x = fuse "x, y, s -> x * y + exp(x) * s", sel.rand(10, 100)
  local p = sel.profile(function() f(x, sel.zeros(100), 2) end)
  local found
  for _, row in ipairs(p.operations) do
    if row.name == "fuse" then found = row end
  end
  equal({ found.calls, found.bytes }, { 1, 4 * (1000 + 100 + 1000) })
end)

-- ---- functions of symbols ----

test("a Lua function", function()
  local function swish(x, beta) return x * (beta * x):sigmoid() end
  local f = fuse(swish)
  local x, beta = sel.randn(5), sel.tensor { 1.5 }
  near(f(x, beta), swish(x, beta):totable())
  contains(tostring(f), "sigmoid(")
end)

test("operators, comparisons, numbers and loops", function()
  local f = fuse(function(x, y)
    local sum = 0 * x
    for i = 1, 3 do sum = sum + x ^ i / i end
    return x:gt(y):where(sum, -y % 3), (1 - x):le(0.5):logical_and(y:ne(0)):logical_not()
  end)
  local a, b = f(f64 { 1, -1 }, f64 { 0, 5 })
  near(a, { 1 + 1 / 2 + 1 / 3, -5 % 3 })
  near(b, { 1, 1 })
  near(fuse(function(x) return 2, x:neg() end)(f64 { 3 }), { 2 })
end)

test("mistakes in a Lua function", function()
  raises(function() fuse(function(x) return x:sum() end) end,
         "fuse", "no function 'sum'", "sigmoid")
  raises(function() fuse(function(x) return x + "1" end) end, "fuse: add: expected a symbol")
  raises(function() fuse(function(x) return x:pow() end) end, "fuse: pow: expected 2 arguments")
  raises(function() fuse(function() end) end, "fuse: the function returned nothing")
  raises(function() fuse(function(x) return x / 0 * (1 / 0) end) end, "finite number")
  raises(function() fuse(function(x) if x < x then return x end end) end, "x:lt(y)")
end)

-- ---- errors ----

test("errors quote the expression and name the position", function()
  local function refuses(expression, ...)
    local ok, message = pcall(fuse, expression)
    assert(not ok, expression .. " was accepted")
    contains(message, "fuse", expression:sub(1, 100), ...)
  end
  refuses("x -> x * sgimoid(x)", "position 10", "no such function", "did you mean 'sigmoid'?")
  refuses("alpha -> alhpa + 1", "position 10", "did you mean 'alpha'?")
  refuses("x -> x +", "position 9, at the end", "expected a number, a name or '('")
  refuses("x -> (x + 1", "expected ')'")
  refuses("x -> x 1", "position 8", "expected an operator")
  refuses("x * 2", "position 3", "expected ',' or '->'")
  refuses("x, x -> x", "position 4", "has a value already")
  refuses("x -> y = x; y = 2; y", "position 13", "has a value already")
  refuses("x -> y = x", "expected ';'")
  refuses("x -> exp(x, x)", "position 6", "expected 1 argument, got 2")
  refuses("x -> where(x)", "expected 3 arguments, got 1")
  refuses("x -> 1.2.3 * x", "this is no number")
  refuses("x -> 0x10 * x", "this is no number")
  refuses("x -> os.execute('rm')", "position 6")
  refuses("x -> x; y", "position 7")
  refuses("and -> 1", "expected the name of an input")
  refuses("", "position 1, at the end")
  refuses("a, b, c, d, e, f, g, h, i -> a", "more than 8 inputs")
  refuses("x -> 1, 2, 3, 4, 5, 6, 7, 8, 9", "more than 8 results")
  refuses("x -> " .. ("("):rep(200) .. "x", "nested more than 100 deep")
  refuses("x -> " .. ("-"):rep(200) .. "x", "nested more than 100 deep")
end)

test("at most 64 operations, equal parts counted once", function()
  local function chain(n)
    local text = { "x -> x" }
    for i = 1, n do text[i + 1] = (" + sin(%d * x)"):format(i + 1) end
    return table.concat(text)
  end
  local f = fuse(chain(21)) -- 63
  check_gradients(f, { { 0.1, 0.2 } })
  local ok, message = pcall(fuse, chain(22))
  assert(not ok)
  contains(message, "fuse \"x -> x + sin(2 * x)", "...\": at most 64 operations, this has 66")
  fuse("x -> " .. ("exp(x) + "):rep(5) .. "0 * 1 + 0")
  ok, message = pcall(fuse, "x -> x" .. (" + x * %d"):rep(3000):gsub("%%d", "1.5"))
  assert(not ok, message)
end)

test("results too large for caches", function()
  local n = 4500001 -- two of them: more than 32 MiB, and no whole number of lines
  local x, y = sel.rand(n), sel.rand(n)
  local sum, product = fuse "x, y -> x + y, x * y" (x, y)
  assert(sum:eq(x + y):all():item() and product:eq(x * y):all():item())
end)

test("wrong inputs", function()
  local f = fuse "x, y -> x + y"
  raises(function() f(sel.ones(2)) end, 'fuse "x, y -> x + y": expected 2 arguments, got 1')
  raises(function() f(sel.ones(2), "2") end,
         "fuse: argument 2 (input): expected a tensor or a number")
  raises(function() f(sel.ones(2), sel.ones(2):double()) end,
         'fuse "x, y -> x + y": dtypes f32 and f64 differ')
  raises(function() f(sel.ones(2), sel.ones(2):long()) end, "expected a float dtype, got i64")
  raises(function() f(1, 2) end, "expected a tensor, got only numbers")
  raises(function() sel.fuse(3) end, "fuse: argument 1 (source)")
  raises(function() sel.fuse("x -> x", { fast = true }) end, "fuse: no option 'fast'")
  contains(f:kernel(), "interpreted: as asked")
  contains(f:kernel("f64", "cpu"), "interpreted")
  raises(function() f:kernel "i64" end, "f32 or f64")
end)
