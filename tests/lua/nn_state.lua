-- state_dict and back.

local sel = require "selenite"
local nn = sel.nn
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

local function model()
  local m = nn.sequential(nn.linear(2, 3), nn.relu(), nn.linear(3, 1))
  m:register_buffer("steps", sel.zeros(1))
  m:register_buffer("scratch", sel.zeros(1), false)
  return m
end

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

test("state_dict has PyTorch's names, without tape", function()
  local state = model():state_dict()
  equal(sorted_keys(state), { "0.bias", "0.weight", "2.bias", "2.weight", "steps" })
  equal(state["0.weight"].requires_grad, false)
end)

test("a model comes back through a file", function()
  local a, b = model(), model()
  local path = os.tmpname()
  a.steps:fill_(5)
  sel.save(path, a:state_dict(), { note = "test" })
  local state, metadata = sel.load(path)
  os.remove(path)
  equal(metadata.note, "test")
  equal(b:load_state_dict(state) == b, true)
  near(b[1].weight, a[1].weight:totable())
  near(b.steps, { 5 })
  equal(b[1].weight.requires_grad, true)
  near(b(sel.ones(1, 2)), a(sel.ones(1, 2)):totable())
end)

test("loading converts dtype", function()
  local a, b = model(), model():to("f64")
  b:load_state_dict(a:state_dict())
  equal(b[1].weight:dtype(), "f64")
  near(b[1].weight, a[1].weight:totable())
end)

test("all that doesn't fit is reported, and nothing is written", function()
  local m = model()
  local before = m[1].weight:totable()
  local state = model():state_dict()
  state["2.bias"] = nil
  state["2.weight"] = sel.ones(3, 3)
  state["9.weight"] = sel.ones(1)
  raises(function() m:load_state_dict(state) end, "load_state_dict: the state does not fit",
         "missing: 2.bias", "shape: 2.weight has [3, 3] in the file, [1, 3] in the module",
         "unexpected: 9.weight")
  near(m[1].weight, before)
  raises(function() m:load_state_dict(state, false) end, "shape: 2.weight")
  state["2.weight"] = nil
  m:load_state_dict(state, false)
  near(m[1].weight, state["0.weight"]:totable())
  raises(function() m:load_state_dict(3) end, "load_state_dict: argument 2 (state)")
  raises(function() m:load_state_dict { ["0.weight"] = 1 } end, "no tensor: 0.weight")
end)

test("loading writes into the parameters an optimizer knows", function()
  local m = model()
  local optimizer = sel.optim.sgd(m:parameters(), { lr = 1 })
  m:load_state_dict(model():state_dict())
  local before = m[1].weight:totable()
  m(sel.ones(1, 2)):sum():backward()
  local gradient = m[1].weight.grad
  optimizer:step()
  near(m[1].weight + gradient, before)
end)
