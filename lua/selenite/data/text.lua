-- Text as numbers: a vocabulary of characters, and the King James Bible to train on.
--
-- Characters are bytes: text in ASCII gives one id a letter, text in UTF-8 several for a letter
-- outside it.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local arguments = require "selenite.arguments"

local C = library.C
local M = {}
local vocabulary = {}
vocabulary.__index = vocabulary

-- data.characters(text): the vocabulary of the characters that occur in text, in the order of
-- their bytes. vocabulary.size; ids count from 0, as nn.embedding and sel.cross_entropy want them.
function M.characters(text)
  errors.expect("string", "characters", 1, "text", text)
  if #text == 0 then errors.raise "characters: expected a text, got an empty string" end
  local occurs = {}
  for i = 1, #text do occurs[text:byte(i)] = true end
  local self = { size = 0, ids = {}, names = {} }
  for byte = 0, 255 do
    if occurs[byte] then
      self.ids[byte], self.names[self.size] = self.size, string.char(byte)
      self.size = self.size + 1
    end
  end
  return setmetatable(self, vocabulary)
end

-- vocabulary:encode(text): the ids of its characters, i64 [#text], on the CPU.
function vocabulary:encode(text)
  errors.expect("string", "encode", 1, "text", text)
  local ids = ffi.new("int64_t[?]", math.max(#text, 1))
  for i = 1, #text do
    local id = self.ids[text:byte(i)]
    if not id then
      errors.raise(("encode: character %d, %q, is not in the vocabulary of %d characters")
                   :format(i, text:sub(i, i), self.size))
    end
    ids[i - 1] = id
  end
  local shape = arguments.sizes_scratch
  shape[0] = #text
  errors.check(C.sel_from_data(1, shape, C.SEL_I64, arguments.device("encode", "cpu"), ids,
                               8 * #text, memory.out))
  return memory.wrap()
end

-- vocabulary:decode(ids): the text of ids, an i64 tensor of any shape or a table.
function vocabulary:decode(ids)
  if arguments.is_tensor(ids) then ids = ids:reshape(-1):totable() end
  errors.expect("table", "decode", 1, "ids", ids)
  local characters = {}
  for i, id in ipairs(ids) do
    characters[i] = self.names[id]
    if not characters[i] then
      errors.raise(("decode: id %s is not in the vocabulary of %d characters")
                   :format(tostring(id), self.size))
    end
  end
  return table.concat(characters)
end

-- data.king_james(): the King James Bible as the program `bible` prints it, a verse a line; 4.3
-- million characters of ASCII. From Debian's package bible-kjv.
function M.king_james()
  local pipe = io.popen("bible -l9999 gen1:1-rev22:21 2>/dev/null")
  local text = pipe and pipe:read "*a" or ""
  if pipe then pipe:close() end
  if #text < 4000000 then
    errors.raise "king_james: the program `bible` is not there. On Debian: apt install bible-kjv"
  end
  return text
end

return M
