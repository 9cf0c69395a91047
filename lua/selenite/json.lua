-- JSON (RFC 8259), as text that is the same for the same values.
--
-- Objects become tables with strings as keys, arrays lists; an empty table is written as an object.
-- Numbers keep every bit of a double, and NaN, Infinity and -Infinity stand for themselves, as in
-- Python's json. null is read as nil: what holds it lacks the value.

local errors = require "selenite.errors"

local M = {}

-- ---- writing ----

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function quote(text)
  return '"' .. text:gsub('[%c"\\]', function(character)
    return escapes[character] or ("\\u%04x"):format(character:byte())
  end) .. '"'
end

local function number_text(value)
  if value ~= value then return "NaN" end
  if value == math.huge then return "Infinity" end
  if value == -math.huge then return "-Infinity" end
  return ("%.17g"):format(value)
end

local encode

local function encode_table(value)
  local parts = {}
  if #value > 0 then
    for i = 1, #value do parts[i] = encode(value[i]) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  local keys = {}
  for key in pairs(value) do
    if type(key) ~= "string" then
      errors.raise("json: expected a list, or a table with strings as keys, got the key "
                   .. errors.describe(key))
    end
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for i, key in ipairs(keys) do parts[i] = quote(key) .. ":" .. encode(value[key]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

-- json.encode(value): numbers, texts, booleans, and tables of them, without spaces, keys sorted.
function encode(value)
  local kind = type(value)
  if kind == "number" then return number_text(value) end
  if kind == "string" then return quote(value) end
  if kind == "boolean" then return tostring(value) end
  if kind == "table" then return encode_table(value) end
  errors.raise("json: expected a number, text, boolean or table, got " .. errors.describe(value))
end
M.encode = encode

-- ---- reading ----

local DEEPEST = 200 -- tables inside each other; a file may say anything

local words = { ["true"] = true, ["false"] = false, NaN = 0 / 0, Infinity = math.huge }
local unescaped = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\",
                    ["/"] = "/" }

local function fail(at, expected)
  errors.raise(("json: expected %s at byte %d"):format(expected, at))
end

local function utf8(code)
  if code < 0x80 then return string.char(code) end
  if code < 0x800 then
    return string.char(0xC0 + math.floor(code / 0x40), 0x80 + code % 0x40)
  end
  if code < 0x10000 then
    return string.char(0xE0 + math.floor(code / 0x1000), 0x80 + math.floor(code / 0x40) % 0x40,
                       0x80 + code % 0x40)
  end
  return string.char(0xF0 + math.floor(code / 0x40000), 0x80 + math.floor(code / 0x1000) % 0x40,
                     0x80 + math.floor(code / 0x40) % 0x40, 0x80 + code % 0x40)
end

-- The character of "\u0041" at `at`, of two of them for one beyond the first 65536; and where it
-- ends.
local function unicode_escape(text, at)
  local high = tonumber(text:match("^\\u(%x%x%x%x)", at) or fail(at, "four hexadecimal digits"), 16)
  local low = text:match("^\\u([dD][c-fC-F]%x%x)", at + 6)
  if high >= 0xD800 and high < 0xDC00 and low then
    return utf8(0x10000 + (high - 0xD800) * 0x400 + tonumber(low, 16) - 0xDC00), at + 12
  end
  return utf8(high), at + 6
end

local function decode_string(text, at)
  local parts = {}
  at = at + 1
  while true do
    local plain, stop = text:match('^([^"\\%c]*)()', at)
    parts[#parts + 1] = plain
    at = stop
    local character = text:sub(at, at)
    if character == '"' then return table.concat(parts), at + 1 end
    if character ~= "\\" then fail(at, "the end of a string") end
    local escape = text:sub(at + 1, at + 1)
    if escape == "u" then
      parts[#parts + 1], at = unicode_escape(text, at)
    else
      parts[#parts + 1] = unescaped[escape] or fail(at, "an escape such as \\n")
      at = at + 2
    end
  end
end

local function skip(text, at) return text:match("^[ \t\r\n]*()", at) end

local decode_value

-- The elements of an array or object behind its bracket, each read by read(at), which returns where
-- it ends.
local function each_element(text, at, close, read)
  at = skip(text, at)
  if text:sub(at, at) == close then return at + 1 end
  while true do
    at = skip(text, read(skip(text, at)))
    local character = text:sub(at, at)
    if character == close then return at + 1 end
    if character ~= "," then fail(at, ("',' or '%s'"):format(close)) end
    at = at + 1
  end
end

local function decode_array(text, at, depth)
  local list, n = {}, 0
  return list, each_element(text, at + 1, "]", function(place)
    local value, behind = decode_value(text, place, depth + 1)
    n = n + 1
    list[n] = value
    return behind
  end)
end

local function decode_object(text, at, depth)
  local object = {}
  return object, each_element(text, at + 1, "}", function(place)
    if text:sub(place, place) ~= '"' then fail(place, "a name in quotes") end
    local name, behind = decode_string(text, place)
    behind = skip(text, behind)
    if text:sub(behind, behind) ~= ":" then fail(behind, "':'") end
    object[name], behind = decode_value(text, skip(text, behind + 1), depth + 1)
    return behind
  end)
end

function decode_value(text, at, depth)
  if depth > DEEPEST then fail(at, ("at most %d tables inside each other"):format(DEEPEST)) end
  local first = text:sub(at, at)
  if first == "{" then return decode_object(text, at, depth) end
  if first == "[" then return decode_array(text, at, depth) end
  if first == '"' then return decode_string(text, at) end
  local word, behind = text:match("^(%a+)()", at)
  if word == "null" then return nil, behind end
  if word and words[word] ~= nil then return words[word], behind end
  if text:find("^%-Infinity", at) then return -math.huge, at + 9 end
  local number, stop = text:match("^(%-?%d[%d.eE+-]*)()", at)
  local value = number and tonumber(number)
  if not value then fail(at, "a value") end
  return value, stop
end

-- json.decode(text): the value; an error names the place that is no JSON.
function M.decode(text)
  errors.expect("string", "json", 1, "text", text)
  local value, at = decode_value(text, skip(text, 1), 1)
  at = skip(text, at)
  if at <= #text then fail(at, "the end") end
  return value
end

return M
