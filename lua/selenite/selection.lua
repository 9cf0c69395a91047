-- Reductions and orders whose arguments choose between several operations of core.

local library = require "selenite.library"
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local arguments = require "selenite.arguments"
local operations = require "selenite.operations"

local C = library.C
local out, wrap, check, retry = memory.out, memory.wrap, errors.check, memory.retry
local is_tensor = arguments.is_tensor
local M = {}

local function tensor(operation, x)
  if not is_tensor(x) then errors.argument(operation, 1, "x", "a tensor", x) end
end

-- max or min: of everything, along a dim, or of two tensors.
local function extreme(operation, core, of_all, of_two)
  return function(x, dim, keepdim)
    tensor(operation, x)
    if dim == nil then return of_all(x) end
    if is_tensor(dim) then return of_two(x, dim) end
    dim = arguments.dim(operation, 2, "dim", dim, C.sel_ndim(x))
    keepdim = errors.expect("boolean", operation, 3, "keepdim", keepdim or false)
    local status = core(x, dim, keepdim, out, out + 1)
    if retry(status) then status = core(x, dim, keepdim, out, out + 1) end
    check(status)
    return memory.wrap_many(2)
  end
end

-- x:max(): the largest element; x:max(dim, keepdim): values and positions (i64, from 0) along a
-- dim; x:max(y): the larger of each pair.
M.max = extreme("max", C.sel_max, operations.amax, operations.maximum)
-- x:min(), x:min(dim, keepdim), x:min(y): as max.
M.min = extreme("min", C.sel_min, operations.amin, operations.minimum)

local function position_of_extreme(operation, core)
  return function(x, dim, keepdim)
    tensor(operation, x)
    local source = x
    if dim == nil then
      source, dim = operations.flatten(x), 1
    end
    dim = arguments.dim(operation, 2, "dim", dim, C.sel_ndim(source))
    keepdim = errors.expect("boolean", operation, 3, "keepdim", keepdim or false)
    check(core(source, dim, keepdim, out))
    return wrap()
  end
end

-- x:argmax(dim, keepdim): position (i64, from 0) of the first largest element along a dim; without
-- dim, in C order of all elements.
M.argmax = position_of_extreme("argmax", C.sel_argmax)
-- x:argmin(dim, keepdim): as argmax.
M.argmin = position_of_extreme("argmin", C.sel_argmin)

-- index:one_hot(classes): i64, one dim more. classes: one more than the largest id unless given.
function M.one_hot(index, classes)
  tensor("one_hot", index)
  if classes == nil then
    local largest = C.sel_numel(index) == 0 and -1 or operations.amax(index):item()
    classes = type(largest) == "number" and largest + 1 or 2
  end
  arguments.integer("one_hot", 2, "classes", classes)
  check(C.sel_one_hot(index, classes, out))
  return wrap()
end

return M
