-- Looks names up without running anybody's code: no __index function, no call, only tables, and
-- what the library itself knows of its own objects.

local ffi = require "ffi"
local arguments = require "selenite.arguments"
local module = require "selenite.nn.module"
local layer = require "selenite.nn.layer"
local tensor = require "selenite.tensor"
local nn = require "selenite.nn"

local M = {}

-- Parameters, buffers and children of a module itself.
local function each_slot(m, visit)
  local core = layer.core_layer(m)
  local slots = core and m.each_slot or module.methods.each_slot
  slots(m, function(name, _, value) visit(name, value) end)
end

-- Calls visit(name, value) for the fields of a table, those that its metatable gives behind them.
local function each_field(t, visit)
  for _ = 1, 20 do -- a chain of metatables may be a circle
    for name, value in next, t do visit(name, value) end
    local meta = debug.getmetatable(t)
    t = meta and rawget(meta, "__index")
    if type(t) ~= "table" then return end
  end
end

-- Calls visit(name, value) for all that `value` has; a name may come twice, the first counts.
function M.each(value, visit)
  if arguments.is_tensor(value) then
    for name, method in pairs(tensor.methods) do visit(name, method) end
    for name in pairs(tensor.fields) do visit(name, nil) end
  elseif type(value) == "string" then
    each_field(string, visit)
  elseif type(value) == "table" then
    each_field(value, visit)
    if module.is_module(value) then
      each_slot(value, visit)
      if layer.core_layer(value) then each_field(module.methods, visit) end
    elseif value == nn then
      layer.each_type(function(kind) visit(ffi.string(kind.name), layer.class(kind)) end)
    end
  end
end

-- value[key] in that sense, nil where there is nothing.
function M.field(value, key)
  if arguments.is_tensor(value) then
    local field = tensor.fields[key]
    if field then return field(value) end
    return tensor.methods[key]
  elseif value == nn and layer.find(key) then
    return layer.find(key)
  end
  local found
  M.each(value, function(name, candidate)
    if found == nil and name == key then found = candidate end
  end)
  return found
end

-- The keys of `a.b:c[1]["d"]` as a list, nil for any other text.
function M.keys(path)
  local first, rest = path:match "^%s*([%a_][%w_]*)(.*)$"
  if not first then return nil end
  local keys = { first }
  while not rest:find "^%s*$" do
    local key, after = rest:match "^[.:]([%a_][%w_]*)(.*)$"
    if not key then
      key, after = rest:match "^%[(%d+)%](.*)$"
      key = tonumber(key)
    end
    if not key then key, after = rest:match "^%[[\"']([^\"']*)[\"']%](.*)$" end
    if not key then return nil end
    keys[#keys + 1], rest = key, after
  end
  return keys
end

-- The value of such a path in an environment; nil where a part is missing.
function M.find(environment, path)
  local keys = M.keys(path)
  local value = keys and environment
  for _, key in ipairs(keys or {}) do
    value = M.field(value, key)
    if value == nil then return nil end
  end
  return value
end

return M
