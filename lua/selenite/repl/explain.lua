-- `?name` and `??name`: what something is, and its source. Nothing is run to find out.
--
-- Layer types and classes with a description explain themselves (selenite/nn/help.lua); a function
-- is explained by its arguments and the comment above it, an operation by core's prototype.

local errors = require "selenite.errors"
local library = require "selenite.library"
local arguments = require "selenite.arguments"
local module = require "selenite.nn.module"
local help = require "selenite.nn.help"
local names = require "selenite.repl.names"
local show = require "selenite.repl.show"
local sources = require "selenite.repl.sources"
local prototypes -- read when first needed

local M = {}

-- Where a name without a path is looked for, when no variable is called so.
local places = { "", "sel.", "nn.", "optim.", "data." }

local function find(environment, path)
  for _, place in ipairs(places) do
    local value = names.find(environment, place .. path)
    if value ~= nil then return value, place .. path end
  end
end

-- ---- functions ----

-- The function itself, where a method only checks its first argument (selenite/tensor.lua).
local function unwrapped(fn)
  local info = debug.getinfo(fn, "Su")
  if info.source ~= "@" .. library.folder .. "tensor.lua" then return fn end
  for i = 1, info.nups do
    local name, value = debug.getupvalue(fn, i)
    if name == "fn" and type(value) == "function" then return value end
  end
  return fn
end

local function parameters(fn)
  local info, list = debug.getinfo(fn, "u"), {}
  for i = 1, info.nparams do list[i] = debug.getlocal(fn, i) end
  if info.isvararg then list[#list + 1] = "..." end
  return table.concat(list, ", ")
end

-- Comment lines that end right above line `number`.
local function comment_above(lines, number)
  local first = number
  while first > 1 and lines[first - 1]:find "^%s*%-%-" do first = first - 1 end
  local texts = {}
  for i = first, number - 1 do texts[#texts + 1] = lines[i]:match "^%s*%-%-+ ?(.*)$" end
  return #texts > 0 and table.concat(texts, "\n") or nil
end

-- The name of the operation that a generated function runs, nil for other functions.
local function operation_of(info) return info.source:match "%(([%w_]+)%)$" end

local function prototype_text(operation)
  prototypes = prototypes or require "selenite.prototypes"()
  local prototype = prototypes[operation]
  if not prototype then return nil end
  local list = {}
  for i, parameter in ipairs(prototype.parameters) do
    list[i] = (parameter.type .. " " .. parameter.name):gsub("%* ", "*")
  end
  return ("sel_status sel_%s(%s)"):format(operation, table.concat(list, ", "))
end

local function explain_function(fn, name)
  fn = unwrapped(fn)
  local info = debug.getinfo(fn, "S")
  if info.what == "C" then return name .. "(...): built in" end
  local lines = { ("%s(%s)"):format(name, parameters(fn)) }
  local source = sources.lines_of(info.source)
  local operation = operation_of(info)
  if source then
    lines[#lines + 1] = comment_above(source, info.linedefined)
    lines[#lines + 1] = ("from %s:%d"):format(info.short_src, info.linedefined)
  elseif operation then
    lines[#lines + 1] = ("operation of core: %s"):format(prototype_text(operation))
  end
  return table.concat(lines, "\n")
end

local function function_source(fn)
  fn = unwrapped(fn)
  local info = debug.getinfo(fn, "S")
  if info.what == "C" then return "built in: there is no Lua source" end
  local lines = sources.lines_of(info.source)
  if not lines then
    local operation = operation_of(info)
    return operation and ("written in C: %s, in libselenite"):format(prototype_text(operation))
      or "the source is gone"
  end
  local last = math.min(info.lastlinedefined, #lines)
  return ("%s:%d\n%s"):format(info.short_src, info.linedefined,
                              table.concat(lines, "\n", info.linedefined, last))
end

-- ---- tables ----

-- Functions of a class itself, in the order of their source.
local function class_source(class)
  local functions = {}
  for _, field in next, class do
    if type(field) == "function" and debug.getinfo(field, "S").what ~= "C"
      and not errors.is_library(debug.getinfo(field, "S").source) then
      functions[#functions + 1] = field
    end
  end
  table.sort(functions, function(a, b)
    return debug.getinfo(a, "S").linedefined < debug.getinfo(b, "S").linedefined
  end)
  local texts = {}
  for i, fn in ipairs(functions) do texts[i] = function_source(fn) end
  return #texts > 0 and table.concat(texts, "\n\n") or nil
end

local function explain_table(value, name)
  local own = not module.is_module(value) and help.layer(value)
  if own then return own end
  if module.is_module(value) or (debug.getmetatable(value) or {}).__tostring then
    return show.text(value)
  end
  local list, seen = {}, {}
  names.each(value, function(key, field)
    if type(key) == "string" and not seen[key] then
      seen[key] = true
      list[#list + 1] = key .. (type(field) == "function" and "()" or "")
    end
  end)
  if #list == 0 then return show.text(value) end
  table.sort(list)
  return ("%s: a table with %d names\n  %s"):format(name, #list, table.concat(list, " "))
end

-- ---- both ----

local function missing(path)
  return ("nothing is called '%s'; sel.help() lists the layer types, ? the commands"):format(path)
end

-- Text for `?path`.
function M.explain(environment, path)
  local value, name = find(environment, path)
  if value == nil then return missing(path) end
  if type(value) == "function" then return explain_function(value, name) end
  if type(value) == "table" then return explain_table(value, name) end
  return show.text(value)
end

-- Text for `??path`.
function M.source(environment, path)
  local value, name = find(environment, path)
  if value == nil then return missing(path) end
  if type(value) == "function" then return function_source(value) end
  if type(value) == "table" then
    local class = module.is_module(value) and debug.getmetatable(value).__index or value
    local source = type(class) == "table" and class_source(class)
    return source or explain_table(value, name)
  end
  if arguments.is_tensor(value) then return show.text(value) end
  return ("%s is a %s and has no source"):format(path, type(value))
end

return M
