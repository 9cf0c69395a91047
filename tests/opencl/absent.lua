-- Without a usable OpenCL: all but the device works, and asking for it says what is missing. The
-- surroundings are the test's environment, and so is a part of the reason, SEL_TEST_REASON.

local sel = require "selenite"
local check = require "check"
local test, equal, contains, raises = check.test, check.equal, check.contains, check.raises

local reason = os.getenv "SEL_TEST_REASON"

test("the rest works", function()
  equal(sel.plugin_error, nil)
  local model = sel.nn.linear(3, 2)
  model(sel.randn(4, 3)):sum():backward()
  equal(model.weight.grad:shape(), { 2, 3 })
end)

test("sel.devices says why there is none", function()
  local devices = sel.devices()
  equal(devices[1].name, "cpu")
  assert(devices[1].available and devices[1].memory > 0)
  local opencl = devices[#devices]
  equal(opencl.name, "opencl")
  equal(opencl.available, false)
  contains(opencl.reason, reason, "Debian")
  contains(tostring(opencl), "opencl: not available: ", reason)
end)

test("asking for the device is an error", function()
  local x = sel.ones(2)
  raises(function() x:to "opencl" end, "opencl: no device: ", reason)
  raises(function() x:to "opencl:1" end, "no device: ", reason)
  raises(function() sel.nn.linear(3, 2):to "opencl" end, "no device: ", reason)
  raises(function() sel.zeros(2, { device = "opencl" }) end, "no device: ", reason)
  raises(function() sel.set_default_device "opencl" end, "no device: ", reason)
  equal(sel.default_device(), "cpu")
  equal((x + x):sum():item(), 4)
end)

test("SELENITE_DEVICE=opencl is an error at the start", function()
  local output, status = check.run("SELENITE_DEVICE=opencl " .. check.program ..
                                   " -e 'require \"selenite\" print \"went on\"'")
  equal(status, 1)
  contains(output, "opencl: no device: ", reason)
  assert(not output:find "went on")
end)
