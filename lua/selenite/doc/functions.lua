-- A Markdown page with every public function and method: how it is called, and the first sentence
-- of its comment.

local sel = require "selenite"
local module = require "selenite.nn.module"
local tensor = require "selenite.tensor"
local losses = require "selenite.losses"
local comments = require "selenite.doc.comments"

local M = {}

local head = [[
# Functions and methods

Every public name with the first sentence of its comment. `?sel.topk` at [the prompt](repl.md) shows
the whole. Layer types have [a page of their own](layers.md). This page is made by `selenite doc
functions`.
]]

-- ---- what a function is ----

-- The comment without the calls it begins with, and the path and arguments of that among them which
-- is of `name`.
local function without_calls(comment, name)
  local own_path, own, rest = nil, nil, comment
  while true do
    local path, arguments, after = rest:match "^([%w_]+[.:][%w_.:]+)(%b())(.*)$"
    if not path then
      path, arguments, after = rest:match "^([%w_]+[.:][%w_.:]+)(%b{})(.*)$"
    end
    if not path then break end
    if path:match "[%w_]+$" == name and not own then own_path, own = path, arguments end
    rest = after:match "^, (.*)$" or after:match "^: (.*)$" or after
    if not after:find "^, " then break end
  end
  return rest, own_path, own
end

local function first_sentence(text)
  text = text:gsub("et al%.", "et al\1")
  local sentence = text:match "^(.-[%w)%]}'\"`])%.%s" or text:match "^(.*[^.])%.$" or text
  return (sentence:gsub("\1", "."))
end

local function cell(text)
  return (text:gsub("|", "\\|"):gsub("%s+", " "):gsub("^ ", ""):gsub("%*", "\\*"))
end

-- What stands in front of the name, the arguments in brackets, and the first sentence.
local function describe(fn, name, prefix)
  local comment, parameters
  if type(fn) == "function" then
    fn = comments.unwrapped(fn)
    comment, parameters = comments.comment(fn, name), "(" .. comments.parameters(fn) .. ")"
  else
    parameters = "(...)" -- a class
    local loss = losses.list[name] and name or name:match "^(.*)_loss$"
    comment = losses.list[loss] and losses.explain(loss)
  end
  comment = (comment or comments.anywhere(name) or ""):gsub("%s+", " ")
  local text, path, own = without_calls(comment, name)
  if prefix:sub(-1) == ":" then parameters = parameters:gsub("^%([%w_]+,? ?", "(") end
  if own and own ~= "()" then parameters = own end
  if prefix == "x:" and path and path:find "^sel%." then prefix = "sel." end -- such as sel.cat
  return prefix, (parameters:gsub("1/0", "inf")), first_sentence(text)
end

-- ---- lists ----

local function is_callable(value)
  return type(value) == "function"
    or type(value) == "table" and (getmetatable(value) or {}).__call ~= nil
end

-- Adds a section for the callable fields of `fields`; prefix is what stands in front of a name.
local function add_section(lines, title, prefix, fields, leave_out)
  local names = {}
  for name, value in pairs(fields) do
    local hidden = leave_out and leave_out[name] or type(name) ~= "string" or name:find "^_"
    if not hidden and is_callable(value) then names[#names + 1] = name end
  end
  table.sort(names)
  lines[#lines + 1] = ("## %s\n\n| | |\n|---|---|"):format(title)
  for _, name in ipairs(names) do
    local base = name:match "^(.*[^_])_$"
    if not (base and is_callable(rawget(fields, base))) then
      local path, parameters, text = describe(fields[name], name, prefix)
      if is_callable(rawget(fields, name .. "_")) then
        text = ("%s (in place: `%s_`)"):format(text, name)
      end
      lines[#lines + 1] = ("| `%s%s%s` | %s |"):format(path, name, cell(parameters), cell(text))
    end
  end
  lines[#lines + 1] = ""
end

-- The methods behind an object, those of what its class is derived from too.
local function methods_of(object)
  local methods, meta = {}, getmetatable(object)
  while meta and type(meta.__index) == "table" do
    for name, method in next, meta.__index do methods[name] = methods[name] or method end
    meta = getmetatable(meta.__index)
  end
  return methods
end

function M.page()
  local lines = { head }
  local weight = sel.ones(1, { requires_grad = true })
  local set = sel.data.tensor_dataset(sel.zeros(1))
  local optimizer = sel.optim.sgd({ weight }, { lr = 1 })
  add_section(lines, "sel", "sel.", sel, tensor.methods)
  add_section(lines, "Tensors: x:name(...), or sel.name(x, ...)", "x:", tensor.methods)
  add_section(lines, "sel.nn", "nn.", sel.nn)
  add_section(lines, "sel.nn.init", "nn.init.", sel.nn.init)
  add_section(lines, "Modules", "m:", module.methods,
              { each_slot = true, set_training = true, text = true, init = true, forward = true })
  add_section(lines, "sel.optim", "optim.", sel.optim)
  add_section(lines, "Optimizers", "optimizer:", methods_of(optimizer))
  add_section(lines, "Schedules", "schedule:",
              methods_of(sel.optim.exponential_lr(optimizer, { gamma = 1 })),
              { rate = true, apply = true })
  add_section(lines, "sel.data", "data.", sel.data)
  add_section(lines, "Data sets", "dataset:", methods_of(set))
  add_section(lines, "Loaders", "loader:", methods_of(sel.data.loader(set)))
  add_section(lines, "sel.metrics", "metrics.", sel.metrics)
  add_section(lines, "sel.plot", "sel.plot.", sel.plot)
  return table.concat(lines, "\n"):match "^(.-)%s*$" .. "\n"
end

return M
