-- What stands in square brackets behind a tensor, and element access.
--
--   x[2]              the second element of dim 1: a view without the dim, x[-1] the last
--   x[{2, 3}]         row 2, column 3 (any number of leading dims); still a tensor
--   x[{{1, 3}, 2}]    rows 1 to 3 (both included) of column 2; {1, 9, 2} steps by 2; {} all rows
--   x[mask]           with a bool tensor: the chosen elements as a vector
--   x[index]          with an i64 or i32 tensor (whose values count from 0): rows of dim 1
--   x[...] = value    writes a number or a tensor that broadcasts there
--
-- Brackets always give a tensor; x:get(2, 3) gives a number.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local arguments = require "selenite.arguments"
local shape = require "selenite.shape"

local C = library.C
local out, wrap, check = memory.out, memory.wrap, errors.check
local is_tensor = arguments.is_tensor
local M = {}

local function by_number(x, position)
  local n = C.sel_ndim(x)
  if n == 0 then errors.raise "index: a tensor without dimensions can't be indexed; see item()" end
  position = arguments.position("index", "position", position, tonumber(C.sel_size(x, 0)))
  check(C.sel_select(x, 0, position, out))
  return wrap()
end

local function by_table(x, entries)
  local view, dim = x, 1
  local n = C.sel_ndim(x)
  if #entries > n then
    errors.raise(("index: %d positions or ranges for a tensor of %d dimensions")
                 :format(#entries, n))
  end
  for i = 1, #entries do
    local entry = entries[i]
    if type(entry) == "number" then
      local extent = tonumber(C.sel_size(view, dim - 1))
      entry = arguments.position("index", "dimension " .. i, entry, extent)
      check(C.sel_select(view, dim - 1, entry, out))
      view = wrap()
    elseif type(entry) == "table" and #entry <= 3 then
      if entry[1] ~= nil then view = shape.slice(view, dim, entry[1], entry[2], entry[3]) end
      dim = dim + 1
    else
      errors.raise(("index: dimension %d: expected a number or a range {first, last, step}, got %s")
                   :format(i, errors.describe(entry)))
    end
  end
  return view
end

local function by_tensor(x, index)
  if C.sel_tensor_dtype(index) == C.SEL_BOOL then
    check(C.sel_masked_select(x, index, out))
  else
    check(C.sel_index_select(x, 0, index, out))
  end
  return wrap()
end

-- x[key] for keys that are no names.
function M.get(x, key)
  if type(key) == "number" then return by_number(x, key) end
  if type(key) == "table" then return by_table(x, key) end
  if is_tensor(key) then return by_tensor(x, key) end
  errors.raise("index: expected a position, a table of ranges or an index tensor, got "
               .. errors.describe(key))
end

-- x[key] = value for keys that are no names.
function M.set(x, key, value)
  if is_tensor(key) then
    if C.sel_tensor_dtype(key) ~= C.SEL_BOOL or type(value) ~= "number" then
      errors.raise("index: with a tensor, only x[mask] = number writes; "
                   .. "see index_add, scatter and sel.where")
    end
    check(C.sel_masked_fill(x, key, value, out))
    check(C.sel_copy_(x, wrap()))
    return
  end
  local view = M.get(x, key)
  if type(value) == "number" then
    check(C.sel_fill_(view, value))
  elseif type(value) == "boolean" then
    check(C.sel_fill_(view, value and 1 or 0))
  elseif is_tensor(value) then
    check(C.sel_copy_(view, value))
  else
    errors.raise("index: expected a number or a tensor to write, got " .. errors.describe(value))
  end
end

local position = ffi.new("int64_t[?]", C.SEL_MAX_DIMS)
local number = ffi.new "double[1]"

local function read_position(operation, x, given, n)
  local ndim = C.sel_ndim(x)
  if n ~= ndim then
    errors.raise(("%s: expected %d position%s, got %d")
                 :format(operation, ndim, ndim == 1 and "" or "s", n))
  end
  for i = 1, n do
    local extent = tonumber(C.sel_size(x, i - 1))
    position[i - 1] = arguments.position(operation, "dimension " .. i, given[i], extent)
  end
end

-- x:get(i, j): one element as a number (a boolean for bool).
function M.get_element(x, ...)
  if not is_tensor(x) then errors.argument("get", 1, "x", "a tensor", x) end
  local n = select("#", ...)
  read_position("get", x, { ... }, n)
  check(C.sel_get(x, n, position, number))
  if C.sel_tensor_dtype(x) == C.SEL_BOOL then return number[0] ~= 0 end
  return number[0]
end

-- x:set(i, j, value): writes one element.
function M.set_element(x, ...)
  if not is_tensor(x) then errors.argument("set", 1, "x", "a tensor", x) end
  local n = select("#", ...)
  local given = { ... }
  local value = given[n]
  if type(value) == "boolean" then value = value and 1 or 0 end
  if type(value) ~= "number" then errors.argument("set", n, "value", "a number", value) end
  read_position("set", x, given, n - 1)
  check(C.sel_set(x, n - 1, position, value))
  return x
end

return M
