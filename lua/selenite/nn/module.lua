-- Modules: objects with parameters, buffers and children, found in their fields.
--
--   local Net = nn.module "Net"
--   function Net:init(width) self.hidden = nn.linear(784, width) ... end
--   function Net:forward(x) return self.out(self.hidden(x):relu()) end
--   local net = Net(256)
--   local y = net(x)
--
-- Fields are looked at in the order in which they were first set. A field that is a module is a
-- child; a leaf tensor that requires a gradient (nn.parameter) is a parameter; a plain table is
-- searched for both. In names, elements of arrays count from 0, as in PyTorch's model files.

local errors = require "selenite.errors"
local arguments = require "selenite.arguments"

local is_tensor = arguments.is_tensor

local module = {} -- methods of all modules
local is_meta = {} -- the metatables of modules
-- Keys of hidden fields: the names of fields in order and as a set; names of parameters and
-- buffers.
local ORDER, KNOWN, PARAMETERS, BUFFERS = {}, {}, {}, {}

-- Whether value is a module.
local function is_module(value)
  return type(value) == "table" and is_meta[getmetatable(value)] ~= nil
end

local function hold(...) return ... end

-- While a profile is taken: runs forward in place of `call`.
local recorder

-- Calls forward. The frame stays on the stack meanwhile, for the path in errors (see
-- path_on_stack).
local function call(self, ...)
  if recorder then return hold(recorder(self, ...)) end
  return hold(self:forward(...))
end

-- fn(module, ...) runs module:forward(...) from now on; nil: nothing is recorded any more.
local function set_recorder(fn) recorder = fn end
local function is_recorded() return recorder ~= nil end

-- What a field is called: elements of arrays count from 0.
local function name_of(key) return tostring(type(key) == "number" and key - 1 or key) end

local function is_parameter(t) return t.requires_grad and t.is_leaf end

-- Runs when a field is set that was nil.
local function set_field(self, key, value)
  local order, known = rawget(self, ORDER), rawget(self, KNOWN)
  if not known[key] then
    known[key] = true
    order[#order + 1] = key
  end
  if is_tensor(value) and is_parameter(value) then rawget(self, PARAMETERS)[name_of(key)] = true end
  rawset(self, key, value)
end

-- A metatable whose objects count as modules. index: a table or function, as __index.
local function new_meta(index, newindex)
  local meta = { __call = call, __newindex = newindex or set_field, __index = index,
                 __tostring = function(self) return self:text() end }
  is_meta[meta] = true
  return meta
end

-- A new class, see nn.module in description.lua. read(...), where it is given, makes what init gets
-- from the arguments.
local function new_class(name, parent, read)
  if type(name) ~= "string" then errors.argument("module", 1, "name", "the class's name", name) end
  local class = { class_name = function() return name end }
  local meta = new_meta(class)
  return setmetatable(class, {
    __index = parent or module,
    __call = function(_, ...)
      local self = setmetatable({ [ORDER] = {}, [KNOWN] = {}, [PARAMETERS] = {}, [BUFFERS] = {} },
                                meta)
      rawset(self, "training", true)
      if read then self:init(read(...)) else self:init(...) end
      return self
    end,
  })
end

-- init(...) and forward(...) are what a class defines; class_name() is what print shows in front of
-- the brackets.
function module.init() end
function module.forward(self)
  errors.raise(self:class_name() .. ": the class has no forward(self, ...)")
end

-- m:register_buffer(name, tensor, persistent): a tensor that moves with the module and, unless
-- persistent is false, is saved with it, but is no parameter. Also read as a field.
function module.register_buffer(self, name, tensor, persistent)
  errors.expect("string", "register_buffer", 1, "name", name)
  if not is_tensor(tensor) then
    errors.argument("register_buffer", 2, "tensor", "a tensor", tensor)
  end
  rawget(self, BUFFERS)[name] = persistent == false and "scratch" or "buffer"
  self[name] = tensor
end

-- ---- finding ----

local function natural_order(a, b)
  if type(a) == type(b) then return a < b end
  return type(a) == "number"
end

-- Calls visit for `value`, which lies at owner[key] and is called `name`: see each_slot. A plain
-- table is searched; `path` holds the tables around it, so that one that contains itself ends.
local function visit_value(self, name, value, owner, key, path, visit)
  if is_module(value) then
    visit(name, "child", value, owner, key)
  elseif is_tensor(value) then
    local parameters, buffer = rawget(self, PARAMETERS), rawget(self, BUFFERS)[name]
    if buffer then
      visit(name, buffer, value, owner, key)
    elseif parameters[name] or is_parameter(value) then
      parameters[name] = true -- also when it is frozen later
      visit(name, "parameter", value, owner, key)
    end
  elseif type(value) == "table" and getmetatable(value) == nil and not path[value] then
    path[value] = true
    local keys = {}
    for k in pairs(value) do
      if type(k) == "string" or type(k) == "number" then keys[#keys + 1] = k end
    end
    table.sort(keys, natural_order)
    for _, k in ipairs(keys) do
      visit_value(self, name .. "." .. name_of(k), value[k], value, k, path, visit)
    end
    path[value] = nil
  end
end

-- visit(name, kind, value, owner, key) for parameters, buffers and children of self itself; kind is
-- "parameter", "buffer", "scratch" or "child", and owner[key] is where the value is kept.
function module.each_slot(self, visit)
  for _, key in ipairs(rawget(self, ORDER)) do
    visit_value(self, name_of(key), rawget(self, key), self, key, {}, visit)
  end
end

-- for name, child in m:children() do: direct children, in order.
function module.children(self)
  local list, i = {}, 0
  self:each_slot(function(name, kind, value)
    if kind == "child" then list[#list + 1] = { name, value } end
  end)
  return function()
    i = i + 1
    if list[i] then return list[i][1], list[i][2] end
  end
end

-- ---- the path in errors ----

-- Name of `child` in `parent`, nil where it is not there.
local function name_in(parent, child)
  for name, candidate in parent:children() do
    if candidate == child then return name end
  end
end

-- "encoder.3 (linear)" for the modules whose forward runs now, nil outside of them.
local function path_on_stack()
  local running = {} -- innermost first
  for level = 2, math.huge do
    local info = debug.getinfo(level, "f")
    if not info then break end
    if info.func == call then
      local _, self = debug.getlocal(level, 1)
      if running[#running] ~= self then running[#running + 1] = self end
    end
  end
  if #running == 0 then return nil end
  local names = {}
  for i = #running - 1, 1, -1 do
    names[#names + 1] = name_in(running[i + 1], running[i]) or running[i]:class_name()
  end
  local kind = running[1]:class_name()
  return #names > 0 and ("%s (%s)"):format(table.concat(names, "."), kind) or kind
end
errors.set_path_finder(path_on_stack)

-- nn.parameter(tensor): the tensor as a leaf that asks for its gradient.
local function parameter(t)
  if not is_tensor(t) then errors.argument("parameter", 1, "tensor", "a tensor", t) end
  if not t.is_leaf then t = t:detach() end
  return t:requires_grad_()
end

return { methods = module, new_class = new_class, new_meta = new_meta, is_module = is_module,
         parameter = parameter, set_recorder = set_recorder, is_recorded = is_recorded }
