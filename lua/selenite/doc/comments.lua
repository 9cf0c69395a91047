-- What the sources say about a Lua function: its arguments and its comment.
--
-- The comment is the one right above the function. A function that another one made has none there;
-- it is explained by the comment of its file that begins with a call of it, as in "-- x:max(dim):
-- ...". An operation that was made from core's prototype has its comment in the header, a loss its
-- description.

local library = require "selenite.library"
local headers = require "selenite.doc.headers"
local operation_defaults = require "selenite.operation_defaults"
local losses = require "selenite.losses"
local sources = require "selenite.repl.sources"
local prototypes -- read when first needed

local M = {}

-- Where methods are put into a function that only checks their first argument.
local wrapping = { ["@" .. library.folder .. "tensor.lua"] = true,
                   ["@" .. library.folder .. "nn/state.lua"] = true }

-- The function itself, also of a method that stands in such a function.
function M.unwrapped(fn)
  local info = debug.getinfo(fn, "Su")
  if not wrapping[info.source] then return fn end
  for i = 1, info.nups do
    local name, value = debug.getupvalue(fn, i)
    if name == "fn" and type(value) == "function" then return value end
  end
  return fn
end

-- The name of the operation that a generated function runs, nil for other functions.
function M.operation(fn)
  local info = debug.getinfo(fn, "S")
  return not sources.lines_of(info.source) and info.source:match "%(([%w_]+)%)$" or nil
end

-- "a, b, dim = -1": what a function takes.
function M.parameters(fn)
  local operation, defaults = M.operation(fn), operation_defaults.defaults
  local info, list = debug.getinfo(fn, "u"), {}
  for i = 1, info.nparams do
    local name = debug.getlocal(fn, i)
    local default = operation and defaults[operation .. "." .. name]
    list[i] = default and ("%s = %s"):format(name, default) or name
  end
  if info.isvararg then list[#list + 1] = "..." end
  return table.concat(list, ", ")
end

-- The C declaration of an operation.
function M.prototype(operation)
  prototypes = prototypes or require "selenite.prototypes"()
  local prototype = prototypes[operation]
  if not prototype then return nil end
  local list = {}
  for i, parameter in ipairs(prototype.parameters) do
    list[i] = (parameter.type .. " " .. parameter.name):gsub("%* ", "*")
  end
  return ("sel_status sel_%s(%s)"):format(operation, table.concat(list, ", "))
end

-- Comment lines that end right above line `number`, as one text with its line breaks.
local function above(lines, number)
  local first = number
  while first > 1 and lines[first - 1]:find "^%s*%-%-" do first = first - 1 end
  local texts = {}
  for i = first, number - 1 do texts[#texts + 1] = lines[i]:match "^%s*%-%-+ ?(.*)$" end
  return #texts > 0 and table.concat(texts, "\n") or nil
end

-- The comment that begins with a call of `name`; and, in second place, one that has such a call
-- before its colon, or what follows such a call inside of one.
local function that_calls(lines, name)
  local call, later, last_resort = "[.:]" .. name .. "[({]", nil, nil
  for number, line in ipairs(lines) do
    local text = line:match "^%-%-+ ?(.*)$"
    if text and (number == 1 or not lines[number - 1]:find "^%-%-") then
      local last = number
      while lines[last + 1] and lines[last + 1]:find "^%-%-" do last = last + 1 end
      local comment = above(lines, last + 1)
      if comment:find("^[%w_.]+" .. call) then return comment end
      local head = comment:match "^(.-[^%w]):%s" or ""
      if head:find(call) then later = later or comment end
      last_resort = last_resort or comment:match("%f[%w_][%w_]+" .. call .. ".*")
    end
  end
  return nil, later or last_resort
end

-- The comment of the library that begins with a call of `name`, for classes; or nil.
function M.anywhere(name)
  for module_name in pairs(package.loaded) do
    local path = type(module_name) == "string" and module_name:match "^selenite%.?(.*)$"
    path = path and library.folder .. path:gsub("%.", "/")
    local lines = path and (sources.lines(path .. ".lua") or sources.lines(path .. "/init.lua"))
    local comment = lines and (that_calls(lines, name))
    if comment then return comment end
  end
end

-- The comment of a function called `name`, nil where there is none.
function M.comment(fn, name)
  if losses.list[name] and losses.functions[name] == fn then return losses.explain(name) end
  local info = debug.getinfo(fn, "S")
  local lines = sources.lines_of(info.source)
  if lines then
    local exact, loose = that_calls(lines, name)
    return exact or above(lines, info.linedefined) or loose
  end
  local operation = M.operation(fn)
  return operation and headers.comment(operation)
end

return M
