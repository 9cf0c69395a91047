-- Gradients from Lua: backward, sel.grad, grad mode, hooks.

local sel = require "selenite"
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

local function leaf(values) return sel.tensor(values, { requires_grad = true }) end

test("backward adds to grad, which can be read, set and cleared", function()
  local x = leaf { 1, 2 }
  equal(x.grad, nil);
  (x * x):sum():backward()
  near(x.grad, { 2, 4 })
  local y = x * 3
  y:backward(sel.tensor { 1, 10 })
  near(x.grad, { 5, 34 })
  x.grad = nil
  equal(x.grad, nil)
  x.grad = sel.tensor { 7, 7 }
  near(x.grad, { 7, 7 })
  raises(function() x.grad = 1 end, "grad: expected a tensor or nil")
  raises(function() x.grad = sel.ones(3) end, "grad")
end)

test("requires_grad, is_leaf, grad_fn", function()
  local x = sel.ones(2)
  equal(x.requires_grad, false)
  x.requires_grad = true
  equal(x:requires_grad_(false).requires_grad, false)
  x:requires_grad_()
  local y = x * 2
  equal({ y.requires_grad, y.is_leaf, y.grad_fn }, { true, false, "mul" })
  equal({ x.is_leaf, x.grad_fn == nil }, { true, true })
  raises(function() sel.ones(1, { dtype = "i64" }).requires_grad = true end, "float")
  raises(function() x.requires_grad = 1 end, "expected a boolean")
end)

test("a tape is walked once unless it is kept", function()
  local x = leaf { 3 }
  local y = (x * x):sum()
  y:backward { retain_graph = true }
  y:backward()
  near(x.grad, { 12 })
  raises(function() y:backward() end, "backward")
  raises(function() (x * x):backward(1) end, "backward: argument 2 (gradient)")
  raises(function() y:backward(nil, { keep = true }) end, "no option 'keep'")
  raises(function() sel.ones(1):backward() end, "backward")
  raises(function() (sel.ones(2) * leaf { 1, 2 }):backward() end, "backward", "[2]")
end)

test("no_grad, enable_grad, detach", function()
  local x = leaf { 1 }
  local a, b = sel.no_grad(function(p, q) return x * p, q end, 2, "q")
  equal({ a.requires_grad, b }, { false, "q" })
  sel.no_grad(function()
    equal(sel.grad_enabled(), false)
    equal(sel.enable_grad(function() return (x * 2).requires_grad end), true)
  end)
  equal(sel.grad_enabled(), true)
  pcall(sel.no_grad, function() error "inside" end)
  equal(sel.grad_enabled(), true)
  equal((x * 2):detach().requires_grad, false)
  equal(sel.set_grad_enabled(false), true)
  sel.set_grad_enabled(true)
end)

test("sel.grad leaves .grad alone and goes higher", function()
  local x, y = leaf { 2 }, leaf { 5 }
  local dx, dy = unpack(sel.grad((x * x * y):sum(), { x, y }))
  near(dx, { 20 })
  near(dy, { 4 })
  equal(x.grad, nil)
  local first = sel.grad((x ^ 3):sum(), x, { create_graph = true })
  near(sel.grad(first:sum(), x), { 12 })
  raises(function() sel.grad((x * 2):sum(), y) end, "grad")
  equal(sel.grad((x * 2):sum(), y, { allow_unused = true }), nil)
  near(sel.grad(x * 2, x, { grad_outputs = sel.tensor { 3 } }), { 6 })
end)

test("a saved tensor that was changed is named with both operations", function()
  local x = leaf { 1, 2 }
  local y = x:exp()
  local z = (y * y):sum()
  y:add_(1)
  raises(function() z:backward() end, "mul", "add")
end)

test("retain_grad keeps the gradient of a tensor that is no leaf", function()
  local x = leaf { 2 }
  local y = (x * 3):retain_grad();
  (y * y):sum():backward()
  near(y.grad, { 12 })
end)

test("hooks see and replace gradients", function()
  local x = leaf { 1, 2 }
  local seen
  local remove = x:register_hook(function(g) seen = g:totable() end)
  local y = x * 2
  y:register_hook(function(g) return g * 10 end)
  y:sum():backward()
  near(seen, { 20, 20 })
  near(x.grad, { 20, 20 })
  remove()
  seen, x.grad = nil, nil;
  (x * 2):sum():backward()
  equal(seen, nil)
  raises(function() x:register_hook(1) end, "register_hook: argument 2 (fn)")
end)

test("an error in a hook reaches the caller and leaves autograd usable", function()
  local x = leaf { 1 }
  local y = x * 2
  y:register_hook(function() error("from the hook", 0) end)
  local ok, message = pcall(function() y:sum():backward() end)
  equal({ ok, message }, { false, "from the hook" })
  equal(sel.grad_enabled(), true);
  (x * 5):sum():backward()
  near(x.grad, { 5 })
end)

test("a hook that returns something else", function()
  local y = leaf { 1 } * 2
  y:register_hook(function() return 3 end)
  raises(function() y:sum():backward() end, "backward: gradient 1", "the number 3")
end)
