-- The random generator of this thread: sel.manual_seed, and its state as a text that can be kept.
--
-- A state is a seed and how many counters were used since (tensor.h), both of 64 bits: more than a
-- Lua number holds, hence the text.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local arguments = require "selenite.arguments"

local C = library.C
local M = {}

local state = ffi.new "sel_generator"

-- sel.manual_seed(seed): starts the generator of this thread anew; the same seed gives the same
-- numbers on every device and with any number of threads.
function M.manual_seed(seed)
  arguments.integer("manual_seed", 1, "seed", seed)
  C.sel_manual_seed(ffi.cast("int64_t", seed))
end

local function digits(number) return tostring(number):match "^%d+" end -- LuaJIT adds "ULL"

local function number_of(text)
  local value = 0ULL
  for digit in text:gmatch "%d" do value = value * 10 + tonumber(digit) end
  return value
end

-- sel.get_rng_state(): where the generator of this thread stands, as a text;
-- sel.set_rng_state(state) puts it back there, so that the same numbers are drawn again.
function M.get_rng_state()
  C.sel_generator_get(state)
  return digits(state.seed) .. " " .. digits(state.offset)
end
function M.set_rng_state(text)
  local seed, offset = tostring(text):match "^(%d+) (%d+)$"
  if not seed then
    errors.argument("set_rng_state", 1, "state", "what sel.get_rng_state() gave", text)
  end
  state.seed, state.offset = number_of(seed), number_of(offset)
  C.sel_generator_set(state)
end

return M
