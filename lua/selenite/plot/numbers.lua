-- The numbers of a figure: tensors or lists, read once into arrays of doubles.
--
-- Array elements count from 0, as in C. A value beyond 1e300 counts as infinite, so that
-- differences of finite ones are finite.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local arguments = require "selenite.arguments"

local C = library.C
local M = {}

-- Whether a figure can show v.
function M.is_finite(v) return v >= -1e300 and v <= 1e300 end

local function read_tensor(x)
  local count = tonumber(C.sel_numel(x))
  local data = ffi.new("double[?]", math.max(count, 1))
  errors.check(C.sel_detach(x, memory.out))
  local values = memory.wrap()
  errors.check(C.sel_to(values, C.SEL_F64, nil, memory.out))
  values = memory.wrap()
  errors.check(C.sel_read(values, data, count * 8))
  return data, count
end

-- All elements of a tensor, in C order: array, count.
M.read_tensor = read_tensor

local expected = "a tensor of one dimension or a list of numbers"

-- Array and count of a one-dimensional tensor or a list of numbers; `where` begins the error.
function M.read(where, values)
  if arguments.is_tensor(values) then
    if C.sel_ndim(values) ~= 1 then
      errors.raise(("%s: expected %s, got %s"):format(where, expected, errors.describe(values)))
    end
    return read_tensor(values)
  end
  if type(values) ~= "table" then
    errors.raise(("%s: expected %s, got %s"):format(where, expected, errors.describe(values)))
  end
  local count = #values
  local data = ffi.new("double[?]", math.max(count, 1))
  for i = 1, count do
    local v = values[i]
    if type(v) ~= "number" then
      errors.raise(("%s[%d]: expected a number, got %s"):format(where, i, errors.describe(v)))
    end
    data[i - 1] = v
  end
  return data, count
end

-- The same of a tensor of any shape, all its elements in C order, or a list of numbers.
function M.read_all(where, values)
  if arguments.is_tensor(values) then return read_tensor(values) end
  return M.read(where, values)
end

-- Smallest and largest value that fits, and how many don't; `fits` is is_finite unless given.
function M.range(data, count, fits)
  fits = fits or M.is_finite
  local low, high, missing = math.huge, -math.huge, 0
  for i = 0, count - 1 do
    local v = data[i]
    if fits(v) then
      if v < low then low = v end
      if v > high then high = v end
    else
      missing = missing + 1
    end
  end
  return low, high, missing
end

return M
