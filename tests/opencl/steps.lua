-- What a step of training gives the device to do: the batch goes there, the loss comes back when it
-- is asked for, and the host waits for nothing else.

local sel = require "selenite"
local check = require "check"
local collect = require "selenite.memory".collect
local nn, optim = sel.nn, sel.optim
local test, equal = check.test, check.equal

local DEVICE = "opencl"
local found, message = pcall(sel.set_default_device, DEVICE)
if not found then
  print("skipped: " .. message)
  os.exit(77)
end

-- How much each counter grew while fn ran.
local function counted(fn)
  local before = sel.device_counters(DEVICE)
  fn()
  local grown = sel.device_counters(DEVICE)
  for name, value in pairs(before) do grown[name] = grown[name] - value end
  return grown
end

local networks = {
  { name = "fully connected", shape = { 16, 20 }, make = function()
    return nn.sequential(nn.linear(20, 32), nn.relu(), nn.dropout(0.2), nn.linear(32, 10))
  end },
  { name = "convolutional", shape = { 8, 1, 12, 12 }, make = function()
    return nn.sequential(
      nn.conv2d(1, 8, 3, { padding = "same", bias = false }), nn.batch_norm2d(8), nn.relu(),
      nn.max_pool2d(2), nn.conv2d(8, 12, 3), nn.relu(), nn.flatten(), nn.linear(12 * 4 * 4, 10))
  end },
}

for _, network in ipairs(networks) do
  local numel = 1
  for _, extent in ipairs(network.shape) do numel = numel * extent end
  local rows = network.shape[1]
  local images = sel.randn(network.shape, { device = "cpu" })
  local labels = sel.arange(0, rows, 1, { dtype = "i64", device = "cpu" }):remainder(10)
  local model = network.make()
  local optimizer = optim.adamw(model:parameters(), { lr = 0.01 })
  local loss

  local function step()
    loss = sel.cross_entropy(model(images:to(DEVICE)), labels:to(DEVICE))
    optimizer:zero_grad()
    loss:backward()
    optimizer:step()
  end
  step() -- the first makes the optimizer's states
  sel.synchronize(DEVICE)

  test(network.name .. ": a step copies the batch and waits for nothing", function()
    local done = counted(step)
    equal({ done.copies_to_device, done.bytes_to_device }, { 2, numel * 4 + rows * 8 })
    equal({ done.copies_to_host, done.waits }, { 0, 0 })
    assert(done.launches > 0)
  end)

  test(network.name .. ": the loss comes back in one wait, with the word that ids were valid",
       function()
    local done = counted(function() loss:item() end)
    equal({ done.waits, done.copies_to_host, done.bytes_to_host }, { 1, 2, 4 + 32 })
    done = counted(function() loss:item() end)
    equal({ done.waits, done.copies_to_host, done.bytes_to_host }, { 1, 1, 4 })
  end)

  test(network.name .. ": all parameters are updated in one launch", function()
    step()
    equal(counted(function() optimizer:step() end).launches, 1)
  end)

  test(network.name .. ": steps ask the driver for no memory", function()
    local function steps(n)
      for _ = 1, n do
        step()
        collect() -- what the step dropped
      end
    end
    steps(3)
    if sel.memory(DEVICE).cached == 0 then return end -- AddressSanitizer: blocks are given back
    local before = sel.memory(DEVICE).allocations
    steps(5)
    equal(sel.memory(DEVICE).allocations, before)
  end)
end

test("what kernels work in is counted", function()
  local x = sel.randn(100, 1000)
  sel.synchronize(DEVICE)
  local before = sel.memory(DEVICE).live
  local values = x:sort(2) -- pairs of 16 bytes, twice
  assert(sel.memory(DEVICE).peak >= before + 2 * 16 * x:numel())
  assert(sel.memory(DEVICE).live < before + 16 * x:numel())
  equal(values:numel(), x:numel())
end)

test("a host far ahead waits for the device now and then", function()
  local x = sel.zeros(10)
  local done = counted(function()
    for _ = 1, 5000 do x:add_(1) end
  end)
  assert(done.launches >= 5000 and done.waits < 10, done.waits .. " waits")
  equal(x:sum():item(), 50000)
end)

test("a profile tells the same", function()
  local x = sel.ones(100)
  local p, y = sel.profile(function() return x + 1 end, { synchronize = false })
  equal({ p.device.launches, p.device.copies, p.device.waits }, { 1, 0, 0 })
  check.contains(tostring(p), "; 1 launches, 0 copies, 0 waits")
  equal(sel.profile(function() return x + 1 end).device.waits, 1)
  equal(y:sum():item(), 200)
end)

test("the cpu counts nothing", function()
  equal(sel.device_counters "cpu", nil)
  sel.set_default_device "cpu"
  equal(sel.profile(function() return sel.ones(3) end).device, nil)
  sel.set_default_device(DEVICE)
end)
