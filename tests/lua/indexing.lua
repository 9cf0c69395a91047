-- Square brackets: positions, ranges, masks, writing.

local sel = require "selenite"
local check = require "check"
local test, equal, raises = check.test, check.equal, check.raises

local function sample() return sel.tensor { { 1, 2, 3 }, { 4, 5, 6 }, { 7, 8, 9 } } end

test("a number selects from dim 1", function()
  local x = sample()
  equal(x[1]:totable(), { 1, 2, 3 })
  equal(x[-1]:totable(), { 7, 8, 9 })
  equal(x[2][3]:item(), 6)
  raises(function() return x[4] end, "index", "position 4 is out of range for extent 3")
  raises(function() return x[0] end, "position 0")
  raises(function() return x[1.5] end, "expected a whole number")
  raises(function() return sel.tensor(1)[1] end, "without dimensions")
end)

test("a table gives positions and ranges", function()
  local x = sample()
  equal(x[{ 2, 3 }]:item(), 6)
  equal(x[{ { 1, 2 }, 2 }]:totable(), { 2, 5 })
  equal(x[{ {}, { 2, 3 } }]:totable(), { { 2, 3 }, { 5, 6 }, { 8, 9 } })
  equal(x[{ { 1, 3, 2 } }]:totable(), { { 1, 2, 3 }, { 7, 8, 9 } })
  equal(x[{ { -2, -1 }, -1 }]:totable(), { 6, 9 })
  raises(function() return x[{ 1, 2, 3 }] end, "3 positions or ranges for a tensor of 2 dimensions")
  raises(function() return x[{ "a" }] end, "dimension 1: expected a number or a range")
  raises(function() return x[{ 1, 4 }] end, "dimension 2: position 4")
end)

test("a tensor selects by mask or by row numbers from 0", function()
  local x = sample()
  equal(x[x:gt(7)]:totable(), { 8, 9 })
  equal(x[sel.tensor({ 2, 0 }, { dtype = "i64" })]:totable(), { { 7, 8, 9 }, { 1, 2, 3 } })
end)

test("writing through brackets", function()
  local x = sample()
  x[1] = 0
  x[{ 2, 3 }] = 60
  x[{ {}, 1 }] = sel.tensor { 10, 20, 30 }
  x[x:gt(50)] = -1
  equal(x:totable(), { { 10, 0, 0 }, { 20, 5, -1 }, { 30, 8, 9 } })
  raises(function() x[1] = "x" end, "expected a number or a tensor to write")
  raises(function() x[4] = 1 end, "position 4")
  raises(function() x[1] = sel.ones(2) end, "[2]", "[3]")
end)
