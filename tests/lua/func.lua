-- Functions with a backward written in Lua, and checkpoints.

local sel = require "selenite"
local host = require "selenite.host"
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

local function leaf(values) return sel.tensor(values, { requires_grad = true }) end

local cube = sel.func {
  name = "cube",
  forward = function(ctx, x)
    local y = x * x * x
    ctx:save_for_backward(x, y)
    return y
  end,
  backward = function(ctx, gradient)
    local x = ctx:saved_tensors()
    return gradient * 3 * x * x
  end,
}

test("a function with its own backward", function()
  local x = leaf { 2, 3 }
  local y = cube(x)
  near(y, { 8, 27 })
  equal(y.grad_fn, "cube")
  y:sum():backward()
  near(x.grad, { 12, 27 })
  near(sel.grad((cube(x) * 2):sum(), x), { 24, 54 })
  equal(cube(sel.ones(2)).requires_grad, false)
end)

test("gradients of its gradient", function()
  local x = leaf { 2 }
  local first = sel.grad(cube(x):sum(), x, { create_graph = true })
  near(first, { 12 })
end)

test("several inputs and outputs, and arguments that are no tensors", function()
  local f = sel.func {
    forward = function(ctx, a, factor, b)
      ctx.factor = factor
      return a * factor, b + a
    end,
    backward = function(ctx, g1, g2)
      local zero = sel.zeros(1)
      return (g1 or zero) * ctx.factor + (g2 or zero), nil, g2
    end,
  }
  local a, b = leaf { 1 }, leaf { 2 }
  local p, q = f(a, 5, b);
  (p + q * 10):sum():backward()
  near(a.grad, { 15 })
  near(b.grad, { 10 })
  a.grad = nil
  p = f(a, 5, b)
  p:sum():backward()
  near(a.grad, { 5 })
end)

test("a function may return its input", function()
  local same = sel.func { forward = function(_, x) return x end,
                          backward = function(_, g) return g * 2 end }
  local x = leaf { 1 }
  same(x):sum():backward()
  near(x.grad, { 2 })
end)

test("mistakes", function()
  raises(function() sel.func { forward = print } end, "func: option 'backward'")
  local bad = sel.func { forward = function() return 1 end, backward = print }
  raises(function() bad(leaf { 1 }) end, "func: result 1: expected a tensor")
  local wrong = sel.func { forward = function(_, x) return x * 1 end,
                           backward = function() return "g" end }
  raises(function() wrong(leaf { 1 }):sum():backward() end, "backward: gradient 1", '"g"')
end)

test("a saved tensor that was changed", function()
  local x = leaf { 2 }
  local base = x * 1
  local y = cube(base)
  sel.no_grad(function() base:add_(1) end)
  raises(function() y:sum():backward() end, "cube: saved tensor 1 was changed")
end)

test("what was recorded is forgotten when its tape is gone", function()
  for _ = 1, 50 do
    cube(leaf { 1 }):sum():backward()
    cube(leaf { 1 })
  end
  require("selenite.memory").collect()
  equal(host.active(), false)
end)

test("a checkpoint computes the same gradients", function()
  local nn = sel.nn
  sel.manual_seed(1)
  local net = nn.sequential(nn.linear(3, 4), nn.tanh(), nn.dropout(0.5), nn.linear(4, 2))
  local x = leaf { { 1, 2, 3 }, { 4, 5, 6 } }
  sel.manual_seed(2)
  local plain = net(x)
  plain:square():sum():backward()
  local expected, of_weight = x.grad:totable(), net[1].weight.grad:totable()
  x.grad = nil
  net:zero_grad()
  sel.manual_seed(2)
  local y = sel.checkpoint(net, x)
  equal(y:totable(), plain:totable())
  y:square():sum():backward()
  near(x.grad, expected)
  near(net[1].weight.grad, of_weight)
  net:zero_grad()
  sel.manual_seed(2) -- also where no argument requires a gradient
  sel.checkpoint(function(input) return net(input) end, x:detach()):square():sum():backward()
  near(net[1].weight.grad, of_weight)
end)

test("a checkpoint says what it can't do", function()
  local x = leaf { 1 }
  local y = sel.checkpoint(function(v) return v * 2 end, x)
  raises(function() sel.grad(y:sum(), x) end, "checkpoint: only x:backward()")
  equal(sel.no_grad(sel.checkpoint, function(v) return v * 2 end, x).requires_grad, false)
end)
