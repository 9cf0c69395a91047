-- nn.init, gradient clipping, sel.help.

local sel = require "selenite"
local nn = sel.nn
local help = require "selenite.nn.help"
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

test("initialisers fill parameters in place and return them", function()
  sel.manual_seed(1)
  local p = nn.parameter(sel.zeros(200, 100))
  equal(nn.init.uniform_(p, -2, 2) == p, true)
  assert(p:min():item() >= -2 and p:max():item() < 2 and p:mean():item() ^ 2 < 0.01)
  nn.init.normal_(p, 1, 0.5)
  near(p:mean(), 1, 0.05)
  near(p:std(), 0.5, 0.05)
  near(nn.init.constant_(p, 3):max(), 3)
  near(nn.init.zeros_(p):max(), 0)
  near(nn.init.ones_(p):min(), 1)
  near(nn.init.kaiming_normal_(p):std(), math.sqrt(2 / 100), 0.05)
  near(nn.init.kaiming_normal_(p, { mode = "fan_out", nonlinearity = "relu" }):std(),
       math.sqrt(2 / 200), 0.05)
  assert(nn.init.kaiming_uniform_(p, { a = math.sqrt(5) }):max():item() <= 0.1)
  near(nn.init.xavier_normal_(p):std(), math.sqrt(2 / 300), 0.05)
  assert(nn.init.xavier_uniform_(p, 2):max():item() <= 2 * math.sqrt(6 / 300))
  local q = nn.init.orthogonal_(sel.zeros(3, 5))
  near(q:matmul(q:t()), sel.eye(3):totable(), 1e-5)
  local t = nn.init.trunc_normal_(p, 0, 1, -0.5, 0.5)
  assert(t:max():item() <= 0.5 and t:min():item() >= -0.5)
  equal(p.requires_grad, true)
  equal(p.is_leaf, true)
  near(nn.init.calculate_gain "relu", math.sqrt(2))
  near(nn.init.calculate_gain("leaky_relu", 0.2), math.sqrt(2 / 1.04))
end)

test("wrong arguments of initialisers", function()
  raises(function() nn.init.normal_(1) end, "normal_: argument 1")
  raises(function() nn.init.kaiming_normal_(sel.ones(2, 2), { mode = "fan" }) end, "fan_out")
  raises(function() nn.init.kaiming_normal_(sel.ones(2)) end, "kaiming")
  raises(function() nn.init.calculate_gain "elu2" end, "elu2")
end)

test("clipping by norm and by value", function()
  local a = sel.tensor({ 0, 0 }, { requires_grad = true })
  local b = sel.tensor({ 0 }, { requires_grad = true })
  a.grad, b.grad = sel.tensor { 3, 0 }, sel.tensor { 4 }
  near(nn.clip_grad_norm_({ a, b }, 10), 5)
  near(a.grad, { 3, 0 })
  near(nn.clip_grad_norm_({ a, b }, 1), 5)
  near(a.grad, { 0.6, 0 }, 1e-5)
  near(b.grad, { 0.8 }, 1e-5)
  near(nn.clip_grad_norm_({ a, b }, 1, math.huge), 0.8, 1e-5)
  nn.clip_grad_value_({ a, b }, 0.1)
  near(a.grad, { 0.1, 0 })
  raises(function() nn.clip_grad_norm_({ 1 }, 1) end, "clip_grad_norm_: argument 1")
  raises(function() nn.clip_grad_norm_({ a }) end, "clip_grad_norm_: argument 2 (max_norm)")
end)

test("help comes from the descriptions", function()
  check.contains(help.layer "linear", "nn.linear:", "in_features", "required", "bias", "boolean",
                 "default true", "input", "example", "fc.so")
  check.contains(help.list(), "nn.linear", "nn.relu", "nn.dropout")
  raises(function() sel.help "nothing" end, "there is no layer type 'nothing'")
end)
