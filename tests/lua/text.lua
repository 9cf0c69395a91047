-- Characters as ids, and the text that comes with Debian.

local sel = require "selenite"
local data = sel.data
local check = require "check"
local test, equal, raises = check.test, check.equal, check.raises

test("a vocabulary has the characters that occur, in the order of their bytes", function()
  local v = data.characters "banana\n"
  equal(v.size, 4)
  local ids = v:encode "nab\n"
  equal(ids:dtype(), "i64")
  equal(ids:totable(), { 3, 1, 2, 0 })
  equal(v:decode(ids), "nab\n")
  equal(v:decode(ids:reshape(2, 2)), "nab\n")
  equal(v:decode { 2, 1 }, "ba")
end)

test("all bytes, and no text at all", function()
  local bytes = {}
  for i = 0, 255 do bytes[i + 1] = string.char(i) end
  local all = table.concat(bytes)
  local v = data.characters(all)
  equal(v.size, 256)
  equal(v:decode(v:encode(all)) == all, true)
  equal(v:encode "":shape(), { 0 })
  equal(v:decode(v:encode ""), "")
end)

test("what is not in the vocabulary", function()
  local v = data.characters "abc"
  raises(function() v:encode "abx" end, "encode: character 3, \"x\", is not in the vocabulary of 3")
  raises(function() v:decode { 0, 3 } end, "decode: id 3 is not in the vocabulary of 3")
  raises(function() v:decode { -1 } end, "decode: id -1")
  raises(function() data.characters "" end, "characters: expected a text")
  raises(function() data.characters(7) end, "characters: argument 1 (text): expected a string")
  raises(function() v:encode(sel.zeros(2)) end, "encode: argument 1 (text): expected a string")
  raises(function() v:decode "abc" end, "decode: argument 1 (ids): expected a table")
end)

test("the King James Bible", function()
  local there = check.run "command -v bible" ~= ""
  if not there then
    raises(function() data.king_james() end, "king_james: the program `bible` is not there")
    return
  end
  local text = data.king_james()
  equal(text:match "In the beginning God created the heaven and the earth%.",
        "In the beginning God created the heaven and the earth.")
  equal(text:match "Amen%.%s*$" ~= nil, true)
  equal(data.characters(text).size < 80, true)
end)
