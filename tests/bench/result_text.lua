-- The text of a result file: JSON indented for people, numbers to nine digits. selenite.json reads
-- it.

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

-- Text of a value: numbers, words, true and false, lists, objects. An empty table is an object.
return function(value) return encode(value, "") .. "\n" end
