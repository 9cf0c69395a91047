-- sel.gradcheck finds wrong gradients and says where.

local sel = require "selenite"
local check = require "check"
local test, equal, contains, raises = check.test, check.equal, check.contains, check.raises

local function leaf(...) return sel.randn(..., { dtype = "f64" }):requires_grad_() end

-- x * x whose gradient is `factor` * x.
local function square(factor)
  return sel.func {
    name = "square",
    forward = function(ctx, x)
      ctx:save_for_backward(x)
      return x * x
    end,
    backward = function(ctx, gradient) return gradient * ctx:saved_tensors() * factor end,
  }
end

test("right gradients", function()
  sel.manual_seed(1)
  equal(sel.gradcheck(square(2), leaf { 3, 2 }), true)
  equal(sel.gradcheck(function(a, b) return a:matmul(b):tanh(), a:sum() end,
                      { leaf { 2, 3 }, leaf { 3, 2 } }), true)
  local layer = sel.nn.linear(3, 2):to "f64"
  equal(sel.gradcheck(layer, { leaf { 4, 3 }, layer.weight, layer.bias }, { max_elements = 5 }),
        true)
end)

test("wrong gradients are named", function()
  local x = sel.tensor({ { 1, 2 }, { 3, 4 } }, { dtype = "f64", requires_grad = true })
  raises(function() sel.gradcheck(square(3), x) end,
         "input 1, element [1, 1] of a tensor f64[2, 2]", "backward gives", "differences give")
  local ok, text = sel.gradcheck(square(3), { x }, { raise_exception = false, names = { "x" } })
  equal(ok, false)
  contains(text, "x, element [1, 1]")
  equal(x:totable(), { { 1, 2 }, { 3, 4 } }) -- as it was
  ok, text = sel.gradcheck(function(a, b) return a * b:detach() end, { x, leaf { 2, 2 } },
                           { raise_exception = false })
  equal(ok, false)
  contains(text, "input 2", "the input got no gradient at all")
end)

test("an element whose gradient alone is wrong", function()
  local f = sel.func {
    forward = function(_, x) return x * 2 end,
    backward = function(_, gradient)
      local g = gradient * 2
      g:narrow(1, 3, 1):add_(1)
      return g
    end,
  }
  local ok, text = sel.gradcheck(f, leaf { 5 }, { raise_exception = false })
  equal(ok, false)
  contains(text, "element [3]")
end)

test("refusals", function()
  raises(function() sel.gradcheck(square(2), sel.ones(2, { requires_grad = true })) end,
         "input 1: a contiguous f64 leaf is expected, got f32")
  raises(function() sel.gradcheck(square(2), sel.ones(2, { dtype = "f64" })) end,
         "none of the inputs requires a gradient")
  raises(function() sel.gradcheck(function(x) return x:to "f32" end, leaf { 2 }) end,
         "f64 is expected")
  raises(function() sel.gradcheck(function() end, leaf { 2 }) end, "gave no f64 tensor")
  raises(function() sel.gradcheck(3, leaf { 2 }) end, "a function or a module")
  raises(function() sel.gradcheck(square(2), leaf { 2 }, { tolerance = 1 }) end,
         "no option 'tolerance'")
end)
