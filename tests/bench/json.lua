-- JSON as the result files use it: numbers, words, true and false, lists, objects. Not a general
-- reader: escapes beyond \" \\ \/ \n \t, and null, are refused.

local json = {}

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\t"] = "\\t" }

local function quote(text) return '"' .. text:gsub('["\\\n\t]', escapes) .. '"' end

local function encode(value, indent)
  if type(value) == "number" then return ("%.9g"):format(value) end
  if type(value) == "string" then return quote(value) end
  if type(value) ~= "table" then return tostring(value) end
  local parts, inner = {}, indent .. " "
  if #value > 0 then
    local flat = type(value[1]) ~= "table"
    for i = 1, #value do parts[i] = encode(value[i], inner) end
    if flat then return "[" .. table.concat(parts, ", ") .. "]" end
    return "[\n" .. inner .. table.concat(parts, ",\n" .. inner) .. "\n" .. indent .. "]"
  end
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys)
  for i, key in ipairs(keys) do parts[i] = quote(key) .. ": " .. encode(value[key], inner) end
  return "{\n" .. inner .. table.concat(parts, ",\n" .. inner) .. "\n" .. indent .. "}"
end

-- Text of a value. An empty table is an object.
function json.encode(value) return encode(value, "") .. "\n" end

local unescape = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", n = "\n", t = "\t" }

local function fail(text, at) error(("not JSON at '%s'"):format(text:sub(at, at + 20)), 0) end

local function skip(text, at) return text:match("^%s*()", at) end

local function decode_string(text, at)
  local parts = {}
  while true do
    local plain, next_at = text:match('^([^"\\]*)()', at)
    parts[#parts + 1] = plain
    local character = text:sub(next_at, next_at)
    if character == '"' then return table.concat(parts), next_at + 1 end
    if character == "" then fail(text, next_at) end
    parts[#parts + 1] = unescape[text:sub(next_at + 1, next_at + 1)] or fail(text, next_at)
    at = next_at + 2
  end
end

local decode

-- The elements between brackets; element(at) reads one and returns the position behind it.
local function each(text, at, close, element)
  at = skip(text, at)
  if text:sub(at, at) == close then return at + 1 end
  while true do
    at = skip(text, element(skip(text, at)))
    local character = text:sub(at, at)
    if character == close then return at + 1 end
    if character ~= "," then fail(text, at) end
    at = at + 1
  end
end

function decode(text, at)
  at = skip(text, at)
  local first = text:sub(at, at)
  if first == '"' then return decode_string(text, at + 1) end
  local result = {}
  if first == "[" then
    return result, each(text, at + 1, "]", function(position)
      local value, behind = decode(text, position)
      result[#result + 1] = value
      return behind
    end)
  elseif first == "{" then
    return result, each(text, at + 1, "}", function(position)
      if text:sub(position, position) ~= '"' then fail(text, position) end
      local key, behind = decode_string(text, position + 1)
      behind = skip(text, behind)
      if text:sub(behind, behind) ~= ":" then fail(text, behind) end
      result[key], behind = decode(text, behind + 1)
      return behind
    end)
  end
  local word, behind = text:match("^([%w+.-]+)()", at)
  if word == "true" or word == "false" then return word == "true", behind end
  if not tonumber(word) then fail(text, at) end
  return tonumber(word), behind
end

-- The value a text stands for; an error when it is none.
function json.decode(text)
  local value, at = decode(text, 1)
  if skip(text, at) <= #text then fail(text, at) end
  return value
end

return json
