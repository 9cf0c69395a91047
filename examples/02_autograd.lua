-- Gradients: a tensor that requires them remembers what was done with it.
--
--   selenite examples/02_autograd.lua

local sel = require "selenite"

-- d(x^2 + 3x)/dx = 2x + 3
local x = sel.tensor({ 1, 2, 3 }, { requires_grad = true })
local y = (x ^ 2 + 3 * x):sum()
y:backward()
print(x.grad)

-- Gradients add up until they are cleared.
local more = (x * 10):sum()
more:backward()
print(x.grad)
x.grad = nil

-- Without touching .grad, and gradients of gradients: d2(x^3)/dx2 = 6x.
local first = sel.grad((x ^ 3):sum(), x, { create_graph = true })
local second = sel.grad(first:sum(), x)
print(first, second)

-- Nothing is recorded inside no_grad; detach leaves the tape behind.
print(sel.no_grad(function() return (x * 2).requires_grad end), (x * 2):detach().requires_grad)

-- A function with a backward of its own: rounds forward, lets the gradient pass backward.
local round = sel.func {
  name = "straight_through_round",
  forward = function(_, value) return value:round() end,
  backward = function(_, gradient) return gradient end,
}
local z = sel.tensor({ 0.4, 1.6 }, { requires_grad = true })
local weighted = round(z) * sel.tensor { 1, 2 }
weighted:sum():backward()
print(round(z), z.grad)

-- Fitting a line by gradient descent, all by hand.
sel.manual_seed(1)
local inputs = sel.rand(100, 1)
local targets = 3 * inputs + 0.5 + 0.01 * sel.randn(100, 1)
local slope = sel.zeros(1, { requires_grad = true })
local offset = sel.zeros(1, { requires_grad = true })
for _ = 1, 500 do
  local loss = ((inputs * slope + offset) - targets):square():mean()
  loss:backward()
  sel.no_grad(function()
    for _, parameter in ipairs { slope, offset } do
      parameter:sub_(parameter.grad * 0.5)
      parameter.grad = nil
    end
  end)
end
print(("slope %.2f, offset %.2f"):format(slope:item(), offset:item()))
