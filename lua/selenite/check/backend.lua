-- The steps of `selenite check` for a plugin that brings a backend: each device keeps bytes, and
-- what it computes agrees with the CPU backend. A kernel that is not there is said, not counted as
-- a fault: a backend may leave out what it likes.

local sel = require "selenite"
local cases = require "selenite.check.case"

local fail = cases.fail
local F32_ERROR = 1e-4 -- relative to the largest element

-- Bytes of every dtype, there and back; also an empty tensor and one number.
local function keeps_bytes(device)
  for _, dtype in ipairs { "f32", "f64", "f16", "bf16", "i64", "i32", "u8", "bool" } do
    for _, shape in ipairs { { 3, 5 }, { 0, 4 }, {}, { 100003 } } do
      local x = sel.ones(shape):to(dtype)
      if #shape > 1 and dtype ~= "bool" then
        x = sel.arange(x:numel()):reshape(unpack(shape)):to(dtype)
      end
      local back = x:to(device):to "cpu"
      if not back:eq(x):all():item() then
        fail("a tensor %s[%s] came back changed", dtype, table.concat(shape, ", "))
      end
    end
  end
end

-- One operation of each kernel family: name and function of two matrices with positive elements.
local operations = {
  { "copy, strided", function(a) return a:transpose(1, 2):contiguous() end },
  { "copy, cast", function(a) return (a * 1):to("f64") end },
  { "pointwise", function(a, b) return (a * b + a):exp():log() end },
  { "reduce", function(a) return a:sum(2) end },
  { "reduce, all", function(a) return a:mean() end },
  { "scan", function(a) return a:cumsum(2) end },
  { "gemm", function(a, b) return a:matmul(b:transpose(1, 2)) end },
  { "index", function(a) return a:index_select(1, sel.tensor({ 2, 0 }, { dtype = "i64" })
                                                      :to(a:device())) end },
  { "sort", function(a) return (a:sort(2)) end },
  { "softmax", function(a) return a:softmax(2) end },
  { "cross_entropy", function(a)
    return sel.cross_entropy(a, sel.zeros(a:shape()[1], { dtype = "i64" }):to(a:device()))
  end },
  { "random", function(a) sel.manual_seed(3) return sel.rand_like(a) end },
  { "norm", function(a) return sel.nn.layer_norm(a:shape()[2]):to(a:device())(a) end },
  { "cell", function(a)
    sel.manual_seed(3)
    return (sel.nn.gru(a:shape()[2], 3):to(a:device())(a:unsqueeze(1)))
  end },
  { "conv", function(a)
    sel.manual_seed(3)
    return sel.nn.conv2d(1, 2, 3):to(a:device())(a:unsqueeze(1):unsqueeze(1))
  end },
  { "pool", function(a) return sel.nn.max_pool2d(2):forward(a:unsqueeze(1):unsqueeze(1)) end },
  { "attention", function(a)
    a = a:unsqueeze(1):unsqueeze(1)
    return sel.nn.scaled_dot_product_attention():forward(a, a, a)
  end },
}

local function agrees(device, operation)
  sel.manual_seed(1)
  local a, b = sel.rand(7, 9) + 0.5, sel.rand(7, 9) + 0.5
  local expected = operation(a, b)
  local ok, got = pcall(operation, a:to(device), b:to(device))
  if not ok then
    got = tostring(got)
    if got:find("has no", 1, true) then return got, true end
    fail("%s", got)
  end
  if got:device() ~= device then fail("the result is on %s", got:device()) end
  cases.same("result", { n = 1, got }, { n = 1, expected }, F32_ERROR)
end

-- The names of the devices of the backends that the plugin brought, known by their prefix.
local function devices_of(name)
  local list = {}
  for _, device in ipairs(sel.devices()) do
    local own = device.name == name or device.name:find(name .. ":", 1, true) == 1
    if own and device.available then list[#list + 1] = device.name end
  end
  return list
end

return function(report, _, name)
  local devices = devices_of(name)
  report:step("has a device", function()
    if #devices == 0 then fail("no device is called %s", name) end
    return table.concat(devices, ", ")
  end)
  for _, device in ipairs(devices) do
    report.heading("device " .. device)
    report:step("keeps bytes", keeps_bytes, device)
    for _, entry in ipairs(operations) do report:step(entry[1], agrees, device, entry[2]) end
    report:step("memory", function()
      local function some()
        for _ = 1, 8 do sel.ones(1000):to(device) end
        require("selenite.memory").collect()
        return sel.memory(device).live
      end
      local before, after = some(), some()
      if after > before then fail("8 tensors left %d bytes behind", after - before) end
    end)
  end
end
