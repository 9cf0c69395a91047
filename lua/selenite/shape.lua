-- Operations on shapes whose arguments are sizes, positions or lists of tensors. Views wherever
-- strides allow.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local arguments = require "selenite.arguments"

local C = library.C
local out, wrap, check, retry = memory.out, memory.wrap, errors.check, memory.retry
local is_tensor, sizes_scratch = arguments.is_tensor, arguments.sizes_scratch
local M = {}

local function tensor(operation, x)
  if not is_tensor(x) then errors.argument(operation, 1, "x", "a tensor", x) end
end

-- An operation of a tensor and sizes, given as numbers or as one table.
local function by_sizes(operation, core)
  return function(x, ...)
    tensor(operation, x)
    local n = arguments.sizes(operation, ...)
    local status = core(x, n, sizes_scratch, out)
    if retry(status) then status = core(x, n, sizes_scratch, out) end
    check(status)
    return wrap()
  end
end

-- x:reshape(2, -1): the same elements in C order; one extent may be -1. A copy where no view can
-- be.
M.reshape = by_sizes("reshape", C.sel_reshape)
-- x:view(2, -1): as reshape, but an error where a copy would be needed.
M.view = by_sizes("view", C.sel_view)
-- x:expand(4, -1): extents of 1 repeated without copying; -1 keeps an extent.
M.expand = by_sizes("expand", C.sel_expand)
-- x:tile(2, 1): copies along each dim (PyTorch's repeat, which is a reserved word in Lua).
M.tile = by_sizes("tile", C.sel_repeat)

-- x:permute(3, 1, 2): dim i of the result is the given dim of x.
function M.permute(x, ...)
  tensor("permute", x)
  local dims = type((...)) == "table" and (...) or { ... }
  local n = arguments.dims("permute", 2, "dims", dims, C.sel_ndim(x))
  check(C.sel_permute(x, n, arguments.dims_scratch, out))
  return wrap()
end

-- x:t(): the transpose of a matrix; a vector as it is.
function M.t(x)
  tensor("t", x)
  local n = C.sel_ndim(x)
  if n > 2 then
    errors.raise(("t: expected at most 2 dimensions, got %s; see transpose and permute")
                 :format(errors.describe(x)))
  end
  if n < 2 then return x end
  check(C.sel_transpose(x, 0, 1, out))
  return wrap()
end

-- x:flip(dims), x:flip(1, 2): reversed along the dims.
function M.flip(x, ...)
  tensor("flip", x)
  local dims = type((...)) == "table" and (...) or { ... }
  local n = arguments.dims("flip", 2, "dims", dims, C.sel_ndim(x))
  check(C.sel_flip(x, n, arguments.dims_scratch, out))
  return wrap()
end

-- x:squeeze(dim): without this dim if its extent is 1; x:squeeze(): without all of extent 1.
function M.squeeze(x, dim)
  tensor("squeeze", x)
  if dim == nil then
    check(C.sel_squeeze_all(x, out))
  else
    check(C.sel_squeeze(x, arguments.dim("squeeze", 2, "dim", dim, C.sel_ndim(x)), out))
  end
  return wrap()
end

-- x:unsqueeze(dim): with a new dim of extent 1, which will be dim number `dim`.
function M.unsqueeze(x, dim)
  tensor("unsqueeze", x)
  check(C.sel_unsqueeze(x, arguments.dim("unsqueeze", 2, "dim", dim, C.sel_ndim(x) + 1), out))
  return wrap()
end

-- x:narrow(dim, start, length): positions start to start + length - 1 of a dim; a view.
function M.narrow(x, dim, start, length)
  tensor("narrow", x)
  dim = arguments.dim("narrow", 2, "dim", dim, C.sel_ndim(x))
  local extent = tonumber(C.sel_size(x, dim))
  arguments.integer("narrow", 4, "length", length)
  -- an empty range may start behind the last position
  local first = start == extent + 1 and length == 0 and extent
    or arguments.position("narrow", "argument 3 (start)", start, extent)
  if length < 0 or first + length > extent then
    errors.raise(("narrow: argument 4 (length): %d positions from %d don't fit into extent %d")
                 :format(length, first + 1, extent))
  end
  check(C.sel_narrow(x, dim, first, length, out))
  return wrap()
end

-- x:select(dim, position): one position of a dim, without the dim; a view.
function M.select(x, dim, position)
  tensor("select", x)
  dim = arguments.dim("select", 2, "dim", dim, C.sel_ndim(x))
  local extent = tonumber(C.sel_size(x, dim))
  position = arguments.position("select", "argument 3 (position)", position, extent)
  check(C.sel_select(x, dim, position, out))
  return wrap()
end

-- x:slice(dim, first, last, step): positions first, first + step, ... to last, which is included as
-- in Lua's string.sub; both may be left out and reach beyond the ends. A view.
function M.slice(x, dim, first, last, step)
  tensor("slice", x)
  dim = arguments.dim("slice", 2, "dim", dim, C.sel_ndim(x))
  local extent = tonumber(C.sel_size(x, dim))
  first, last, step = first or 1, last or -1, step or 1
  arguments.integer("slice", 3, "first", first)
  arguments.integer("slice", 4, "last", last)
  arguments.integer("slice", 5, "step", step)
  if step < 1 then errors.argument("slice", 5, "step", "a positive step", step) end
  if first < 0 then first = math.max(extent + first + 1, 1) elseif first == 0 then first = 1 end
  if last < 0 then last = extent + last + 1 end
  last = math.min(math.max(last, 0), extent)
  first = math.min(first, extent + 1)
  check(C.sel_slice(x, dim, first - 1, math.max(last, first - 1), step, out))
  return wrap()
end

-- A C array of the tensors in a table.
local function list_of(operation, tensors)
  if type(tensors) ~= "table" then
    errors.argument(operation, 1, "tensors", "a table of tensors", tensors)
  end
  local n = #tensors
  if n == 0 then errors.raise(operation .. ": expected at least one tensor, got an empty table") end
  local list = ffi.new("sel_tensor *[?]", n)
  for i = 1, n do
    if not is_tensor(tensors[i]) then
      errors.raise(("%s: element %d: expected a tensor, got %s")
                   :format(operation, i, errors.describe(tensors[i])))
    end
    list[i - 1] = tensors[i]
  end
  return n, list
end

-- sel.cat({a, b}, dim): joined along a dim (1 unless given).
function M.cat(tensors, dim)
  local n, list = list_of("cat", tensors)
  dim = arguments.dim("cat", 2, "dim", dim or 1, C.sel_ndim(list[0]))
  local status = C.sel_cat(n, list, dim, out)
  if retry(status) then status = C.sel_cat(n, list, dim, out) end
  check(status)
  return wrap()
end

-- sel.stack({a, b}, dim): joined along a new dim (the first unless given).
function M.stack(tensors, dim)
  local n, list = list_of("stack", tensors)
  dim = arguments.dim("stack", 2, "dim", dim or 1, C.sel_ndim(list[0]) + 1)
  local status = C.sel_stack(n, list, dim, out)
  if retry(status) then status = C.sel_stack(n, list, dim, out) end
  check(status)
  return wrap()
end

-- Views of x of the given lengths along dim (as core counts it), in a table.
local function split(x, lengths, dim)
  local n = #lengths
  local c_lengths, outs = ffi.new("int64_t[?]", n), ffi.new("sel_tensor *[?]", n)
  for i = 1, n do c_lengths[i - 1] = lengths[i] end
  check(C.sel_split(x, n, c_lengths, dim, outs))
  local views = {}
  for i = 1, n do views[i] = memory.adopt(outs[i - 1]) end
  return views
end

-- x:split(size, dim): a table of views of `size` positions each, the last perhaps shorter; size
-- may be a table of lengths. dim is 1 unless given.
function M.split(x, size, dim)
  tensor("split", x)
  dim = arguments.dim("split", 3, "dim", dim or 1, C.sel_ndim(x))
  if type(size) == "table" then
    for i = 1, #size do arguments.integer("split", 2, "lengths", size[i]) end
    return split(x, size, dim)
  end
  arguments.integer("split", 2, "size", size)
  if size < 1 then errors.argument("split", 2, "size", "a positive size", size) end
  local lengths, left = {}, tonumber(C.sel_size(x, dim))
  repeat
    lengths[#lengths + 1] = math.min(size, left)
    left = left - size
  until left <= 0
  return split(x, lengths, dim)
end

-- x:chunk(n, dim): a table of at most n views of equal size, the last perhaps shorter.
function M.chunk(x, n, dim)
  tensor("chunk", x)
  arguments.integer("chunk", 2, "n", n)
  if n < 1 then errors.argument("chunk", 2, "n", "a positive number of chunks", n) end
  local core_dim = arguments.dim("chunk", 3, "dim", dim or 1, C.sel_ndim(x))
  local extent = tonumber(C.sel_size(x, core_dim))
  return M.split(x, math.max(math.ceil(extent / n), 1), dim)
end

return M
