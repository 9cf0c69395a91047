-- Ids that are out of range: found on the device, raised by the next wait, once; what was asked for
-- meanwhile does no harm.

local sel = require "selenite"
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

local found, message = pcall(sel.set_default_device, "opencl")
if not found then
  print("skipped: " .. message)
  os.exit(77)
end

local function ids(list, dtype) return sel.tensor(list, { dtype = dtype or "i64" }) end

test("the next read names operation, value, position and extent", function()
  local x = sel.randn(5, 3)
  local y = x:index_select(1, ids { 0, 7, 2 })
  raises(function() y:totable() end, "index_select: index 7 at position 1 is outside [0, 5)")
  equal(#y:totable(), 3) -- raised once
end)

test("so does synchronize", function()
  sel.randn(2, 4):gather(2, ids({ { 0, 1 }, { -1, 2 } }, "i32"))
  raises(function() sel.synchronize "opencl" end,
         "gather: index -1 at position 2 is outside [0, 4)")
  sel.synchronize "opencl"
end)

test("a read of another tensor doesn't get its numbers first", function()
  local other = sel.ones(3)
  sel.zeros(4, 2):index_add(1, ids { 4 }, sel.ones(1, 2))
  raises(function() other:totable() end, "index_add: index 4 at position 0 is outside [0, 4)")
  near(other, { 1, 1, 1 })
end)

test("nothing is written for a bad index", function()
  local x = sel.zeros(2, 3):scatter(2, ids { { 1, 3 }, { 0, 2 } }, sel.ones(2, 2))
  raises(function() x:totable() end, "scatter: index 3 at position 1 is outside [0, 3)")
  near(x, { { 0, 1, 0 }, { 1, 0, 1 } })
end)

test("a class id that is none counts as ignored in loss and gradient", function()
  local logits = sel.randn(3, 4, { requires_grad = true })
  local loss = sel.cross_entropy(logits, ids { 1, 4, 2 }, { reduction = "sum" })
  loss:backward()
  raises(function() loss:item() end, "cross_entropy: class id 4 at position 1 is outside [0, 4)")
  local good = logits:detach():index_select(1, ids { 0, 2 })
  near(loss:item(), sel.cross_entropy(good, ids { 1, 2 }, { reduction = "sum" }):item(), 1e-5)
  near(logits.grad[2], { 0, 0, 0, 0 })
end)

test("the first report stays", function()
  local x = sel.randn(5)
  x:index_select(1, ids { 9 })
  x:index_select(1, ids { 8 })
  raises(function() x:totable() end, "index 9")
  sel.synchronize "opencl"
end)

test("a profile that waits for each operation raises it", function()
  raises(function() sel.profile(function() return sel.randn(5):index_select(1, ids { 9 }) end) end,
         "index_select: index 9 at position 0 is outside [0, 5)")
  sel.synchronize "opencl"
end)
