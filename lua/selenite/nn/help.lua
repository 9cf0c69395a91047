-- sel.help: what the registered layer types say about themselves.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local layer = require "selenite.nn.layer"
local description = require "selenite.nn.description"

local C = library.C
local M = {}

local kind_names = {
  [C.SEL_OPTION_INT] = "whole number", [C.SEL_OPTION_NUMBER] = "number",
  [C.SEL_OPTION_BOOL] = "boolean", [C.SEL_OPTION_STRING] = "string",
  [C.SEL_OPTION_INTS] = "whole numbers", [C.SEL_OPTION_DTYPE] = "dtype",
}

local function number_text(value)
  if value == math.huge then return "inf" end
  return ("%.15g"):format(value)
end

-- "whole number 1..inf": what an option may be.
function M.values(option)
  local kind = kind_names[tonumber(option.kind)]
  local words = option.choices ~= nil and ffi.string(option.choices)
  if words and tonumber(option.kind) == C.SEL_OPTION_STRING then kind = words end
  if option.low ~= 0 or option.high ~= 0 then
    kind = ("%s %s..%s"):format(kind, number_text(option.low), number_text(option.high))
  end
  if words and tonumber(option.kind) == C.SEL_OPTION_INTS then kind = kind .. " or " .. words end
  return kind
end

local function option_line(option)
  local default = option.required and "required" or "default " .. ffi.string(option.default_text)
  return ("  %-18s %s (%s): %s")
    :format(ffi.string(option.name), M.values(option), default, ffi.string(option.doc))
end

local function port_line(port)
  return ("  %-18s %s%s"):format(ffi.string(port.name), ffi.string(port.shape),
                                 port.optional and " (may be left out)" or "")
end

-- "nn.linear(in_features, out_features, {bias, dtype})": what must be given, what may be.
function M.signature(t, name)
  local required, rest = {}, {}
  for i = 0, t.n_options - 1 do
    local list = t.options[i].required and required or rest
    list[#list + 1] = ffi.string(t.options[i].name)
  end
  if #rest > 0 then required[#required + 1] = "{" .. table.concat(rest, ", ") .. "}" end
  return ("%s(%s)"):format(name, table.concat(required, ", "))
end

-- Text for the description `t` of a layer type; `name` is how one writes it.
local function text_of(t, name)
  local lines = { ("%s: %s"):format(name, ffi.string(t.summary)), "  " .. M.signature(t, name) }
  local function section(title, n, line)
    if n > 0 then lines[#lines + 1] = title end
    for i = 0, n - 1 do lines[#lines + 1] = line(i) end
  end
  section("options", t.n_options, function(i) return option_line(t.options[i]) end)
  section("inputs", t.n_inputs, function(i) return port_line(t.inputs[i]) end)
  section("outputs", t.n_outputs, function(i) return port_line(t.outputs[i]) end)
  if t.example ~= nil then
    lines[#lines + 1] = "example"
    lines[#lines + 1] = "  " .. ffi.string(t.example):gsub("\n%s*$", ""):gsub("\n", "\n  ")
  end
  local origin = C.sel_layer_type_origin(t)
  if ffi.string(origin) ~= "" then lines[#lines + 1] = "from " .. ffi.string(origin) end
  return table.concat(lines, "\n")
end

-- Text for one layer type, by its name or as nn.linear, or for a class that describes itself.
function M.layer(what)
  if type(what) == "table" then
    local own = description.of(what)
    if own then return text_of(own, what.class_name()) end
    what = layer.name_of(what)
  end
  local t = type(what) == "string" and C.sel_layer_type_find(what) or nil
  return t ~= nil and text_of(t, "nn." .. what) or nil
end

-- One line for each layer type, in alphabetical order.
function M.list()
  local lines = {}
  layer.each_type(function(t)
    lines[#lines + 1] = ("nn.%-24s %s"):format(ffi.string(t.name), ffi.string(t.summary))
  end)
  table.sort(lines)
  return table.concat(lines, "\n")
end

-- sel.help("linear"), sel.help(nn.linear) print what a layer type is and takes, also of a class
-- made by nn.module with a description; sel.help() lists all layer types.
function M.help(name)
  if name == nil then
    print(M.list())
  else
    print(M.layer(name) or errors.raise(("help: there is no layer type '%s'; sel.help() lists them")
                                        :format(tostring(name))))
  end
end

return M
