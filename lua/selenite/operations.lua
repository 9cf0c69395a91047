-- The operations of ops.h as Lua functions, generated from their prototypes.
--
-- Each function takes its arguments in the header's order: `dim` and `dims` count from 1, options
-- at the end have defaults. Returns a table name -> function, in-place forms with their
-- underscore; these are both methods of tensors and functions of the module (x:relu(),
-- sel.relu(x)). What a header can't say (defaults, names of s0 and s1, which tensors may be left
-- out) stands in operation_defaults.lua; operations whose arguments want more than that are written
-- by hand in the other files.

local ffi = require "ffi"
local library = require "selenite.library"
local prototypes = require "selenite.prototypes" ()
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local arguments = require "selenite.arguments"
local operation_defaults = require "selenite.operation_defaults"

local defaults, scalar_names = operation_defaults.defaults, operation_defaults.scalar_names

local environment = {
  C = library.C, out = memory.out, wrap = memory.wrap, wrap_many = memory.wrap_many,
  retry = memory.retry, fail = errors.raise_status, check = errors.check, bad = errors.argument,
  arguments = arguments, type = type, istype = ffi.istype, T = ffi.typeof "sel_tensor",
}

-- Compiles Lua text in which what the environment holds are locals.
local names, values = {}, {}
for name, value in pairs(environment) do
  names[#names + 1] = name
  values[#values + 1] = value
end
local header = "local " .. table.concat(names, ", ") .. " = ...\n"
local function compile(name, text)
  local chunk = assert(loadstring(header .. text, errors.chunk_name(name)))
  return chunk(unpack(values))
end

-- Lua text that checks and converts an argument, by its kind: {n} its name, {p} its position,
-- {op} the operation, {x} the first argument.
local snippets = {
  tensor = "if not istype(T, {n}) then bad('{op}', {p}, '{n}', 'a tensor', {n}) end",
  tensor_or_number = [[if not istype(T, {n}) then
    if type({n}) ~= 'number' then bad('{op}', {p}, '{n}', 'a tensor or a number', {n}) end
    check(C.sel_scalar({n}, out))
    {n} = wrap()
  end]],
  optional = "if {n} and not istype(T, {n}) then bad('{op}', {p}, '{n}', 'a tensor', {n}) end",
  number = "if type({n}) ~= 'number' then bad('{op}', {p}, '{n}', 'a number', {n}) end",
  bool = [[if {n} == nil then {n} = false
  elseif type({n}) ~= 'boolean' then bad('{op}', {p}, '{n}', 'a boolean', {n}) end]],
  integer = "arguments.integer('{op}', {p}, '{n}', {n})",
  dim = "{n} = arguments.dim('{op}', {p}, '{n}', {n}, C.sel_ndim({x}))",
  dims = "local n_{n} = arguments.dims('{op}', {p}, '{n}', {n}, C.sel_ndim({x}))",
  integers = "local n_{n} = arguments.integers('{op}', {p}, '{n}', {n})",
}

-- What core's parameter list means: the kind of each Lua argument and the text of each C argument.
-- nil when a type is none of an operation's.
local function classify(operation, prototype)
  local parameters = prototype.parameters
  local base = operation:gsub("_$", "")
  local pointwise = prototypes[base .. "_"] ~= nil
  local lua, c, outputs = {}, {}, 0
  local i = 1
  local function argument(kind, name, text)
    lua[#lua + 1] = { kind = kind, name = name }
    c[#c + 1] = text or name
  end
  while i <= #parameters do
    local type, name = parameters[i].type, parameters[i].name
    local next_type = parameters[i + 1] and parameters[i + 1].type
    if type == "sel_tensor *" then
      local kind = "tensor"
      if defaults[operation .. "." .. name] then kind = "optional"
      elseif pointwise and #lua > 0 then kind = "tensor_or_number" end
      argument(kind, name)
    elseif type == "double" then
      local scalar = name:match "^s(%d)$"
      argument("number", scalar and scalar_names[base] and scalar_names[base][scalar + 1] or name)
    elseif type == "bool" then
      argument("bool", name)
    elseif type == "int64_t" then
      argument("integer", name)
    elseif type == "int" and next_type == "int *" then
      name = parameters[i + 1].name
      argument("dims", name, "n_" .. name .. ", arguments.dims_scratch")
      i = i + 1
    elseif type == "int" and next_type == "int64_t *" then
      name = parameters[i + 1].name
      argument("integers", name, "n_" .. name .. ", arguments.integers_scratch")
      i = i + 1
    elseif type == "int" and name:find "dim" then
      argument("dim", name)
    elseif type == "sel_tensor **" then
      c[#c + 1] = outputs == 0 and "out" or "out + " .. outputs
      outputs = outputs + 1
    else
      return nil
    end
    i = i + 1
  end
  return lua, c, outputs
end

local function expand(snippet, operation, position, name, first)
  return (snippet:gsub("{(%a+)}", { op = operation, p = position, n = name, x = first }))
end

-- The conversions of all arguments, defaults first.
local function conversions(operation, lua)
  local lines = {}
  for position, argument in ipairs(lua) do
    local name = argument.name
    local default = defaults[operation .. "." .. name]
    if default and default ~= "nil" then
      lines[#lines + 1] = ("if %s == nil then %s = %s end"):format(name, name, default)
    end
    lines[#lines + 1] = expand(snippets[argument.kind], operation, position, name, lua[1].name)
  end
  return table.concat(lines, "\n  ")
end

local function argument_names(lua)
  local list = {}
  for i, argument in ipairs(lua) do list[i] = argument.name end
  return table.concat(list, ", ")
end

local function results(outputs, first)
  if outputs == 0 then return first end
  return outputs == 1 and "wrap()" or ("wrap_many(%d)"):format(outputs)
end

-- One call of a core function, its failure raised, its result returned.
local call_template = [[local status = %s
  if status ~= 0 then
    if retry(status) then status = %s end
    if status ~= 0 then fail(status) end
  end
  return %s]]
local function call(operation, c, result)
  local text = ("C.sel_%s(%s)"):format(operation, table.concat(c, ", "))
  return call_template:format(text, text, result)
end

local function generate(operation, lua, c, outputs)
  local text = ("return function(%s)\n  %s\n  %s\nend"):format(
    argument_names(lua), conversions(operation, lua),
    call(operation, c, results(outputs, lua[1].name)))
  return compile(operation, text)
end

-- Two-input pointwise operations take a number on either side.
local function generate_binary(operation)
  local in_place = operation:sub(-1) == "_"
  local base = operation:gsub("_$", "")
  local outputs = in_place and "" or ", out"
  local result = in_place and "a" or "wrap()"
  local with_number = in_place and base .. "_scalar_" or base .. "_scalar"
  local branches = { "return function(a, b)",
    "  if istype(T, a) then",
    "    if istype(T, b) then " .. call(operation, { "a, b" .. outputs }, result) .. " end",
    "    if type(b) == 'number' then",
    "      " .. call(with_number, { "a, b" .. outputs }, result),
    "    end",
    ("    bad('%s', 2, 'b', 'a tensor or a number', b)"):format(operation) }
  if not in_place then
    branches[#branches + 1] = "  elseif type(a) == 'number' and istype(T, b) then"
    branches[#branches + 1] = "    " .. call("scalar_" .. base, { "a, b, out" }, "wrap()")
  end
  branches[#branches + 1] = "  end"
  branches[#branches + 1] = ("  bad('%s', 1, 'a', '%s', a)")
    :format(operation, in_place and "a tensor" or "a tensor or a number")
  branches[#branches + 1] = "end"
  return compile(operation, table.concat(branches, "\n"))
end

-- Written in other files: operations whose arguments are positions, vary in number, or choose
-- between several operations; functions that are no operations.
local by_hand = [[
  reshape view expand repeat permute squeeze unsqueeze narrow select slice flip split
  max min argmax argmin one_hot empty_like detach png_encode ]]

-- Whether a function is none of the operations made here: one of the above, a gradient's own
-- operation, a helper of a loss, the form of an operation that takes a number, an initialiser.
local function is_hidden(name)
  return by_hand:find(" " .. name .. "%s") or name:find "_grad$" or name:find "_each_?$"
    or name:find "scalar" or name:find "^init_"
end

local operations = {}
for name, prototype in pairs(prototypes) do
  local first = prototype.parameters[1]
  if prototype.result == "int" and first and first.type == "sel_tensor *" and not is_hidden(name)
  then
    local lua, c, outputs = classify(name, prototype)
    local base = name:gsub("_$", "")
    if lua and prototypes["scalar_" .. base] and base ~= "where" then
      operations[name] = generate_binary(name)
    elseif lua and (outputs > 0 or base ~= name) then
      operations[name] = generate(name, lua, c, outputs)
    end
  end
end

return operations
