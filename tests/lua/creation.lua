-- Tensors from tables, numbers and sizes, and random ones.

local sel = require "selenite"
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

test("a tensor from a nested table", function()
  local t = sel.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
  equal(t:shape(), { 2, 3 })
  equal(t:dtype(), "f32")
  equal(t:totable(), { { 1, 2, 3 }, { 4, 5, 6 } })
end)

test("a tensor from a number has no dims", function()
  local t = sel.tensor(2.5)
  equal(t:dim(), 0)
  equal(t:item(), 2.5)
end)

test("booleans make a bool tensor", function()
  local t = sel.tensor { true, false }
  equal(t:dtype(), "bool")
  equal(t:totable(), { true, false })
end)

test("i64 keeps whole numbers above 2^24", function()
  equal(sel.tensor({ 2 ^ 40 + 1 }, { dtype = "i64" }):item(), 2 ^ 40 + 1)
end)

test("an empty table", function() equal(sel.tensor({}):shape(), { 0 }) end)

test("a ragged table is refused", function()
  raises(function() sel.tensor { { 1, 2 }, { 3 } } end, "tensor: the table is ragged",
         "expected 2 elements at depth 2, got 1")
  raises(function() sel.tensor { 1, "x" } end, "tensor", "expected numbers", '"x"')
end)

test("a copy of a tensor is a leaf of its own", function()
  local a = sel.tensor({ 1, 2 }, { requires_grad = true })
  local b = sel.tensor(a * 2, { dtype = "f64" })
  equal(b:dtype(), "f64")
  equal(b.requires_grad, false)
  b[1] = 9
  near(a, { 1, 2 })
end)

test("sizes as numbers or as a table, options last", function()
  equal(sel.zeros(2, 3):shape(), { 2, 3 })
  equal(sel.zeros({ 2, 3 }):shape(), { 2, 3 })
  equal(sel.zeros({ 2, 3 }, { dtype = "i32" }):dtype(), "i32")
  equal(sel.ones(2, { dtype = "f64" }):totable(), { 1, 1 })
  equal(sel.zeros():dim(), 0)
  equal(sel.zeros({ dtype = "f64" }):dtype(), "f64")
  equal(sel.ones(2, { requires_grad = true }).requires_grad, true)
end)

test("wrong sizes and options are told", function()
  raises(function() sel.zeros(2, "x") end, "zeros: argument 2 (size)", "a whole number", '"x"')
  raises(function() sel.zeros(2.5) end, "zeros", "2.5")
  raises(function() sel.zeros(-1) end, "zeros: argument 1 (size)", "0 or more", "-1")
  raises(function() sel.zeros(2, { dtyp = "f32" }) end, "zeros: no option 'dtyp'", "dtype")
  raises(function() sel.zeros(2, { dtype = "f33" }) end, "zeros", "f33")
  raises(function() sel.zeros(2, { device = "moon" }) end, "zeros", "moon")
  raises(function() sel.zeros(1, 1, 1, 1, 1, 1, 1, 1, 1) end, "at most 8 dimensions, got 9")
end)

test("full, arange, linspace, eye", function()
  equal(sel.full({ 2 }, 7):totable(), { 7, 7 })
  equal(sel.full({ 2 }, 7, { dtype = "i64" }):dtype(), "i64")
  equal(sel.arange(3):totable(), { 0, 1, 2 })
  equal(sel.arange(3):dtype(), "i64")
  equal(sel.arange(1, 4):totable(), { 1, 2, 3 })
  equal(sel.arange(4, 1, -1):totable(), { 4, 3, 2 })
  near(sel.arange(0, 1, 0.25), { 0, 0.25, 0.5, 0.75 })
  equal(sel.arange(3, { dtype = "f32" }):dtype(), "f32")
  near(sel.linspace(0, 1, 5), { 0, 0.25, 0.5, 0.75, 1 })
  equal(sel.eye(2):totable(), { { 1, 0 }, { 0, 1 } })
  equal(sel.eye(1, 2):totable(), { { 1, 0 } })
  raises(function() sel.arange() end, "arange", "a number")
end)

test("random tensors repeat with the seed", function()
  sel.manual_seed(3)
  local a, b = sel.rand(4), sel.randn(4)
  sel.manual_seed(3)
  equal(sel.rand(4):totable(), a:totable())
  equal(sel.randn(4):totable(), b:totable())
  local r = sel.rand(1000)
  assert(r:min():item() >= 0 and r:max():item() < 1)
  local n = sel.randn(10000, { requires_grad = true })
  assert(math.abs(n:mean():item()) < 0.05 and math.abs(n:std():item() - 1) < 0.05)
  equal(n.requires_grad, true)
  equal(n.is_leaf, true)
end)

test("randint and randperm", function()
  local t = sel.randint(2, 5, { 100 })
  equal(t:dtype(), "i64")
  assert(t:min():item() == 2 and t:max():item() == 4)
  equal(sel.randperm(5):sort():totable(), { 0, 1, 2, 3, 4 })
end)

test("*_like takes size, dtype and device of another", function()
  local t = sel.zeros(2, 3, { dtype = "f64" })
  for _, name in ipairs { "zeros_like", "ones_like", "empty_like", "rand_like", "randn_like" } do
    equal(sel[name](t):shape(), { 2, 3 })
    equal(sel[name](t):dtype(), "f64")
  end
  equal(sel.full_like(t, 3, { dtype = "i64" }):sum():item(), 18)
end)
