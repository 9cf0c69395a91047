-- The tensor's metatype: methods, computed fields, operators.
--
-- `methods` collects what other files define (operations, shapes, ...) and what is here: asking,
-- host access and casts. `fields` are computed on reading (x.grad), `setters` on assignment.
-- Anything else in brackets is indexing.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local arguments = require "selenite.arguments"
local operations = require "selenite.operations"
local selection = require "selenite.selection"
local shape = require "selenite.shape"
local losses = require "selenite.losses"
local indexing = require "selenite.indexing"
local to_text = require "selenite.print"
local suggest = require "selenite.suggest"

local C = library.C
local out, wrap, check = memory.out, memory.wrap, errors.check
local istype = ffi.istype
local T = ffi.typeof "sel_tensor"

local methods, fields, setters = {}, {}, {}
for _, source in ipairs { operations, selection, shape, losses.functions } do
  for name, fn in pairs(source) do methods[name] = fn end
end

local own = {} -- the methods that follow; they may rely on x being a tensor

-- ---- asking ----

-- x:shape(): extents in a table.
function own.shape(x)
  local extents, n, sizes = {}, C.sel_ndim(x), C.sel_shape(x)
  for i = 1, n do extents[i] = tonumber(sizes[i - 1]) end
  return extents
end

-- x:stride(): strides in elements, in a table; x:stride(dim): one of them.
function own.stride(x, dim)
  if dim then
    return tonumber(C.sel_stride(x, arguments.dim("stride", 2, "dim", dim, C.sel_ndim(x))))
  end
  local strides, n, list = {}, C.sel_ndim(x), C.sel_strides(x)
  for i = 1, n do strides[i] = tonumber(list[i - 1]) end
  return strides
end

-- x:size(dim): one extent.
function own.size(x, dim)
  return tonumber(C.sel_size(x, arguments.dim("size", 2, "dim", dim, C.sel_ndim(x))))
end

-- x:dim(): number of dimensions.
function own.dim(x) return C.sel_ndim(x) end

-- x:numel(): number of elements.
function own.numel(x) return tonumber(C.sel_numel(x)) end

-- x:dtype(): "f32", ...
function own.dtype(x) return arguments.dtype_names[C.sel_tensor_dtype(x)] end

-- x:device(): "cpu", ...
function own.device(x)
  local device = C.sel_tensor_device(x)
  if device == nil then errors.raise("device: got " .. errors.describe(x)) end
  return ffi.string(C.sel_device_name(device))
end

-- x:is_contiguous(): whether elements lie in C order without gaps.
function own.is_contiguous(x) return C.sel_is_contiguous(x) end

-- x:is_floating_point(): whether the dtype is a float dtype.
function own.is_floating_point(x) return C.sel_dtype_is_float(C.sel_tensor_dtype(x)) end

-- x:shares_storage(y): whether writing to one may show in the other.
function own.shares_storage(x, y)
  if not istype(T, y) then errors.argument("shares_storage", 2, "y", "a tensor", y) end
  return C.sel_shares_storage(x, y)
end

-- x:version(): how often the storage was written in place.
function own.version(x) return tonumber(C.sel_tensor_version(x)) end

-- x:free(): gives the memory back now; using x later is an error. Views of x, and what the tape
-- saved of it, keep the memory they share. Returns whether it was freed: not while something else
-- holds x itself (it is a parameter, or somebody's gradient), which then frees it in time.
function own.free(x) return C.sel_tensor_free(x) end

-- ---- host access ----

local number = ffi.new "double[1]"

-- x:item(): the value of a tensor of one element (a boolean for bool).
function own.item(x)
  check(C.sel_item(x, number))
  if C.sel_tensor_dtype(x) == C.SEL_BOOL then return number[0] ~= 0 end
  return number[0]
end

methods.get, methods.set = indexing.get_element, indexing.set_element

-- All elements in C order as a C array of doubles, or of int64_t for i64.
local function read_all(x)
  local count = tonumber(C.sel_numel(x))
  local is_i64 = C.sel_tensor_dtype(x) == C.SEL_I64
  if not is_i64 then
    check(C.sel_detach(x, out))
    check(C.sel_to(wrap(), C.SEL_F64, nil, out))
    x = wrap()
  end
  local data = ffi.new(is_i64 and "int64_t[?]" or "double[?]", math.max(count, 1))
  check(C.sel_read(x, data, count * 8))
  return data
end

-- x:totable(): nested tables of numbers (booleans for bool); a number where x has no dims.
function own.totable(x)
  local data, extents = read_all(x), own.shape(x)
  local is_bool = C.sel_tensor_dtype(x) == C.SEL_BOOL
  local position = -1
  local function build(depth)
    if depth > #extents then
      position = position + 1
      local value = tonumber(data[position])
      if is_bool then return value ~= 0 end
      return value
    end
    local part = {}
    for i = 1, extents[depth] do part[i] = build(depth + 1) end
    return part
  end
  return build(1)
end

local pointer_types = {
  f32 = "float *", f64 = "double *", f16 = "uint16_t *", bf16 = "uint16_t *",
  i64 = "int64_t *", i32 = "int32_t *", u8 = "uint8_t *", bool = "uint8_t *",
}

-- x:data_ptr(): C pointer to the first element, of its type; valid while x lives. After writing
-- through it call x:mark_written().
function own.data_ptr(x)
  local pointer = C.sel_data(x)
  if pointer == nil and C.sel_numel(x) > 0 then
    errors.raise(("data_ptr: memory of device '%s' is not the host's; see to('cpu')")
                 :format(x:device()))
  end
  return ffi.cast(pointer_types[x:dtype()], pointer)
end

-- x:mark_written(): tells autograd that memory was changed through data_ptr.
function own.mark_written(x)
  check(C.sel_mark_written(x))
  return x
end

-- x:zero_(): x:fill_(0).
function own.zero_(x) return operations.fill_(x, 0) end

-- ---- casts ----

local function convert(x, dtype, device)
  local status = C.sel_to(x, dtype, device, out)
  if memory.retry(status) then status = C.sel_to(x, dtype, device, out) end
  check(status)
  return wrap()
end

-- x:to("f64"), x:to("cpu"), x:to("f16", "opencl"), x:to(y): x in another dtype and/or on another
-- device (y's); x itself where nothing changes.
function own.to(x, first, second)
  local dtype, device = C.sel_tensor_dtype(x), nil
  if istype(T, first) then
    return convert(x, C.sel_tensor_dtype(first), C.sel_tensor_device(first))
  end
  for position, name in ipairs { first or false, second } do
    if type(name) ~= "string" then
      errors.argument("to", position, "target", "a dtype or device name or a tensor", name or nil)
    end
    if arguments.is_dtype(name) then
      dtype = arguments.dtype("to", name)
    else
      device = arguments.device("to: neither a dtype nor a device", name)
    end
  end
  return convert(x, dtype, device)
end

-- x:float(), x:double(), x:half(), x:bfloat16(), x:long(), x:int(), x:byte(), x:bool(), x:cpu(): x
-- in this dtype, or on the CPU; x itself where nothing changes.
local casts = { float = "f32", double = "f64", half = "f16", bfloat16 = "bf16", long = "i64",
                int = "i32", byte = "u8", bool = "bool" }
for name, dtype in pairs(casts) do
  local code = arguments.dtype(name, dtype)
  own[name] = function(x) return convert(x, code, nil) end
end
function own.cpu(x) return convert(x, C.sel_tensor_dtype(x), arguments.device("cpu", "cpu")) end

-- A method of up to three arguments behind the tensor. Written with a dot instead of a colon,
-- x.item(), it would hand a NULL pointer to core: hence the check.
local function define(name, fn)
  methods[name] = function(x, a, b, c)
    if not istype(T, x) then
      errors.argument(name, 1, "x", ("a tensor, as in x:%s()"):format(name), x)
    end
    return fn(x, a, b, c)
  end
end
for name, fn in pairs(own) do define(name, fn) end

-- ---- metatype ----

local meta = {
  __add = operations.add, __sub = operations.sub, __mul = operations.mul, __div = operations.div,
  __mod = operations.remainder, __pow = operations.pow, __unm = operations.neg,
  __tostring = function(x) return to_text(x) end,
}

function meta.__index(x, key)
  local method = methods[key]
  if method ~= nil then return method end
  local field = fields[key]
  if field then return field(x) end
  if type(key) == "string" then
    errors.raise(("a tensor has no method or field '%s'%s"):format(key, suggest(key, methods)))
  end
  return indexing.get(x, key)
end

function meta.__newindex(x, key, value)
  local setter = setters[key]
  if setter then return setter(x, value) end
  if type(key) == "string" then
    errors.raise(("a tensor has no field '%s' that could be set"):format(key))
  end
  indexing.set(x, key, value)
end

-- #x: extent of the first dimension.
function meta.__len(x)
  if C.sel_ndim(x) == 0 then errors.raise "#: a tensor without dimensions has no length" end
  return tonumber(C.sel_size(x, 0))
end

-- a == b: whether both are the same tensor. For elements see a:eq(b).
function meta.__eq(a, b)
  return istype(T, a) and istype(T, b)
    and ffi.cast("sel_tensor *", a) == ffi.cast("sel_tensor *", b)
end

-- Lua would turn the result of < into a boolean, so that it can't be elementwise.
function meta.__lt() errors.raise "<, >: to compare elements, see x:lt(y) and x:gt(y)" end
function meta.__le() errors.raise "<=, >=: to compare elements, see x:le(y) and x:ge(y)" end

-- "loss " .. x: which of its texts is meant would be a guess.
function meta.__concat()
  errors.raise("..: a tensor is no text; x:item() is the number of a tensor of one element, "
               .. "tostring(x) what print shows")
end

ffi.metatype("sel_tensor", meta)

return { methods = methods, define = define, fields = fields, setters = setters }
