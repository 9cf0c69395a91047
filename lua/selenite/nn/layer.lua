-- Layers whose type a plugin registered, as modules: nn.linear(784, 10, {bias = false}).
--
-- Everything comes from the type's description: options, ports, parameters. Arguments are option
-- values in the order of the description; a last table gives options by name.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local module = require "selenite.nn.module"

local C = library.C
local istype, T = ffi.istype, ffi.typeof "sel_tensor"
local out, wrap, retry, check = memory.out, memory.wrap, memory.retry, errors.check
local M = {}

local HANDLE, SLOTS, CHILDREN, SINGLE = {}, {}, {}, {} -- keys of hidden fields
local layer_out, options_out = ffi.new "sel_layer *[1]", ffi.new "sel_options *[1]"

-- ---- options ----

local integers = ffi.new "int64_t[8]"

local setters = {
  [C.SEL_OPTION_INT] = { "number", C.sel_options_set_number },
  [C.SEL_OPTION_NUMBER] = { "number", C.sel_options_set_number },
  [C.SEL_OPTION_BOOL] = { "boolean", C.sel_options_set_bool },
  [C.SEL_OPTION_STRING] = { "string", C.sel_options_set_string },
  [C.SEL_OPTION_DTYPE] = { "string", C.sel_options_set_string },
}

local function set_option(name, options, option, value)
  local key, kind = ffi.string(option.name), tonumber(option.kind)
  if kind == C.SEL_OPTION_INTS and type(value) == "string" and option.choices ~= nil then
    check(C.sel_options_set_string(options, key, value))
    return
  elseif kind == C.SEL_OPTION_INTS then
    local list = type(value) == "number" and { value } or value
    if type(list) ~= "table" or #list > 8 then
      local word = option.choices ~= nil and ", or " .. ffi.string(option.choices) or ""
      errors.option(name, key, "a whole number or a table of them" .. word, value)
    end
    for i = 1, #list do
      if type(list[i]) ~= "number" or list[i] % 1 ~= 0 then
        errors.option(name, key, "whole numbers", list[i])
      end
      integers[i - 1] = list[i]
    end
    check(C.sel_options_set_ints(options, key, #list, integers))
    return
  end
  local expected, set = setters[kind][1], setters[kind][2]
  if type(value) ~= expected then errors.option(name, key, "a " .. expected, value) end
  check(set(options, key, value))
end

-- Whether a last argument is the table of options by name.
local function is_named(value)
  return type(value) == "table" and (next(value) == nil or type(next(value)) == "string")
end

-- A sel_options for the type, from arguments by position and a last table by name.
local function read_options(name, descriptor, ...)
  local given, n = { ... }, select("#", ...)
  local named = {}
  if is_named(given[n]) then
    named, n = given[n], n - 1
  end
  check(C.sel_options_new(descriptor, options_out))
  local options = ffi.gc(options_out[0], C.sel_options_release)
  local index = {}
  for i = 1, descriptor.n_options do
    index[ffi.string(descriptor.options[i - 1].name)] = descriptor.options[i - 1]
  end
  if n > descriptor.n_options then
    errors.raise(("%s: takes at most %d options, got %d values")
                 :format(name, descriptor.n_options, n))
  end
  for i = 1, n do
    local option = descriptor.options[i - 1]
    if given[i] ~= nil then
      if named[ffi.string(option.name)] ~= nil then
        errors.raise(("%s: option '%s' is given twice"):format(name, ffi.string(option.name)))
      end
      set_option(name, options, option, given[i])
    end
  end
  errors.check_options(name, named, index)
  for key, value in pairs(named) do set_option(name, options, index[key], value) end
  return options
end

M.read_options = read_options

-- ---- forward ----

-- Forward of a type with one input and one output.
local function single_forward(name, port)
  return function(self, x)
    if not istype(T, x) then errors.argument(name, 1, port, "a tensor", x) end
    local handle = self[HANDLE]
    local status = C.sel_layer_apply(handle, x, out)
    if status ~= 0 then
      if retry(status) then status = C.sel_layer_apply(handle, x, out) end
      check(status)
    end
    return wrap()
  end
end

local function ports_of(descriptor)
  local names = {}
  for i = 1, descriptor.n_inputs do names[i] = ffi.string(descriptor.inputs[i - 1].name) end
  return names
end

-- The core layer behind module m; nil where it is of another kind.
function M.core_layer(m) return rawget(m, HANDLE) end

-- The same, where calling m(x) does no more than run that layer on tensor x; nil elsewhere.
function M.plain(m, x)
  local handle = m and rawget(m, HANDLE)
  if handle and istype(T, x) and rawget(m, SINGLE) == rawget(m, "forward") then return handle end
end

-- Writes named inputs, port -> tensor, beside the n given by position.
local function place_named(name, ports, named, inputs, n)
  local places = {}
  for i = 1, #ports do places[ports[i]] = i end
  for i = n, #ports - 1 do inputs[i] = nil end
  for port, x in pairs(named) do
    local i = places[port]
    if not i then
      errors.raise(("%s: no input '%s'; there are: %s")
                   :format(name, tostring(port), table.concat(ports, ", ")))
    end
    if inputs[i - 1] ~= nil then
      errors.raise(("%s: input '%s' is given twice"):format(name, port))
    end
    if not istype(T, x) then errors.argument(name, i, port, "a tensor", x) end
    inputs[i - 1] = x
  end
end

-- Forward of any type: as many results as the layer gave. A last table gives inputs by name.
local function general_forward(name, descriptor)
  local ports = ports_of(descriptor)
  local inputs = ffi.new("sel_tensor *[?]", math.max(#ports, 1))
  return function(self, ...)
    local n = select("#", ...)
    local named = n > 0 and select(n, ...) or nil
    if type(named) == "table" then n = n - 1 else named = nil end
    if n > #ports then
      errors.raise(("%s: takes at most %d inputs (%s), got %d")
                   :format(name, #ports, table.concat(ports, ", "), n))
    end
    for i = 1, n do
      local x = select(i, ...)
      if x ~= nil and not istype(T, x) then errors.argument(name, i, ports[i], "a tensor", x) end
      inputs[i - 1] = x
    end
    if named then
      place_named(name, ports, named, inputs, n)
      n = #ports
    end
    for i = 0, descriptor.n_outputs - 1 do out[i] = nil end
    local handle = self[HANDLE]
    local status = C.sel_layer_forward(handle, n, inputs, out)
    if status ~= 0 then
      if retry(status) then status = C.sel_layer_forward(handle, n, inputs, out) end
      check(status)
    end
    local given = descriptor.n_outputs
    while given > 0 and out[given - 1] == nil do given = given - 1 end
    return memory.wrap_many(given)
  end
end

-- ---- the class of a type ----

local methods = setmetatable({}, { __index = module.methods })
local classes = {} -- address of a type's description -> class

local function adopt_handle(class, handle)
  local slots = {}
  for i = 0, C.sel_layer_slot_count(handle) - 1 do
    slots[ffi.string(C.sel_layer_slot_name(handle, i))] = i
  end
  return setmetatable({ [HANDLE] = handle, [SLOTS] = slots, [CHILDREN] = {},
                        [SINGLE] = class.single or false, forward = class.forward }, class.meta)
end

local function child_at(self, i)
  local handle = C.sel_layer_child(self[HANDLE], i)
  local name = ffi.string(C.sel_layer_child_name(self[HANDLE], i))
  local known = self[CHILDREN][name]
  if not known then
    local class = M.class(C.sel_layer_get_type(handle))
    known = adopt_handle(class, ffi.gc(C.sel_layer_retain(handle), C.sel_layer_release))
    self[CHILDREN][name] = known
  end
  return known, name
end

-- layer.weight, layer.training, a child, or a method; nil for other names.
local function read_field(class)
  return function(self, key)
    local method = class.methods[key]
    if method ~= nil then return method end
    local slot = rawget(self, SLOTS)[key]
    if slot then return memory.borrow(C.sel_layer_slot(rawget(self, HANDLE), slot)) end
    if key == "training" then return C.sel_layer_training(rawget(self, HANDLE)) end
    for i = 0, C.sel_layer_child_count(rawget(self, HANDLE)) - 1 do
      local child, name = child_at(self, i)
      if name == key then return child end
    end
    return nil
  end
end

-- layer.weight = tensor replaces a parameter or buffer, also to share it with another layer.
local function write_field(self, key, value)
  local slot = rawget(self, SLOTS)[key]
  if not slot then
    errors.raise(("%s: no parameter or buffer '%s' that could be set")
                 :format(self:class_name(), tostring(key)))
  end
  if not istype(T, value) then
    errors.raise(("%s.%s: expected a tensor, got %s")
                 :format(self:class_name(), key, errors.describe(value)))
  end
  check(C.sel_layer_set_slot(rawget(self, HANDLE), slot, C.sel_retain(value)))
end

local kinds = { [C.SEL_SLOT_PARAMETER] = "parameter", [C.SEL_SLOT_BUFFER] = "buffer",
                [C.SEL_SLOT_SCRATCH] = "scratch" }

function methods.each_slot(self, visit)
  local handle = self[HANDLE]
  for i = 0, C.sel_layer_slot_count(handle) - 1 do
    local t = memory.borrow(C.sel_layer_slot(handle, i))
    if t then
      local name = ffi.string(C.sel_layer_slot_name(handle, i))
      visit(name, kinds[tonumber(C.sel_layer_slot_kind(handle, i))], t, self, name)
    end
  end
  for i = 0, C.sel_layer_child_count(handle) - 1 do
    local child, name = child_at(self, i)
    visit(name, "child", child, self, name)
  end
end

function methods.register_buffer(self)
  errors.raise(self:class_name() .. ": a layer of a plugin takes no buffers; put it into a module")
end

function methods.set_training(self, on)
  C.sel_layer_set_training(self[HANDLE], errors.expect("boolean", "set_training", 1, "on", on))
end

function methods.describe(self)
  local text = ffi.new "char[256]"
  return ffi.string(C.sel_layer_describe(self[HANDLE], text, 256))
end

-- The class for a type's description; calling it makes a layer.
function M.class(descriptor)
  local name = ffi.string(descriptor.name)
  local address = tonumber(ffi.cast("intptr_t", descriptor))
  local class = classes[address]
  if class then return class end
  class = { descriptor = descriptor, methods = setmetatable({}, { __index = methods }) }
  class.methods.class_name = function() return name end
  class.meta = module.new_meta(read_field(class), write_field)
  if descriptor.n_inputs == 1 and descriptor.n_outputs == 1 then
    class.single = single_forward(name, ffi.string(descriptor.inputs[0].name))
    class.forward = class.single
  else
    class.forward = general_forward(name, descriptor)
  end
  classes[address] = setmetatable(class, {
    __call = function(_, ...)
      local options = read_options(name, descriptor, ...)
      check(C.sel_layer_new(descriptor, options, layer_out))
      return adopt_handle(class, ffi.gc(layer_out[0], C.sel_layer_release))
    end,
  })
  return class
end

-- The name of the layer type that a class stands for, nil for other tables.
function M.name_of(class)
  return rawget(class, "descriptor") and ffi.string(class.descriptor.name) or nil
end

-- Calls visit(descriptor) for every registered type.
function M.each_type(visit)
  local i, descriptor = 0, C.sel_layer_type_at(0)
  while descriptor ~= nil do
    visit(descriptor)
    i = i + 1
    descriptor = C.sel_layer_type_at(i)
  end
end

-- The class of a registered type by name, nil where there is none.
function M.find(name)
  local descriptor = C.sel_layer_type_find(name)
  return descriptor ~= nil and M.class(descriptor) or nil
end

return M
