-- `?name` and `??name`: what something is, and its source. Nothing is run to find out.
--
-- Layer types and classes with a description explain themselves (selenite/nn/help.lua); a function
-- is explained by its arguments and its comment (selenite/doc/comments.lua), an operation by core's
-- prototype, too.

local errors = require "selenite.errors"
local arguments = require "selenite.arguments"
local module = require "selenite.nn.module"
local help = require "selenite.nn.help"
local comments = require "selenite.doc.comments"
local names = require "selenite.repl.names"
local show = require "selenite.repl.show"
local sources = require "selenite.repl.sources"

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

local function explain_function(fn, name)
  fn = comments.unwrapped(fn)
  local info = debug.getinfo(fn, "S")
  if info.what == "C" then return name .. "(...): built in" end
  local lines = { ("%s(%s)"):format(name, comments.parameters(fn)) }
  lines[#lines + 1] = comments.comment(fn, name:match "[%w_]+$")
  local operation = comments.operation(fn)
  if operation then
    lines[#lines + 1] = ("operation of core: %s"):format(comments.prototype(operation))
  elseif sources.lines_of(info.source) then
    lines[#lines + 1] = ("from %s:%d"):format(info.short_src, info.linedefined)
  end
  return table.concat(lines, "\n")
end

local function function_source(fn)
  fn = comments.unwrapped(fn)
  local info = debug.getinfo(fn, "S")
  if info.what == "C" then return "built in: there is no Lua source" end
  local lines = sources.lines_of(info.source)
  if not lines then
    local operation = comments.operation(fn)
    return operation
      and ("written in C: %s, in libselenite"):format(comments.prototype(operation))
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
