-- Turns what the user typed into what core takes: dims, positions, sizes, dtypes, devices.
--
-- Dims and positions count from 1, negative ones from the end; they are checked here, so that a
-- message speaks of the numbers the user typed. Arrays are written to scratch memory that the next
-- conversion of the same kind overwrites.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"

local C = library.C
local istype = ffi.istype
local M = {}

M.is_tensor = function(value) return istype("sel_tensor", value) end

local function whole(value) return type(value) == "number" and value % 1 == 0 end

-- A whole number, or an error.
function M.integer(operation, position, name, value)
  if not whole(value) then errors.argument(operation, position, name, "a whole number", value) end
  return value
end

-- Dim of a tensor of `ndim` dims, as core counts it.
function M.dim(operation, position, name, dim, ndim)
  if not whole(dim) then errors.argument(operation, position, name, "a dimension", dim) end
  local n = ndim == 0 and 1 or ndim
  if dim >= 1 and dim <= n then return dim - 1 end
  if dim < 0 and dim >= -n then return n + dim end
  errors.raise(("%s: argument %d (%s): dimension %d is out of range for a tensor of %d dimension%s"
                .. " (1 is the first, -1 the last)")
               :format(operation, position, name, dim, ndim, ndim == 1 and "" or "s"))
end

local dims = ffi.new("int[?]", 64)
M.dims_scratch = dims

-- Dims in a table, or a single one, to dims_scratch; returns their number. nil: none.
function M.dims(operation, position, name, value, ndim)
  if value == nil then return 0 end
  if type(value) == "number" then
    dims[0] = M.dim(operation, position, name, value, ndim)
    return 1
  end
  if type(value) ~= "table" then
    errors.argument(operation, position, name, "a dimension or a table of dimensions", value)
  end
  local n = #value
  if n > C.SEL_MAX_DIMS then
    errors.raise(("%s: argument %d (%s): at most %d dimensions, got %d")
                 :format(operation, position, name, C.SEL_MAX_DIMS, n))
  end
  for i = 1, n do dims[i - 1] = M.dim(operation, position, name, value[i], ndim) end
  return n
end

local capacity = 64
M.integers_scratch = ffi.new("int64_t[?]", capacity)

-- Whole numbers in a table, or a single one, to `scratch` (integers_scratch); returns their number.
-- With more than fit, integers_scratch is replaced, so read the field after the call.
function M.integers(operation, position, name, value)
  if type(value) == "number" then value = { value } end
  if type(value) ~= "table" then
    errors.argument(operation, position, name, "a table of whole numbers", value)
  end
  local n = #value
  if n > capacity then
    capacity = n
    M.integers_scratch = ffi.new("int64_t[?]", n)
  end
  local scratch = M.integers_scratch
  for i = 1, n do
    if not whole(value[i]) then
      errors.argument(operation, position, name, "whole numbers", value[i])
    end
    scratch[i - 1] = value[i]
  end
  return n
end

local sizes = ffi.new("int64_t[?]", C.SEL_MAX_DIMS)
M.sizes_scratch = sizes

-- Sizes as one table or as separate numbers, to sizes_scratch; returns their number. A last table
-- argument behind numbers (the options) is left alone.
function M.sizes(operation, ...)
  local first = ...
  local n, given
  if type(first) == "table" then
    given, n = first, #first
  else
    given, n = { ... }, select("#", ...)
    if type(given[n]) == "table" then n = n - 1 end
  end
  if n > C.SEL_MAX_DIMS then
    errors.raise(("%s: at most %d dimensions, got %d"):format(operation, C.SEL_MAX_DIMS, n))
  end
  for i = 1, n do
    local size = given[i]
    if not whole(size) then errors.argument(operation, i, "size", "a whole number", size) end
    sizes[i - 1] = size
  end
  return n
end

-- Position within an extent, as core counts it.
function M.position(operation, name, value, extent)
  if not whole(value) then
    errors.raise(("%s: %s: expected a whole number, got %s")
                 :format(operation, name, errors.describe(value)))
  end
  if value >= 1 and value <= extent then return value - 1 end
  if value < 0 and value >= -extent then return extent + value end
  errors.raise(("%s: %s: position %d is out of range for extent %d (1 is the first, -1 the last)")
               :format(operation, name, value, extent))
end

-- "f32" -> its number in core; other spellings as sel_dtype_parse knows them.
local dtypes, dtype_names = {}, {}
for i = 0, tonumber(C.SEL_DTYPE_COUNT) - 1 do
  local name = ffi.string(C.sel_dtype_name(i))
  dtypes[name], dtype_names[i] = i, name
end
M.dtype_names = dtype_names -- by core's number
local dtype_out = ffi.new "sel_dtype[1]"
function M.dtype(operation, name)
  local known = dtypes[name]
  if known then return known end
  if type(name) ~= "string" then
    errors.option(operation, "dtype", "a dtype name like 'f32'", name)
  end
  if C.sel_dtype_parse(name, dtype_out) ~= 0 then
    errors.raise(operation .. ": " .. ffi.string(C.sel_error()))
  end
  known = tonumber(dtype_out[0])
  dtypes[name] = known
  return known
end

-- Whether a string is the name of a dtype.
function M.is_dtype(name) return dtypes[name] ~= nil or C.sel_dtype_parse(name, dtype_out) == 0 end

-- "cpu" -> device pointer; nil -> NULL, which stands for the default device.
local devices = {}
local device_out = ffi.new "sel_device *[1]"
function M.device(operation, name)
  if name == nil then return nil end
  local known = devices[name]
  if known then return known end
  if type(name) ~= "string" then errors.option(operation, "device", "a device name", name) end
  if C.sel_device_find(name, device_out) ~= 0 then
    errors.raise(operation .. ": " .. ffi.string(C.sel_error()))
  end
  devices[name] = device_out[0]
  return devices[name]
end

local reductions = { mean = C.SEL_REDUCE_MEAN, sum = C.SEL_REDUCE_SUM, none = C.SEL_REDUCE_NONE }
function M.reduction(operation, name)
  if name == nil then return C.SEL_REDUCE_MEAN end
  local known = reductions[name]
  if not known then errors.option(operation, "reduction", "'mean', 'sum' or 'none'", name) end
  return known
end

return M
