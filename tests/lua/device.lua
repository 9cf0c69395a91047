-- The device that a test runs on: what SELENITE_TEST_DEVICE names, "opencl" for example; the CPU
-- else. It becomes the default device. Where it isn't there, the process ends as skipped, with the
-- reason.

local sel = require "selenite"

local device = { name = os.getenv "SELENITE_TEST_DEVICE" or "cpu" }

local ok, message = pcall(sel.set_default_device, device.name)
if not ok then
  print("skipped: " .. message)
  os.exit(77)
end

-- sel.load(path) with the tensors on the device.
function device.load(path)
  local tensors, metadata = sel.load(path)
  for name, t in pairs(tensors) do tensors[name] = t:to(device.name) end
  return tensors, metadata
end

return device
