-- A plugin that brings its kernel as text computes on the device what its loops compute on the cpu.

local sel = require "selenite"
local check = require "check"
local test, near = check.test, check.near

if not pcall(sel.ones, 2, { device = "opencl" }) then os.exit(77) end
sel.load_plugin(os.getenv "SEL_TEST_PLUGIN")

test("values and gradients in both dtypes, in any order", function()
  for _, dtype in ipairs { "f32", "f64" } do
    local x, results = sel.randn(7, 30):to(dtype), {}
    for i, device in ipairs { "cpu", "opencl" } do
      local layer, leaf = sel.nn.snake { a = 1.5 }, x:to(device):detach():requires_grad_()
      local y = layer(leaf:t())
      y:square():sum():backward()
      results[i] = { y:detach():to("cpu"):flatten():totable(),
                     leaf.grad:to("cpu"):flatten():totable() }
    end
    local tolerance = dtype == "f32" and 1e-5 or 1e-13
    near(results[2][1], results[1][1], tolerance)
    near(results[2][2], results[1][2], tolerance)
  end
end)
