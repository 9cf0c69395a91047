-- sel.fuse: pointwise functions that run as one kernel, from an expression or from a Lua function.
--
-- A Lua function is called once with symbols in place of tensors. They have the tensors' operators
-- and methods, as far as expressions know them, and write down what is asked of them: each step
-- becomes a named part of an expression, which core reads like any other. So one function serves
-- tensors and symbols alike.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local arguments = require "selenite.arguments"

local C = library.C
local out, check = memory.out, errors.check
local is_tensor = arguments.is_tensor

-- ---- symbols ----

-- Metatable; a symbol is { name =, parts = the list that all symbols of its function share }.
local symbol = {}

local function is_symbol(value) return getmetatable(value) == symbol end

local function text_of(operation, value)
  if is_symbol(value) then return value.name end
  if type(value) == "number" and value - value == 0 then return ("(%.17g)"):format(value) end
  errors.raise(("fuse: %s: expected a symbol or a finite number, got %s")
               :format(operation, errors.describe(value)))
end

-- A new part; the format's %s are the operands.
local function part(operation, format, ...)
  local texts, parts = {}, nil
  for i = 1, select("#", ...) do
    local operand = select(i, ...)
    texts[i] = text_of(operation, operand)
    parts = parts or is_symbol(operand) and operand.parts
  end
  if not parts then errors.raise(("fuse: %s: expected a symbol"):format(operation)) end
  local name = "p" .. #parts + 1
  parts[#parts + 1] = ("%s = %s;"):format(name, format:format(unpack(texts)))
  return setmetatable({ name = name, parts = parts }, symbol)
end

local methods = {}
local function operator(name, token)
  local format = "%s " .. token .. " %s"
  methods[name] = function(a, b) return part(name, format, a, b) end
  return methods[name]
end

local argument = ffi.new "int[1]"
local names, i = {}, 0
local name = C.sel_fuse_name(i, argument)
while name ~= nil do
  local text, n = ffi.string(name), argument[0]
  names[#names + 1] = text
  local format = text .. "(%s" .. (", %s"):rep(n - 1) .. ")"
  methods[text] = function(...)
    if select("#", ...) ~= n then
      errors.raise(("fuse: %s: expected %d argument%s, got %d")
                   :format(text, n, n == 1 and "" or "s", select("#", ...)))
    end
    return part(text, format, ...)
  end
  i = i + 1
  name = C.sel_fuse_name(i, argument)
end

symbol.__add, symbol.__sub = operator("add", "+"), operator("sub", "-")
symbol.__mul, symbol.__div = operator("mul", "*"), operator("div", "/")
symbol.__mod, symbol.__pow = operator("remainder", "%%"), methods.pow
operator("eq", "==")
operator("ne", "~=")
operator("lt", "<")
operator("le", "<=")
operator("gt", ">")
operator("ge", ">=")
operator("logical_and", "and")
operator("logical_or", "or")
function methods.neg(a) return part("neg", "-%s", a) end
function methods.logical_not(a) return part("logical_not", "not %s", a) end
symbol.__unm = methods.neg

function symbol.__index(_, key)
  local method = methods[key]
  if not method then
    errors.raise(("fuse: expressions have no function '%s'; there are: %s")
                 :format(tostring(key), table.concat(names, ", ")))
  end
  return method
end
function symbol.__tostring(s) return "symbol " .. s.name end
local function not_comparable()
  errors.raise "fuse: <, <=, ==: to compare symbols, see x:lt(y), x:le(y), x:eq(y)"
end
symbol.__lt, symbol.__le, symbol.__eq = not_comparable, not_comparable, not_comparable

local function expression_of(fn)
  local n = debug.getinfo(fn, "u").nparams
  local inputs, parts = {}, {}
  for k = 1, n do inputs[k] = setmetatable({ name = "x" .. k, parts = parts }, symbol) end
  local results = { n = 0 }
  local function collect(...) results = { n = select("#", ...), ... } end
  collect(fn(unpack(inputs, 1, n)))
  if results.n == 0 then errors.raise "fuse: the function returned nothing" end
  for k = 1, results.n do
    results[k] = text_of("result " .. k, results[k])
  end
  for k = 1, n do inputs[k] = inputs[k].name end
  return ("%s -> %s %s"):format(table.concat(inputs, ", "), table.concat(parts, " "),
                                table.concat(results, ", "))
end

-- ---- functions ----

local fused = {} -- metatable of { handle =, expression =, inputs =, outputs = }
fused.__index = fused

-- f(...): applies it to tensors and numbers; as many results as the expression has.
function fused.__call(f, ...)
  local n, given, values = f.inputs, f.given, { ... }
  if select("#", ...) ~= n then
    errors.raise(("fuse %q: expected %d argument%s, got %d")
                 :format(f.expression, n, n == 1 and "" or "s", select("#", ...)))
  end
  for k = 1, n do
    if type(values[k]) == "number" then
      check(C.sel_scalar(values[k], out))
      values[k] = memory.wrap()
    elseif not is_tensor(values[k]) then
      errors.argument("fuse", k, "input", "a tensor or a number", values[k])
    end
    given[k - 1] = values[k]
  end
  local status = C.sel_fused_call(f.handle, n, given, out)
  if memory.retry(status) then status = C.sel_fused_call(f.handle, n, given, out) end
  check(status)
  return memory.wrap_many(f.outputs)
end

-- f:kernel(dtype, device): how it is computed: "compiled", "interpreted: why" or "separate
-- operations".
local text_out = ffi.new "const char *[1]"
function fused.kernel(f, dtype, device)
  check(C.sel_fused_kernel(f.handle, arguments.dtype("fuse", dtype or "f32"),
                           arguments.device("fuse", device), text_out))
  return ffi.string(text_out[0])
end

function fused.__tostring(f) return "fused function " .. f.expression end

local handle_out = ffi.new "sel_fused *[1]"

-- sel.fuse("x, beta -> x * sigmoid(beta * x)", options), or a Lua function of symbols. options:
-- compile = false: never by the C compiler.
return function(source, options)
  errors.check_options("fuse", options, { compile = true })
  local compile = not options or options.compile == nil or options.compile
  if type(compile) ~= "boolean" then errors.option("fuse", "compile", "a boolean", compile) end
  local expression = source
  if type(source) == "function" then
    expression = expression_of(source)
  elseif type(source) ~= "string" then
    errors.argument("fuse", 1, "source", "an expression or a function", source)
  end
  check(C.sel_fuse(expression, compile, handle_out))
  local handle = ffi.gc(handle_out[0], C.sel_fused_release)
  local inputs = C.sel_fused_inputs(handle)
  return setmetatable({ handle = handle, expression = expression, inputs = inputs,
                        outputs = C.sel_fused_outputs(handle),
                        given = ffi.new("sel_tensor *[?]", inputs) }, fused)
end
