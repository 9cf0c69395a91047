-- The records of TensorFlow's files: length, its checksum, data, its checksum. A reader stops at a
-- record that is cut off, so that a file whose writer was killed is read up to there.
-- https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/lib/io/record_writer.h

local ffi = require "ffi"
local bit = require "bit"

local bxor, band, rshift, lshift = bit.bxor, bit.band, bit.rshift, bit.lshift

-- CRC-32C (Castagnoli; RFC 3720, appendix B.4), by table.
local crc_table = ffi.new "int32_t[256]"
for i = 0, 255 do
  local crc = i
  for _ = 1, 8 do
    crc = band(crc, 1) == 1 and bxor(rshift(crc, 1), 0x82F63B78) or rshift(crc, 1)
  end
  crc_table[i] = crc
end

-- CRC-32C of a string, as a 32-bit number (signed, as bit operations have it).
local function crc32c(text)
  local bytes = ffi.cast("const uint8_t *", text)
  local crc = -1
  for i = 0, #text - 1 do
    crc = bxor(rshift(crc, 8), crc_table[band(bxor(crc, bytes[i]), 255)])
  end
  return bit.bnot(crc)
end

local function little_endian(word)
  return string.char(band(word, 255), band(rshift(word, 8), 255), band(rshift(word, 16), 255),
                     rshift(word, 24))
end

-- Rotated and shifted by a constant, so that the checksum of data that holds checksums is none of
-- theirs.
local function masked(text)
  local crc = crc32c(text)
  return little_endian(bit.tobit(bit.bor(rshift(crc, 15), lshift(crc, 17)) + 0xA282EAD8))
end

-- The bytes of a record that holds `data`, a string below 4 GB.
local function record(data)
  local length = little_endian(bit.tobit(#data)) .. "\0\0\0\0"
  return length .. masked(length) .. data .. masked(data)
end

return { record = record, crc32c = crc32c }
