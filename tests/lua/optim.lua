-- Optimizers from Lua: settings, groups, state.

local sel = require "selenite"
local optim = sel.optim
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

local function parameter(values) return sel.tensor(values, { requires_grad = true }) end

-- Some steps down x^2 from 1.
local function descend(optimizer_of, steps)
  local x = parameter { 1 }
  local optimizer = optimizer_of { x }
  for _ = 1, steps do
    optimizer:zero_grad();
    (x * x):sum():backward()
    optimizer:step()
  end
  return x:item()
end

test("every kind goes downhill", function()
  near(descend(function(p) return optim.sgd(p, { lr = 0.1 }) end, 2), 0.64)
  near(descend(function(p) return optim.sgd(p, { lr = 0.1, momentum = 0.9 }) end, 2), 0.46, 1e-5)
  near(descend(function(p) return optim.adam(p, { lr = 0.1 }) end, 1), 0.9, 1e-5)
  near(descend(function(p) return optim.adamw(p, { lr = 0.1, weight_decay = 0.5 }) end, 1), 0.85,
       1e-5)
  for _, kind in ipairs { "rmsprop", "adagrad" } do
    assert(descend(function(p) return optim[kind](p, { lr = 0.01 }) end, 5) < 0.97, kind)
  end
end)

test("settings can be read and changed, booleans included", function()
  local o = optim.adam({ parameter { 1 } }, { lr = 0.1, betas = { 0.8, 0.9 }, amsgrad = true })
  near({ o:get "lr", o:get "beta1", o:get "beta2", o:get "amsgrad" }, { 0.1, 0.8, 0.9, 1 })
  o:set("lr", 0.5)
  near(o:get "lr", 0.5)
  raises(function() o:set("speed", 1) end, "speed")
  raises(function() o:set("lr", "x") end, "adam: option 'lr': expected a number")
end)

test("groups have settings of their own", function()
  local a, b = parameter { 1 }, parameter { 1 }
  local o = optim.sgd({ { params = { a } }, { params = b, lr = 1 } }, { lr = 0.1 })
  a.grad, b.grad = sel.ones(1), sel.ones(1)
  o:step()
  near(a, { 0.9 })
  near(b, { 0 })
  equal(o:group_count(), 2)
  equal(o:add_group { params = { parameter { 1 } }, momentum = 0.5 }, 3)
  near({ o:get("lr", 3), o:get("momentum", 3), o:get("momentum", 1) }, { 0.1, 0.5, 0 })
end)

test("parameters without gradient stay; zero_grad clears", function()
  local a, b = parameter { 1 }, parameter { 1 }
  local o = optim.sgd({ a, b }, { lr = 0.1 })
  a.grad = sel.ones(1)
  o:step()
  near(b, { 1 })
  o:zero_grad()
  equal(a.grad, nil)
end)

test("state_dict continues where it was taken", function()
  local function run(steps, state, x)
    local o = optim.adam({ x }, { lr = 0.1 })
    if state then o:load_state_dict(state) end
    for _ = 1, steps do
      o:zero_grad();
      (x * x):sum():backward()
      o:step()
    end
    return o
  end
  local straight = parameter { 1 }
  run(6, nil, straight)
  local x = parameter { 1 }
  local state = run(3, nil, x):state_dict()
  equal(state.steps, { 3 })
  near(state.groups[1].lr, 0.1)
  run(3, state, x)
  equal(x:item(), straight:item())
  local nothing = { tensors = {}, steps = {}, groups = {} }
  raises(function() run(0, state, parameter { 1 }):load_state_dict(nothing) end,
         "adam: the state is of 0 parameters in 0 groups, the optimizer has 1 in 1")
end)

test("mistakes", function()
  raises(function() optim.sgd({}) end, "sgd: expected a list of at least one parameter")
  raises(function() optim.sgd({ 1 }) end, "sgd: parameter 1: expected a tensor")
  raises(function() optim.sgd({ parameter { 1 } }, { lrate = 1 }) end,
         "sgd: no option 'lrate'", "lr")
  raises(function() optim.adam({ parameter { 1 } }, { betas = 1 }) end, "betas", "two numbers")
  raises(function() optim.sgd({ sel.ones(1, { dtype = "i64" }) }) end, "sgd")
  local x = sel.ones(1)
  x:free()
  raises(function() optim.sgd({ x }) end, "freed")
end)
