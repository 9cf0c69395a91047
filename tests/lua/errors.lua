-- Where errors point: the user's line, the path to the layer.

local sel = require "selenite"
local nn = sel.nn
local check = require "check"
local test, equal, contains, raises = check.test, check.equal, check.contains, check.raises

test("the path to a layer in nested modules", function()
  local Block = nn.module "Block"
  function Block:init() self.inner = nn.sequential(nn.relu(), nn.linear(3, 4)) end
  function Block:forward(x) return self.inner(x) end
  local Net = nn.module "Net"
  function Net:init() self.encoder = { Block(), Block() } end
  function Net:forward(x) return self.encoder[2](x) end
  local net = Net()
  raises(function() net(sel.ones(2, 5)) end, "encoder.1.inner.1 (linear): ", "linear", "[2, 5]")
  raises(function() net() end, "encoder.1.inner.0 (relu)", "expected a tensor, got nothing")
end)

test("an error inside a user's forward is at the user's line", function()
  local Bad = nn.module "Bad"
  local line
  function Bad:forward(x) -- luacheck: ignore self
    line = debug.getinfo(1, "l").currentline + 1
    return x + sel.ones(7)
  end
  local bad = Bad()
  local _, message = pcall(function() return bad(sel.ones(2)) end)
  contains(message, ("errors.lua:%d: Bad: add"):format(line))
end)

test("outside of modules there is no path", function()
  local _, message = pcall(function() return sel.ones(2) + sel.ones(3) end)
  contains(message, "errors.lua")
  equal(message:match ": (%a+):", "add")
end)

test("errors pass through no_grad and scope unchanged", function()
  local value = {}
  local ok, got = pcall(sel.no_grad, function() error(value) end)
  equal({ ok, got == value }, { false, true })
  ok, got = pcall(sel.scope, function() error("plain", 0) end)
  equal({ ok, got }, { false, "plain" })
end)
