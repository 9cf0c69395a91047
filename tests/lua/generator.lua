-- The random generator: seeds, and its state as a text.

local sel = require "selenite"
local check = require "check"
local test, equal, raises = check.test, check.equal, check.raises

test("the same seed gives the same numbers", function()
  sel.manual_seed(7)
  local one = sel.randn(5):totable()
  sel.manual_seed(7)
  equal(sel.randn(5):totable(), one)
end)

test("a state is gone back to", function()
  sel.manual_seed(-1) -- 64 bits set
  equal(sel.get_rng_state(), "18446744073709551615 0")
  sel.randn(3)
  local state = sel.get_rng_state()
  local one = sel.randn(5):totable()
  assert(sel.get_rng_state() ~= state)
  sel.set_rng_state(state)
  equal(sel.get_rng_state(), state)
  equal(sel.randn(5):totable(), one)
end)

test("mistakes", function()
  raises(function() sel.manual_seed "x" end, "manual_seed: argument 1 (seed)")
  for _, state in ipairs { "1", "a b", 3, {} } do
    raises(function() sel.set_rng_state(state) end,
           "set_rng_state: argument 1 (state): expected what sel.get_rng_state() gave")
  end
end)
