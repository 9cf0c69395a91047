-- The text of a tensor.

local sel = require "selenite"
local check = require "check"
local test, equal, contains = check.test, check.equal, check.contains

test("a matrix in aligned columns, with what it is", function()
  equal(tostring(sel.tensor { { 1, 2.5 }, { -10, 0 } }),
        "[[  1.0000,   2.5000],\n [-10.0000,   0.0000]]\nf32[2, 2] cpu")
end)

test("whole numbers", function()
  equal(tostring(sel.tensor { 1, 20 }), "[ 1., 20.]\nf32[2] cpu")
  equal(tostring(sel.tensor({ 1, 20 }, { dtype = "i64" })), "[ 1, 20]\ni64[2] cpu")
  equal(tostring(sel.tensor { true, false }), "[ true, false]\nbool[2] cpu")
end)

test("scalars, empty tensors, three dims", function()
  equal(tostring(sel.tensor(0.5)), "0.5000 f32[] cpu")
  equal(tostring(sel.zeros(0, 3)), "[]\nf32[0, 3] cpu")
  equal(tostring(sel.zeros(2, 1, 2)), "[[[0., 0.]],\n\n [[0., 0.]]]\nf32[2, 1, 2] cpu")
end)

test("special values and a wide range", function()
  contains(tostring(sel.tensor { 0 / 0, 1 / 0, -1 / 0 }), "nan", "inf", "-inf")
  contains(tostring(sel.tensor { 1e-5, 1e6 }), "1.0000e-05", "1.0000e+06")
end)

test("the middle of large tensors is left out", function()
  local text = tostring(sel.zeros(200, 300))
  contains(text, "...", "f32[200, 300]")
  assert(#text < 600)
  contains(tostring(sel.arange(2000)), "[   0,    1,    2,  ..., 1997, 1998, 1999]")
end)

test("what autograd knows is shown", function()
  local x = sel.tensor({ 1 }, { requires_grad = true })
  contains(tostring(x), "requires_grad")
  contains(tostring(x * 2), "grad_fn=mul")
end)
