-- Fields of protocol buffers as bytes. A message is its fields one after the other.
-- https://protobuf.dev/programming-guides/encoding/
--
-- Writing is all that is needed, of a dozen messages: this file is shorter than what a library asks
-- for beside it (descriptions of the messages, generated C, a compiler for them at build time).

local ffi = require "ffi"

local M = {}

-- A whole number from 0 to 2^53: seven bits a byte, the lowest first.
local function varint(value)
  local bytes = {}
  while value >= 128 do
    bytes[#bytes + 1] = string.char(value % 128 + 128)
    value = math.floor(value / 128)
  end
  bytes[#bytes + 1] = string.char(value)
  return table.concat(bytes)
end

local VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
local function key(field, kind) return varint(field * 8 + kind) end

local double_out, float_out = ffi.new "double[1]", ffi.new "float[1]"
local function double_bytes(value)
  double_out[0] = value
  return ffi.string(double_out, 8) -- little endian, as core demands of the machine
end

-- int32, int64, bool and enum.
function M.integer(field, value) return key(field, VARINT) .. varint(value) end

function M.double(field, value) return key(field, FIXED64) .. double_bytes(value) end

function M.float(field, value)
  float_out[0] = value
  return key(field, FIXED32) .. ffi.string(float_out, 4)
end

-- string, bytes, and a message that is a field of another.
function M.bytes(field, value) return key(field, BYTES) .. varint(#value) .. value end

-- A message from its fields.
function M.message(field, ...) return M.bytes(field, table.concat { ... }) end

-- repeated double, packed.
function M.doubles(field, list)
  local parts = {}
  for i, value in ipairs(list) do parts[i] = double_bytes(value) end
  return M.bytes(field, table.concat(parts))
end

return M
