-- Layers of registered types: options, parameters, forward.

local sel = require "selenite"
local nn = sel.nn
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

test("options by position, by name, or both", function()
  equal(nn.linear(2, 3).weight:shape(), { 3, 2 })
  equal(nn.linear({ in_features = 2, out_features = 3 }).weight:shape(), { 3, 2 })
  equal(nn.linear(2, 3, { bias = false }).bias, nil)
  equal(nn.linear(2, 3, false).bias, nil)
  equal(nn.linear(2, 3, { dtype = "f64" }).weight:dtype(), "f64")
  equal(nn.linear(2, { out_features = 3 }).weight:shape(), { 3, 2 })
end)

test("wrong options are told", function()
  raises(function() nn.linear() end, "linear", "in_features")
  raises(function() nn.linear(2) end, "linear", "out_features")
  raises(function() nn.linear("a", 3) end, "linear: option 'in_features': expected a number")
  raises(function() nn.linear(2.5, 3) end, "in_features", "2.5")
  raises(function() nn.linear(0, 3) end, "in_features")
  raises(function() nn.linear(2, 3, { bais = true }) end, "linear: no option 'bais'", "bias")
  raises(function() nn.linear(2, 3, { bias = 1 }) end, "option 'bias': expected a boolean")
  raises(function() nn.linear(2, 3, { in_features = 2 }) end, "'in_features' is given twice")
  raises(function() nn.linear(1, 2, true, "f32", 5) end, "linear: takes at most 4 options")
  raises(function() nn.dropout(2) end, "dropout", "p")
end)

test("forward, parameters and their gradients", function()
  local layer = nn.linear(2, 1)
  sel.no_grad(function()
    layer.weight:copy_(sel.tensor { { 1, 2 } })
    layer.bias:fill_(3)
  end)
  near(layer(sel.tensor { { 10, 100 } }), { { 213 } })
  layer(sel.tensor { { 10, 100 } }):sum():backward()
  near(layer.weight.grad, { { 10, 100 } })
  equal(layer.weight == layer.weight, true)
end)

test("a layer of two inputs", function()
  equal(nn.bilinear(2, 3, 4)(sel.ones(5, 2), sel.ones(5, 3)):shape(), { 5, 4 })
  raises(function() nn.bilinear(2, 3, 4)(sel.ones(5, 2)) end, "bilinear")
  raises(function() nn.linear(1, 1)("x") end,
         "linear: argument 1 (input): expected a tensor", '"x"')
  raises(function() nn.bilinear(1, 1, 1)(sel.ones(1), sel.ones(1), sel.ones(1)) end,
         "bilinear: takes at most 2 inputs")
end)

test("inputs by name", function()
  local layer, x, h, c = nn.lstm_cell(2, 3), sel.randn(1, 2), sel.randn(1, 3), sel.randn(1, 3)
  local new_h, new_c = layer(x, h, c)
  local named_h, named_c = layer(x, { c = c, h = h })
  equal(named_h:totable(), new_h:totable())
  equal(named_c:totable(), new_c:totable())
  equal(layer { input = x }:totable(), layer(x):totable())
  equal(layer(x, nil, { h = h }):totable(), layer(x, h):totable())
  raises(function() layer(x, { d = c }) end, "lstm_cell: no input 'd'; there are: input, h, c")
  raises(function() layer(x, h, { h = h }) end, "lstm_cell: input 'h' is given twice")
  raises(function() layer(x, { h = 1 }) end, "argument 2 (h): expected a tensor, got")
  raises(function() layer({ h = h }) end, "input 1 (input, ", "is missing")
  raises(function() layer(x, { h, c }) end, "no input '1'")
end)

test("parameters can be replaced", function()
  local layer = nn.linear(2, 2, { bias = false })
  layer.weight = nn.parameter(sel.eye(2))
  near(layer(sel.tensor { { 3, 4 } }), { { 3, 4 } })
  equal(layer.weight.requires_grad, true)
  raises(function() layer.weight = 3 end, "linear.weight: expected a tensor")
  raises(function() layer.wieght = sel.eye(2) end, "no parameter or buffer 'wieght'")
end)

test("dropout depends on training", function()
  local layer = nn.dropout(0.5)
  sel.manual_seed(1)
  local dropped = layer(sel.ones(1000)):eq(0):sum():item()
  assert(dropped > 400 and dropped < 600)
  layer:eval()
  equal(layer(sel.ones(10)):sum():item(), 10)
  equal(layer.training, false)
end)

test("layers can be made from any registered type and print themselves", function()
  for _, name in ipairs { "relu", "gelu", "sigmoid", "tanh", "softmax", "identity", "flatten" } do
    assert(tostring(nn[name]()):find("^" .. name .. "%("), name)
  end
  equal(tostring(nn.linear(2, 3)), "linear(in_features=2, out_features=3)")
end)
