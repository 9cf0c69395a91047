-- A value as the prompt shows it: tensors cut, with what their numbers are like; tables sorted and
-- a few levels deep; strings quoted.

local errors = require "selenite.errors"
local autograd = require "selenite.autograd"
local arguments = require "selenite.arguments"
local module = require "selenite.nn.module"
local colour = require "selenite.repl.colour"
local tensor_text = require "selenite.print"

local CUT = 100      -- elements of a tensor from which the middle is left out
local DEPTH = 3      -- levels of tables
local MOST = 40      -- entries of a table
local WIDTH = 90     -- columns up to which a table stays on one line
local LONGEST = 2000 -- bytes of a string; a tenth inside tables

local is_tensor = arguments.is_tensor
local M = {}

-- ---- tensors ----

local function number_text(value)
  if type(value) == "boolean" then return tostring(value) end
  return ("%.4g"):format(value)
end

-- "min -1.2  mean 0.03  max 2.1", also of whole numbers and booleans; "" for what has no numbers.
local function statistics(x)
  if x:numel() < 2 then return "" end
  return autograd.no_grad(function()
    local values = x:detach()
    if values:dtype() ~= "f64" then
      values = values:to(values:dtype() == "f32" and "f32" or "f64")
    end
    return ("min %s  mean %s  max %s"):format(number_text(values:min():item()),
                                              number_text(values:mean():item()),
                                              number_text(values:max():item()))
  end)
end

local function show_tensor(x)
  local text = tensor_text(x, CUT)
  local ok, numbers = errors.protect(statistics, x)
  local head, last = text:match "^(.*)\n([^\n]*)$"
  if not head then head, last = nil, text end
  local notes = { last }
  if x.grad ~= nil then notes[#notes + 1] = "has grad" end
  if ok and numbers ~= "" then notes[#notes + 1] = numbers end
  last = colour.grey(table.concat(notes, "  "))
  return head and head .. "\n" .. last or last
end

-- ---- other values ----

local function show_string(text, longest)
  local shown = text:sub(1, longest)
  shown = ("%q"):format(shown):gsub("\\\n", "\\n"):gsub("\r", "\\r"):gsub("\t", "\\t")
  if #text > longest then shown = ("%s ... (%d bytes)"):format(shown, #text) end
  return shown
end

-- Inside tables a file's name is enough.
local function show_function(fn, depth)
  local info = debug.getinfo(fn, "S")
  if info.what == "C" then return "function, built in" end
  local source = depth == 1 and info.short_src or info.short_src:match "[^/]*$"
  return ("function of %s:%d"):format(source, info.linedefined)
end

-- The name of a class of modules, nil for other tables.
local function class_name(t)
  local fn = rawget(t, "class_name")
  return type(fn) == "function" and not module.is_module(t) and fn() or nil
end

local show_table

local function show(value, depth, path)
  local kind = type(value)
  if is_tensor(value) then
    return depth == 1 and show_tensor(value) or colour.cyan(errors.describe(value):gsub("^a ", ""))
  elseif kind == "string" then
    return colour.green(show_string(value, depth == 1 and LONGEST or LONGEST / 10))
  elseif kind == "function" then
    return colour.cyan(show_function(value, depth))
  elseif kind == "table" and depth > 1 and class_name(value) then
    return colour.cyan("class " .. class_name(value))
  elseif kind == "table" and not (debug.getmetatable(value) or {}).__tostring then
    return show_table(value, depth, path)
  end
  return tostring(value)
end

-- Numbers before strings before the rest, each in order.
local function before(a, b)
  local kind_a, kind_b = type(a), type(b)
  if kind_a == kind_b and (kind_a == "number" or kind_a == "string") then return a < b end
  if kind_a == kind_b then return tostring(a) < tostring(b) end
  if kind_a == "number" or kind_b == "number" then return kind_a == "number" end
  if kind_a == "string" or kind_b == "string" then return kind_a == "string" end
  return kind_a < kind_b
end

local function key_text(key)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" then return key end
  return type(key) == "string" and ("[%q]"):format(key) or ("[%s]"):format(tostring(key))
end

-- Entries as texts, `path` being the tables around.
local function entries_of(t, depth, path)
  local keys, list, length = {}, {}, #t
  for key in next, t do keys[#keys + 1] = key end
  table.sort(keys, before)
  for i = 1, math.min(#keys, MOST) do
    local key = keys[i]
    local text = show(rawget(t, key), depth + 1, path)
    local in_list = type(key) == "number" and key >= 1 and key <= length and key % 1 == 0
    list[i] = in_list and text or key_text(key) .. " = " .. text
  end
  if #keys > MOST then list[#list + 1] = ("... (%d more)"):format(#keys - MOST) end
  return list
end

-- Columns of a text: colours take none.
local function columns(text) return #text:gsub("\27%[%d*m", "") end

function show_table(t, depth, path)
  if path[t] then return "{ itself }" end
  if next(t) == nil then return "{}" end
  if depth > DEPTH then return "{ ... }" end
  path[t] = true
  local list = entries_of(t, depth, path)
  path[t] = nil
  local line = "{ " .. table.concat(list, ", ") .. " }"
  if columns(line) + 2 * depth <= WIDTH and not line:find "\n" then return line end
  local indent = ("  "):rep(depth)
  return "{\n" .. indent .. table.concat(list, ",\n" .. indent) .. "\n" .. indent:sub(3) .. "}"
end

-- Text of one value; never raises, whatever a __tostring does.
function M.text(value)
  local ok, text = pcall(show, value, 1, {})
  return ok and text or ("(%s that can't be shown: %s)"):format(type(value), tostring(text))
end

-- One line for lists of variables.
function M.summary(value)
  if is_tensor(value) then return (errors.describe(value):gsub("^a tensor ", "")) end
  if module.is_module(value) then return (tostring(value):match "^[^\n(]*" .. "(...)") end
  if type(value) == "table" and not debug.getmetatable(value) then
    local count = 0
    for _ in next, value do count = count + 1 end
    return ("%d entries"):format(count)
  end
  local line = M.text(value):match "^[^\n]*"
  return #line > 60 and line:sub(1, 57) .. "..." or line
end

-- Text of the n values of a list, nil for none.
function M.values(values, n)
  if n == 0 then return nil end
  local texts, separator = {}, "\t"
  for i = 1, n do
    texts[i] = M.text(values[i])
    if texts[i]:find "\n" then separator = "\n" end
  end
  return table.concat(texts, separator)
end

return M
