-- JSON: the same text for the same values, every bit of a number, and refusals that name the place.

local json = require "selenite.json"
local check = require "check"
local test, equal, raises = check.test, check.equal, check.raises

test("text is sorted, without spaces, and exact", function()
  equal(json.encode { b = 1, a = { 1, 2.5, true, "x" }, c = {} },
        '{"a":[1,2.5,true,"x"],"b":1,"c":{}}')
  equal(json.encode(0.1), "0.10000000000000001")
  equal(json.encode { 0 / 0, math.huge, -math.huge }, "[NaN,Infinity,-Infinity]")
  equal(json.encode 'a "b"\\\n\1', '"a \\"b\\"\\\\\\n\\u0001"')
end)

test("what was written is read back", function()
  local value = { list = { 1, 2, { deep = "x\n\"y\"" } }, pi = math.pi, off = false, none = {} }
  local back = json.decode(json.encode(value))
  equal(json.encode(back), json.encode(value))
  equal(back.pi, math.pi)
  equal(json.decode "[1e-320]"[1], 1e-320)
  assert(json.decode "NaN" ~= json.decode "NaN")
  equal(json.decode "-Infinity", -math.huge)
end)

test("other writers' texts", function()
  local value = json.decode
    ' { "a" : [ 1 , -2.5e3 ] , "b":null,\n"c":"\\u00e9\\ud83d\\ude00\\/" }\t'
  equal(value.a, { 1, -2500 })
  equal(value.b, nil)
  equal(value.c, "\195\169\240\159\152\128/")
end)

test("what is no JSON is refused with its place", function()
  for text, message in pairs {
    [""] = "a value at byte 1", ["{"] = "a name in quotes at byte 2",
    ["[1,]"] = "a value at byte 4", ["[1 2]"] = "',' or ']' at byte 4",
    ['{"a" 1}'] = "':' at byte 6", ["1 x"] = "the end at byte 3",
    ['"abc'] = "the end of a string at byte 5", ['"\\x"'] = "an escape such as \\n at byte 2",
    ['"\\u12g4"'] = "four hexadecimal digits at byte 2", ["nul"] = "a value at byte 1",
    ["1.2.3"] = "a value at byte 1", ["os.exit()"] = "a value at byte 1",
  } do
    raises(function() json.decode(text) end, "json: expected " .. message)
  end
  raises(function() json.decode(("["):rep(100000)) end, "at most 200 tables")
  raises(function() json.decode(5) end, "json: argument 1 (text): expected a string")
  raises(function() json.encode { [1.5] = 1 } end, "got the key the number 1.5")
  raises(function() json.encode(print) end, "expected a number, text, boolean or table")
end)
