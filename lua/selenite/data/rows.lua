-- Rows of a dataset as the user names them: positions from 1 in tables, ids from 0 in tensors.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local arguments = require "selenite.arguments"
local creation = require "selenite.creation"

local C = library.C
local M = {}

local EXPECTED = "a table of positions from 1 or an i64 tensor of rows from 0"

local function from_table(operation, list, count)
  local n = #list
  local ids = ffi.new("int64_t[?]", math.max(n, 1))
  for i = 1, n do
    local position = list[i]
    if type(position) ~= "number" or position % 1 ~= 0 or position < 1 or position > count then
      errors.raise(("%s: expected positions from 1 to %d, got %s at place %d")
                   :format(operation, count, errors.describe(position), i))
    end
    ids[i - 1] = position - 1
  end
  return M.tensor(ids, n)
end

-- n numbers of a C array as an i64 tensor on the CPU.
function M.tensor(ids, n)
  local t = creation.empty(n, { dtype = "i64", device = "cpu" })
  ffi.copy(C.sel_data(t), ids, 8 * n)
  return t
end

-- Rows 0 to n - 1.
function M.first(n) return creation.arange(n, { device = "cpu" }) end

-- The rows that `value` names, of `count`, as a contiguous i64 tensor on the CPU.
function M.read(operation, value, count)
  if type(value) == "table" then return from_table(operation, value, count) end
  if not arguments.is_tensor(value) or value:dim() ~= 1 or value:dtype() ~= "i64" then
    errors.raise(("%s: expected %s, got %s"):format(operation, EXPECTED, errors.describe(value)))
  end
  local ids = value:detach():to("cpu"):contiguous()
  if #ids > 0 then
    local low, high = ids:min():item(), ids:max():item()
    if low < 0 or high >= count then
      errors.raise(("%s: expected rows from 0 to %d in the tensor, got %d")
                   :format(operation, count - 1, low < 0 and low or high))
    end
  end
  return ids
end

return M
