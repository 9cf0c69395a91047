-- A tensor's methods, fields and operators.

local sel = require "selenite"
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

local function sample() return sel.tensor { { 1, 2, 3 }, { 4, 5, 6 } } end

test("what can be asked", function()
  local t = sample()
  equal(t:shape(), { 2, 3 })
  equal(t:size(2), 3)
  equal(t:size(-2), 2)
  equal(t:dim(), 2)
  equal(t:numel(), 6)
  equal(#t, 2)
  equal(t:stride(), { 3, 1 })
  equal(t:t():stride(1), 1)
  equal(t:device(), "cpu")
  equal(t:is_contiguous(), true)
  equal(t:t():is_contiguous(), false)
  equal(t:is_floating_point(), true)
  equal(t:shares_storage(t:t()), true)
  raises(function() t:size(3) end, "size", "dimension 3 is out of range", "2 dimensions")
  raises(function() return #sel.tensor(1) end, "no length")
end)

test("operators, with numbers on either side", function()
  local a, b = sel.tensor { 1, 2 }, sel.tensor { 3, 5 }
  near(a + b, { 4, 7 })
  near(a - b, { -2, -3 })
  near(a * b, { 3, 10 })
  near(b / a, { 3, 2.5 })
  near(b % 2, { 1, 1 })
  near(b ^ 2, { 9, 25 })
  near(-a, { -1, -2 })
  near(1 + a, { 2, 3 })
  near(1 - a, { 0, -1 })
  near(2 * a, { 2, 4 })
  near(2 / a, { 2, 1 })
  near(2 ^ a, { 2, 4 })
end)

test("== asks for the same tensor, eq compares elements", function()
  local a = sel.tensor { 1, 2 }
  equal(a == a, true)
  equal(a == sel.tensor { 1, 2 }, false)
  equal(a == nil, false)
  equal(a == 1, false)
  equal(a:eq(sel.tensor { 1, 3 }):totable(), { true, false })
  raises(function() return a < a end, "lt(y)")
  raises(function() return a <= 1 end, "le(y)")
end)

test("in place", function()
  local a = sel.tensor { 1, 2 }
  local b = a:add_(1):mul_(2)
  equal(b == a, true)
  near(a, { 4, 6 })
  a:fill_(7)
  near(a, { 7, 7 })
  near(a:zero_(), { 0, 0 })
  a:copy_(sel.tensor { 5, 6 })
  near(a, { 5, 6 })
end)

test("item, get, set, totable", function()
  local t = sample()
  equal(t:get(2, -1), 6)
  equal(t:set(1, 1, 9):get(1, 1), 9)
  equal(sel.tensor(3):item(), 3)
  equal(sel.tensor({ true }):item(), true)
  equal(sel.tensor({ true }):get(1), true)
  raises(function() t:item() end, "item", "[2, 3]")
  raises(function() t:get(1) end, "get: expected 2 positions, got 1")
  raises(function() t:get(3, 1) end, "get: dimension 1: position 3 is out of range for extent 2")
  raises(function() t:get(0, 1) end, "position 0")
  raises(function() t:set(1, 1, "x") end, "set", "a number")
end)

test("data_ptr gives the memory itself", function()
  local t = sel.zeros(3)
  t:data_ptr()[1] = 5
  t:mark_written()
  near(t, { 0, 5, 0 })
end)

test("casts are explicit", function()
  local t = sel.tensor { 1.7, -1.7, 0 }
  equal(t:to("i64"):totable(), { 1, -1, 0 })
  equal(t:bool():totable(), { true, true, false })
  equal(t:double():dtype(), "f64")
  equal(t:half():dtype(), "f16")
  equal(t:bfloat16():float():dtype(), "f32")
  equal(t:to("cpu") == t, true)
  equal(t:to(sel.zeros(1, { dtype = "f64" })):dtype(), "f64")
  equal(t:to("f64", "cpu"):dtype(), "f64")
  raises(function() return t + t:double() end, "add", "f32", "f64")
  raises(function() t:to("moon") end, "to", "moon")
  raises(function() t:to(3) end, "to: argument 1", "a dtype or device name")
  raises(function() return t:long() / t:long() end, "div", "i64")
end)

test("an unknown method or field is named", function()
  local t = sample()
  raises(function() t:frobnicate() end, "a tensor has no method or field 'frobnicate'")
  raises(function() t.colour = 1 end, "no field 'colour'")
end)

test("a freed tensor can't be used", function()
  local t = sample()
  local view = t[1]
  t:free()
  raises(function() return t + 1 end, "add")
  near(view, { 1, 2, 3 })
end)

test("a dot instead of a colon is told, whatever the method", function()
  raises(function() sample().item() end, "item: argument 1 (x): expected a tensor, as in x:item()")
  for name in pairs(require("selenite.tensor").methods) do
    local ok, message = pcall(sample()[name])
    equal(ok, false)
    check.contains(message, name)
  end
end)

test("functions of the module are the methods", function()
  near(sel.relu(sel.tensor { -1, 1 }), { 0, 1 })
  near(sel.add(1, sel.tensor { 1 }), { 2 })
end)
