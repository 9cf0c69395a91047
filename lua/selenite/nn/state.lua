-- What can be asked of a module and done to all of its parts: parameters, state_dict, to, train,
-- ...
--
-- Adds methods to those of nn.module, all built on each_slot. Order is that of the fields; names
-- join with dots.

local library = require "selenite.library"
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local arguments = require "selenite.arguments"
local module = require "selenite.nn.module"

local C = library.C
local methods = module.methods

-- visit(name, kind, value, owner, key) for everything in m and below it, children included.
local function walk(m, prefix, visit, seen)
  if seen[m] then return end
  seen[m] = true
  m:each_slot(function(name, kind, value, owner, key)
    name = prefix .. name
    visit(name, kind, value, owner, key)
    if kind == "child" then walk(value, name .. ".", visit, seen) end
  end)
end

-- Iterator over a list of name, value pairs.
local function each(list)
  local i = 0
  return function()
    i = i + 1
    local entry = list[i]
    if entry then return entry[1], entry[2] end
  end
end

local function collect(m, wanted)
  local list, seen = {}, {}
  walk(m, "", function(name, kind, value)
    if not wanted[kind] then return end
    local identity = kind == "child" and value or memory.identity(value)
    if not seen[identity] then
      seen[identity] = true
      list[#list + 1] = { name, value }
    end
  end, {})
  return list
end

-- for name, parameter in m:named_parameters() do: each parameter once.
function methods.named_parameters(m) return each(collect(m, { parameter = true })) end

-- m:parameters(): list of them.
function methods.parameters(m)
  local list = collect(m, { parameter = true })
  for i = 1, #list do list[i] = list[i][2] end
  return list
end

-- for name, buffer in m:named_buffers() do
function methods.named_buffers(m) return each(collect(m, { buffer = true, scratch = true })) end

-- for name, child in m:named_modules() do: all modules below m, and m itself under the name "".
function methods.named_modules(m)
  local list = collect(m, { child = true })
  table.insert(list, 1, { "", m })
  return each(list)
end

-- m:modules(): list of m and all modules below it.
function methods.modules(m)
  local list = { m }
  for _, entry in ipairs(collect(m, { child = true })) do list[#list + 1] = entry[2] end
  return list
end

-- m:num_parameters(): number of their elements.
function methods.num_parameters(m)
  local n = 0
  for _, p in ipairs(m:parameters()) do n = n + p:numel() end
  return n
end

-- m:state_dict(): table name -> tensor of parameters and persistent buffers, which share memory
-- with the module's and have no tape. sel.save writes it.
function methods.state_dict(m)
  local state = {}
  walk(m, "", function(name, kind, value)
    if kind == "parameter" or kind == "buffer" then state[name] = value:detach() end
  end, {})
  return state
end

local function shape_text(t) return "[" .. table.concat(t:shape(), ", ") .. "]" end

-- m:load_state_dict(state, strict): copies tensors of a state_dict into the module's, converting
-- dtype and device. Unless strict is false, names must match exactly, but a tensor that the module
-- has under several names (tied weights) may be there under one of them. Everything is checked
-- before anything is written; the error lists all that doesn't fit.
function methods.load_state_dict(m, state, strict)
  if type(state) ~= "table" then
    errors.argument("load_state_dict", 2, "state", "a table name -> tensor", state)
  end
  local problems, targets, known, given = {}, {}, {}, {}
  walk(m, "", function(name, kind, value)
    if kind ~= "parameter" and kind ~= "buffer" then return end
    targets[#targets + 1] = { name, value }
    known[name] = true
    if state[name] ~= nil then given[memory.identity(value)] = true end
  end, {})
  for _, target in ipairs(targets) do
    local name, value = target[1], target[2]
    local source = state[name]
    if source == nil then
      if strict ~= false and not given[memory.identity(value)] then
        problems[#problems + 1] = "missing: " .. name
      end
    elseif not arguments.is_tensor(source) then
      problems[#problems + 1] = ("no tensor: %s is %s"):format(name, errors.describe(source))
    elseif shape_text(source) ~= shape_text(value) then
      problems[#problems + 1] = ("shape: %s has %s in the file, %s in the module")
        :format(name, shape_text(source), shape_text(value))
    end
  end
  if strict ~= false then
    local unexpected = {}
    for name in pairs(state) do
      if not known[name] then unexpected[#unexpected + 1] = "unexpected: " .. tostring(name) end
    end
    table.sort(unexpected)
    for _, text in ipairs(unexpected) do problems[#problems + 1] = text end
  end
  if #problems > 0 then
    errors.raise(("load_state_dict: the state does not fit %s:\n  %s")
                 :format(m:class_name(), table.concat(problems, "\n  ")))
  end
  for _, target in ipairs(targets) do
    local source = state[target[1]]
    if source then target[2]:detach():copy_(source) end
  end
  return m
end

-- m:train(on): switches training behaviour (dropout, batch statistics) of m and all below;
-- returns m.
function methods.train(m, on)
  if on == nil then on = true end
  errors.expect("boolean", "train", 1, "on", on)
  for _, part in ipairs(m:modules()) do part:set_training(on) end
  return m
end

-- m:eval(): m:train(false).
function methods.eval(m) return m:train(false) end

-- Sets the flag of this module alone; layers pass it to core.
function methods.set_training(m, on) m.training = on end

-- m:to(...): moves parameters and buffers as tensor:to does; only float tensors change dtype.
-- Parameters are new tensors then: make the optimizer afterwards. Returns m.
function methods.to(m, ...)
  local target = { ... }
  local moved = {} -- a tensor that is in two places stays one
  walk(m, "", function(_, kind, value, owner, key)
    if kind == "child" then return end
    local identity = memory.identity(value)
    if not moved[identity] then
      local plain = value:detach()
      for _, name in ipairs(target) do
        local is_dtype = type(name) == "string" and arguments.is_dtype(name)
        if not is_dtype or value:is_floating_point() then plain = plain:to(name) end
      end
      if value.requires_grad then plain:requires_grad_() end
      moved[identity] = { plain, value } -- value, so that its address is not used again
    end
    owner[key] = moved[identity][1]
  end, {})
  return m
end

-- m:zero_grad(): sets all gradients to nil.
function methods.zero_grad(m)
  for _, p in ipairs(m:parameters()) do errors.check(C.sel_set_grad(p, nil)) end
end

-- m:requires_grad_(on): switches gradients of all parameters; returns m.
function methods.requires_grad_(m, on)
  for _, p in ipairs(m:parameters()) do p:requires_grad_(on) end
  return m
end

-- m:apply(fn): fn(module) for all modules below m and then m; returns m.
function methods.apply(m, fn)
  errors.expect("function", "apply", 1, "fn", fn)
  local list = m:modules()
  for i = #list, 1, -1 do fn(list[i]) end
  return m
end

-- m:describe(): what print shows between the brackets of a module without children.
function methods.describe() return "" end

-- Text of a module and its children, as print shows it.
function methods.text(m)
  local lines = {}
  for name, child in m:children() do
    lines[#lines + 1] = ("  (%s): %s"):format(name, (tostring(child):gsub("\n", "\n  ")))
  end
  local head = m:class_name() .. "(" .. m:describe()
  if #lines == 0 then return head .. ")" end
  return head .. "\n" .. table.concat(lines, "\n") .. "\n)"
end

-- Written with a dot instead of a colon, m.parameters(), a method would get no module.
local function with_check(name, fn)
  return function(m, ...)
    if not module.is_module(m) then
      errors.argument(name, 1, "m", ("a module, as in m:%s()"):format(name), m)
    end
    return fn(m, ...)
  end
end
for _, name in ipairs { "parameters", "named_parameters", "named_buffers", "named_modules",
                        "modules", "children", "num_parameters", "state_dict", "load_state_dict",
                        "train", "eval", "to", "zero_grad", "requires_grad_", "apply" } do
  methods[name] = with_check(name, methods[name])
end

return methods
