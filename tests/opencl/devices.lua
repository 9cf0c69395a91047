-- Naming devices, moving to them, and what may not be mixed.

local sel = require "selenite"
local check = require "check"
local test, equal, near, contains, raises = check.test, check.equal, check.near, check.contains,
                                            check.raises
local nn = sel.nn

-- Files of libraries that are in this process's memory.
local function mapped(name)
  local file = assert(io.open "/proc/self/maps")
  local text = file:read "*a"
  file:close()
  return text:find(name, 1, true) ~= nil
end

test("a program that computes on the cpu loads neither OpenCL nor CLBlast", function()
  sel.randn(1000, 1000):matmul(sel.randn(1000, 1000)):sum():item()
  require("selenite.memory").collect()
  assert(mapped "/opencl.so" and not mapped "libOpenCL" and not mapped "libclblast")
end)

local found = {}
for _, device in ipairs(sel.devices()) do
  if device.name:match "^opencl" then found[#found + 1] = device end
end
if not found[1].available then
  print("opencl: " .. found[1].reason)
  os.exit(77)
end

test("sel.devices", function()
  local devices = sel.devices()
  equal(devices[1].name, "cpu")
  equal(found[1].name, "opencl")
  for _, device in ipairs(devices) do
    assert(device.available and device.memory > 2 ^ 20 and #device.summary > 0)
  end
  contains(tostring(devices), "cpu: ", "\nopencl: ", " GiB")
end)

test("tensors go there and back", function()
  local x = sel.randn(5, 7)
  local y = x:to "opencl"
  equal(y:device(), "opencl")
  equal(y:to("cpu"):totable(), x:totable())
  equal(y:t():contiguous():to("cpu"):totable(), x:t():contiguous():totable())
  equal(x:to("opencl:0"):device(), "opencl")
  equal(sel.zeros(2, { device = "opencl" }):device(), "opencl")
  equal(sel.zeros_like(y):device(), "opencl")
  contains(tostring(y), "opencl")
end)

test("models go there and back, and compute the same", function()
  local x, outputs, gradients = sel.randn(6, 8), {}, {}
  local model = nn.sequential(nn.linear(8, 5), nn.tanh(), nn.linear(5, 3))
  for _, device in ipairs { "cpu", "opencl", "cpu" } do
    model:to(device)
    for _, parameter in ipairs(model:parameters()) do equal(parameter:device(), device) end
    local y = model(x:to(device))
    y:square():sum():backward()
    outputs[#outputs + 1] = y:to("cpu"):totable()
    gradients[#gradients + 1] = model[1].weight.grad:to("cpu"):totable()
    model:zero_grad()
  end
  near(outputs[2], outputs[1], 1e-5)
  near(gradients[2], gradients[1], 1e-5)
  near(outputs[3], outputs[1], 0)
end)

test("the same seed draws the same numbers", function()
  sel.manual_seed(7)
  local on_cpu = sel.rand(100)
  sel.manual_seed(7)
  equal(sel.rand(100, { device = "opencl" }):to("cpu"):totable(), on_cpu:totable())
end)

test("f16 and bf16 are storage", function()
  local x = sel.randn(3, 4)
  for _, dtype in ipairs { "f16", "bf16" } do
    local here, there = x:to(dtype), x:to("opencl"):to(dtype)
    equal(there:to("cpu"):to("f32"):totable(), here:to("f32"):totable())
    equal((there + there):to("cpu"):to("f32"):totable(), (here + here):to("f32"):totable())
  end
end)

test("a device that is not there", function()
  local name = "opencl:" .. #found
  raises(function() sel.ones(2):to(name) end, name, "only " .. #found .. " device")
  raises(function() sel.ones(2):to "opencl:x" end, "number after ':'")
end)

test("devices are not mixed", function()
  local x, y = sel.ones(2, 2), sel.ones(2, 2, { device = "opencl" })
  raises(function() return x + y end, "add", "different devices", "cpu and opencl", 'to("cpu")')
  raises(function() y:matmul(x) end, "matmul", "opencl and cpu", 'to("opencl")')
  raises(function() nn.linear(2, 2)(y) end, "linear", "opencl", "cpu")
  raises(function() x:add_(y) end, "add", "cpu and opencl")
  equal((x + x):sum():item() + (y + y):sum():item(), 16)
end)

-- A child process, as the environment is read at the start.
local function child(environment, code)
  return check.run(("%s %s -e %s"):format(environment, check.program,
                                          check.quote('local sel = require "selenite" ' .. code)))
end

test("SELENITE_DEVICE", function()
  local output, status = child("SELENITE_DEVICE=opencl", [[
    print(sel.default_device(), sel.zeros(2):device(), sel.nn.linear(2, 2).weight:device(),
          sel.options({ device = sel.default_device() }).device)]])
  contains(output, "opencl\topencl\topencl\topencl\n")
  equal(status, 0)
end)

-- PoCL can offer the processor twice.
test("two devices", function()
  local output, status = child("POCL_DEVICES='pthread basic'", [[
    local names = {}
    for i, device in ipairs(sel.devices()) do names[i] = device.name end
    print(table.concat(names, " "))
    if #names < 3 then return end
    local x = sel.arange(4):to "opencl"
    local y = x:to "opencl:1"
    print(y:device(), (y + y):sum():item(), (x + x):sum():item())
    print(pcall(function() return x + y end))]])
  equal(status, 0)
  if output:match "^cpu opencl opencl:1\n" then
    contains(output, "opencl:1\t12\t12\n", "false\t", "different devices, opencl and opencl:1")
  else
    contains(sel.devices()[2].summary, "") -- not PoCL: nothing to see
    assert(not found[1].summary:find("pocl", 1, true), output)
  end
end)

test("the processor's products need no CLBlast", function()
  if not found[1].summary:find("pocl", 1, true) then return end
  local x, y = sel.randn(20, 30, { device = "opencl" }), sel.randn(30, 5, { device = "opencl" })
  x:matmul(y):sum():item()
  assert(mapped "libOpenCL" and not mapped "libclblast")
end)
