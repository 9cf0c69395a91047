-- Plugins built against the first headers of this ABI (abi_1_0/) work in today's host.

local sel = require "selenite"
local check = require "check"
local test, equal, near = check.test, check.equal, check.near

local folder = check.program:match "^'(.*)/selenite'$" .. "/tests/abi_1_0/"

test("a layer of operations", function()
  sel.load_plugin(folder .. "scale.so")
  local layer = sel.nn.scale { features = 2, init = 3 }
  local x = sel.tensor({ { 1, 2 } }, { requires_grad = true })
  layer(x):sum():backward()
  near(layer(x), { { 3, 6 } })
  near(layer.weight.grad, { 1, 2 })
  near(x.grad, { { 3, 3 } })
end)

test("a function with its own backward", function()
  sel.load_plugin(folder .. "squareplus.so")
  local layer = sel.nn.squareplus():to "f64"
  equal(sel.gradcheck(layer, sel.randn(3, 4, { dtype = "f64", requires_grad = true })), true)
end)

test("a backend, whose table is shorter than today's may be", function()
  sel.load_plugin(folder .. "plain.so")
  local x = sel.randn(100)
  equal(x:to("plain"):to("cpu"):eq(x):all():item(), true)
  equal(sel.memory("plain").live >= 0, true)
end)
