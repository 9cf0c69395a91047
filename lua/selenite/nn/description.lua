-- nn.module: classes of modules, also ones that describe their options as a plugin's layer type
-- does.
--
-- A description becomes the same C table that a plugin registers, so that values are checked, read
-- and explained by the same code. It is not registered: nn.<name> is for plugins, a class is a
-- value.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local module = require "selenite.nn.module"
local layer = require "selenite.nn.layer"

local C = library.C
local M = {}

local kinds = { int = C.SEL_OPTION_INT, number = C.SEL_OPTION_NUMBER, bool = C.SEL_OPTION_BOOL,
                string = C.SEL_OPTION_STRING, ints = C.SEL_OPTION_INTS, dtype = C.SEL_OPTION_DTYPE }
local option_fields = { name = true, kind = true, required = true, default = true, low = true,
                        high = true, max_count = true, choices = true, doc = true }
local description_fields = { summary = true, options = true, inputs = true, outputs = true,
                             example = true, parent = true }

local descriptors = setmetatable({}, { __mode = "k" }) -- class -> { type =, what it points to }

-- ---- from a description to a sel_layer_type ----

local function text_of_default(value)
  return type(value) == "table" and table.concat(value, ",") or tostring(value)
end

-- Fills one sel_option; `text` keeps a string alive and returns it as a C string.
local function fill_option(class, i, given, option, text)
  local where = ("module %s: option %d"):format(class, i)
  errors.check_options(where, given, option_fields)
  if type(given.name) ~= "string" or not given.name:find "^%l[%l%d_]*$" then
    errors.raise(where .. ": a name of small letters, digits and '_' is expected")
  end
  where = ("module %s: option %s"):format(class, given.name)
  if not kinds[given.kind] then
    errors.raise(where .. ": kind is one of bool, dtype, int, ints, number, string, got "
                 .. errors.describe(given.kind))
  end
  if type(given.doc) ~= "string" then errors.raise(where .. ": a line of doc is expected") end
  if (given.default == nil) ~= (given.required or false) then
    errors.raise(where .. ": either required = true or a default is expected")
  end
  option.name, option.kind, option.doc = text(given.name), kinds[given.kind], text(given.doc)
  option.required = given.required or false
  option.default_text = given.default ~= nil and text(text_of_default(given.default)) or nil
  if given.low or given.high then
    option.low, option.high = given.low or -math.huge, given.high or math.huge
  end
  option.max_count = given.max_count or 8
  option.choices = given.choices and text(given.choices) or nil
end

local function fill_ports(class, side, given, text)
  local n = #(given or {})
  local ports = ffi.new("sel_port[?]", math.max(n, 1))
  for i = 1, n do
    local port = given[i]
    if type(port) ~= "table" or type(port.name) ~= "string" or type(port.shape) ~= "string" then
      errors.raise(("module %s: %s %d: { name = ..., shape = ... } is expected")
                   :format(class, side, i))
    end
    ports[i - 1].name, ports[i - 1].shape = text(port.name), text(port.shape)
    ports[i - 1].optional = port.optional or false
  end
  return n, ports
end

local function new_descriptor(name, description)
  errors.check_options("module " .. name, description, description_fields)
  local kept = {}
  local function text(value)
    local copy = ffi.new("char[?]", #value + 1, value)
    kept[#kept + 1] = copy
    return copy
  end
  local given = description.options or {}
  local kind, options = ffi.new "sel_layer_type", ffi.new("sel_option[?]", math.max(#given, 1))
  for i, option in ipairs(given) do fill_option(name, i, option, options[i - 1], text) end
  kind.size, kind.name = ffi.sizeof "sel_layer_type", text(name)
  kind.summary = text(description.summary or "a class of modules")
  kind.example = description.example and text(description.example) or nil
  kind.n_options, kind.options = #given, options
  local n, ports = fill_ports(name, "inputs", description.inputs, text)
  kind.n_inputs, kind.inputs = n, ports
  kept[#kept + 1] = ports
  n, ports = fill_ports(name, "outputs", description.outputs, text)
  kind.n_outputs, kind.outputs = n, ports
  kept[#kept + 1], kept[#kept + 2], kept[#kept + 3] = ports, options, kind
  return { type = ffi.cast("const sel_layer_type *", kind), kept = kept }
end

-- ---- from options to a table ----

local integers = ffi.new "int64_t[8]"

local readers = {
  int = function(options, name) return tonumber(C.sel_options_int(options, name)) end,
  number = C.sel_options_number,
  bool = C.sel_options_bool,
  string = function(options, name) return ffi.string(C.sel_options_string(options, name)) end,
  dtype = function(options, name)
    return ffi.string(C.sel_dtype_name(C.sel_options_dtype(options, name)))
  end,
  ints = function(options, name)
    local n = C.sel_options_count(options, name)
    if n == 0 then return ffi.string(C.sel_options_string(options, name)) end
    errors.check(C.sel_options_ints(options, name, n, integers))
    local list = {}
    for i = 1, n do list[i] = tonumber(integers[i - 1]) end
    return list
  end,
}

-- The values for `init`: those given, checked, and the defaults.
local function read(name, descriptor, given_options, ...)
  local options = layer.read_options(name, descriptor.type, ...)
  local values = {}
  for _, option in ipairs(given_options) do
    if option.required and not C.sel_options_is_set(options, option.name) then
      errors.raise(("%s: option %s must be given"):format(name, option.name))
    end
    values[option.name] = readers[option.kind](options, option.name)
  end
  return values
end

-- nn.module("Name", parent): a new class; calling it makes an object and passes the arguments to
-- init. parent: another class, whose methods it has too.
--
-- nn.module("Name", { summary =, options =, inputs =, outputs =, example =, parent = }): a class
-- whose objects are made like a plugin's layers, by position or by name, with checks and defaults,
-- and explained by sel.help(Class). init gets one table with a value for each option. An option is
-- { name =, kind = "int", "number", "bool", "string", "ints" or "dtype", doc =, and either
-- required = true or default = } and may have low =, high =, choices = "relu|tanh", max_count =; an
-- input or output is { name =, shape = "[N, features]", optional = }.
function M.module(name, parent)
  if type(parent) ~= "table" or getmetatable(parent) ~= nil then
    return module.new_class(name, parent)
  end
  errors.expect("string", "module", 1, "name", name)
  local description = parent
  local descriptor = new_descriptor(name, description)
  local options = description.options or {}
  local class = module.new_class(name, description.parent, function(...)
    return read(name, descriptor, options, ...)
  end)
  descriptors[class] = descriptor
  -- a default that contradicts the description shows now
  local out = ffi.new "sel_options *[1]"
  errors.check(C.sel_options_new(descriptor.type, out))
  C.sel_options_release(out[0])
  return class
end

-- The sel_layer_type of a class that was described, nil of others.
function M.of(class) return descriptors[class] and descriptors[class].type end

return M
