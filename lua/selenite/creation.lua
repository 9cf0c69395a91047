-- Functions that make tensors: from sizes, from numbers and tables, random ones, and like another.
--
-- Sizes come as numbers or as one table; the last argument may be a table of options:
--   dtype = "f32", device = "cpu" (or "opencl:1"), requires_grad = false.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local arguments = require "selenite.arguments"

local C = library.C
local out, wrap, check = memory.out, memory.wrap, errors.check
local is_tensor = arguments.is_tensor
local sizes_scratch = arguments.sizes_scratch
local M = {}

local known = { dtype = true, device = true, requires_grad = true }
local none = {}

-- The table of options behind the sizes, checked; an empty one where there is none.
local function options_of(operation, ...)
  local n = select("#", ...)
  local last = n > 0 and select(n, ...)
  if n == 0 or type(last) ~= "table" or (n == 1 and (#last > 0 or next(last) == nil)) then
    return none
  end
  errors.check_options(operation, last, known)
  return last
end

-- Runs `make(dtype, device)`, which writes a tensor to out[0]; retries after collecting garbage.
local function create(operation, options, default_dtype, make)
  local dtype = arguments.dtype(operation, options.dtype or default_dtype)
  local device = arguments.device(operation, options.device)
  local status = make(dtype, device)
  if memory.retry(status) then status = make(dtype, device) end
  check(status)
  local t = wrap()
  if options.requires_grad then check(C.sel_set_requires_grad(t, true)) end
  return t
end

-- A creator by sizes: make(n, dtype, device) writes to out[0].
local function by_size(operation, default_dtype, make)
  return function(...)
    local options = options_of(operation, ...)
    local n = arguments.sizes(operation, ...)
    for i = 1, n do
      if sizes_scratch[i - 1] < 0 then
        errors.argument(operation, i, "size", "a size of 0 or more", tonumber(sizes_scratch[i - 1]))
      end
    end
    return create(operation, options, default_dtype,
                  function(dtype, device) return make(n, dtype, device) end)
  end
end

-- sel.empty(2, 3, {dtype = "i64"}): uninitialised.
M.empty = by_size("empty", "f32", function(n, dtype, device)
  return C.sel_empty(n, sizes_scratch, dtype, device, out)
end)

-- sel.zeros(2, 3): all 0.
M.zeros = by_size("zeros", "f32", function(n, dtype, device)
  return C.sel_zeros(n, sizes_scratch, dtype, device, out)
end)

-- sel.ones(2, 3): all 1.
M.ones = by_size("ones", "f32", function(n, dtype, device)
  return C.sel_ones(n, sizes_scratch, dtype, device, out)
end)

-- sel.full({2, 3}, 0.5): all the same number.
function M.full(sizes, value, options)
  if type(value) ~= "number" then errors.argument("full", 2, "value", "a number", value) end
  if type(sizes) ~= "table" then
    errors.argument("full", 1, "sizes", "a table of sizes", sizes)
  end
  errors.check_options("full", options, known)
  local n = arguments.sizes("full", sizes)
  return create("full", options or none, "f32", function(dtype, device)
    return C.sel_full(n, sizes_scratch, value, dtype, device, out)
  end)
end

-- A creator by sizes that fills what it made with draw(t).
local function random(operation, default_dtype, draw)
  local empty = by_size(operation, default_dtype, function(n, dtype, device)
    return C.sel_empty(n, sizes_scratch, dtype, device, out)
  end)
  return function(...)
    local t = empty(...)
    local wanted = C.sel_requires_grad(t)
    if wanted then check(C.sel_set_requires_grad(t, false)) end
    check(draw(t))
    if wanted then check(C.sel_set_requires_grad(t, true)) end
    return t
  end
end

-- sel.rand(2, 3): uniform in [0, 1).
M.rand = random("rand", "f32", function(t) return C.sel_uniform_(t, 0, 1) end)

-- sel.randn(2, 3): normal, mean 0, standard deviation 1.
M.randn = random("randn", "f32", function(t) return C.sel_normal_(t, 0, 1) end)

-- sel.randint(low, high, {2, 3}): whole numbers from low to high - 1, i64.
function M.randint(low, high, sizes, options)
  arguments.integer("randint", 1, "low", low)
  arguments.integer("randint", 2, "high", high)
  if type(sizes) ~= "table" then
    errors.argument("randint", 3, "sizes", "a table of sizes", sizes)
  end
  errors.check_options("randint", options, known)
  local n = arguments.sizes("randint", sizes)
  local t = create("randint", options or none, "i64", function(dtype, device)
    return C.sel_empty(n, sizes_scratch, dtype, device, out)
  end)
  check(C.sel_randint_(t, low, high))
  return t
end

-- sel.randperm(n): 0 to n - 1 in random order, i64.
function M.randperm(n, options)
  arguments.integer("randperm", 1, "n", n)
  errors.check_options("randperm", options, { device = true })
  check(C.sel_randperm(n, arguments.device("randperm", (options or none).device), out))
  return wrap()
end

-- sel.arange(first, limit, step): first, first + step, ... below limit. One number: from 0. i64
-- when all are whole, else f32.
function M.arange(first, limit, step, options)
  if type(limit) == "table" then limit, options = nil, limit end
  if type(step) == "table" then step, options = nil, step end
  if limit == nil then first, limit = 0, first end
  step = step or 1
  for i, value in ipairs { first or false, limit or false, step } do
    if type(value) ~= "number" then
      errors.argument("arange", i, ({ "first", "limit", "step" })[i], "a number", value)
    end
  end
  errors.check_options("arange", options, known)
  local whole = first % 1 == 0 and limit % 1 == 0 and step % 1 == 0
  return create("arange", options or none, whole and "i64" or "f32", function(dtype, device)
    return C.sel_arange(first, limit, step, dtype, device, out)
  end)
end

-- sel.linspace(first, last, n): n evenly spaced numbers, both ends included.
function M.linspace(first, last, n, options)
  if type(first) ~= "number" then errors.argument("linspace", 1, "first", "a number", first) end
  if type(last) ~= "number" then errors.argument("linspace", 2, "last", "a number", last) end
  arguments.integer("linspace", 3, "n", n)
  errors.check_options("linspace", options, known)
  return create("linspace", options or none, "f32", function(dtype, device)
    return C.sel_linspace(first, last, n, dtype, device, out)
  end)
end

-- sel.eye(rows, columns): ones on the diagonal. One number: square.
function M.eye(rows, columns, options)
  if type(columns) == "table" then columns, options = nil, columns end
  arguments.integer("eye", 1, "rows", rows)
  columns = arguments.integer("eye", 2, "columns", columns or rows)
  errors.check_options("eye", options, known)
  return create("eye", options or none, "f32", function(dtype, device)
    return C.sel_eye(rows, columns, dtype, device, out)
  end)
end

-- Extents of a nested table, read off its first elements.
local function extents_of(value)
  local extents = {}
  while type(value) == "table" do
    extents[#extents + 1] = #value
    value = value[1]
  end
  return extents
end

local c_types = { f64 = "double[?]", i64 = "int64_t[?]" }

-- sel.tensor(value, options): from a number, a boolean or a nested table of them: f32, or bool for
-- booleans, unless options say otherwise. A tensor is copied, without its tape.
function M.tensor(value, options)
  errors.check_options("tensor", options, known)
  options = options or none
  if is_tensor(value) then return M.tensor_from(value, options) end
  local extents = extents_of(value)
  local count = 1
  for _, extent in ipairs(extents) do count = count * extent end

  local leaf = value
  while type(leaf) == "table" do leaf = leaf[1] end
  local default_dtype = type(leaf) == "boolean" and "bool" or "f32"
  local staging = options.dtype == "i64" and "i64" or "f64"
  local data = ffi.new(c_types[staging], math.max(count, 1))
  local position = 0
  local function fill(part, depth)
    if depth > #extents then
      if type(part) == "boolean" then part = part and 1 or 0 end
      if type(part) ~= "number" then errors.argument("tensor", 1, "value", "numbers", part) end
      data[position] = part
      position = position + 1
      return
    end
    if type(part) ~= "table" or #part ~= extents[depth] then
      errors.raise(("tensor: the table is ragged: expected %d elements at depth %d, got %s")
        :format(extents[depth], depth, type(part) == "table" and #part or errors.describe(part)))
    end
    for i = 1, extents[depth] do fill(part[i], depth + 1) end
  end
  fill(value, 1)

  local n = arguments.sizes("tensor", extents)
  local dtype = arguments.dtype("tensor", options.dtype or default_dtype)
  return create("tensor", options, default_dtype, function(_, device)
    local status = C.sel_from_data(n, sizes_scratch, arguments.dtype("tensor", staging), device,
                                   data, count * 8, out)
    if status ~= 0 then return status end
    local staged = wrap()
    return C.sel_to(staged, dtype, device, out)
  end)
end

-- A copy of tensor t with options' dtype and device, a leaf of its own.
function M.tensor_from(t, options)
  check(C.sel_detach(t, out))
  local detached = wrap()
  check(C.sel_clone(detached, out))
  local copy = wrap()
  local dtype = options.dtype and arguments.dtype("tensor", options.dtype) or C.sel_tensor_dtype(t)
  check(C.sel_to(copy, dtype, arguments.device("tensor", options.device), out))
  copy = wrap()
  if options.requires_grad then check(C.sel_set_requires_grad(copy, true)) end
  return copy
end

-- sel.empty_like(t, options), sel.zeros_like(t, options), sel.ones_like(t, options),
-- sel.rand_like(t, options), sel.randn_like(t, options): t's sizes, and its dtype and device unless
-- options differ.
for _, name in ipairs { "empty", "zeros", "ones", "rand", "randn" } do
  local make = M[name]
  local operation = name .. "_like"
  M[operation] = function(t, options)
    if not is_tensor(t) then errors.argument(operation, 1, "t", "a tensor", t) end
    errors.check_options(operation, options, known)
    return make(t:shape(), M.like(t, options))
  end
end

-- sel.full_like(t, value, options): value everywhere, with t's sizes, dtype and device.
function M.full_like(t, value, options)
  if not is_tensor(t) then errors.argument("full_like", 1, "t", "a tensor", t) end
  errors.check_options("full_like", options, known)
  return M.full(t:shape(), value, M.like(t, options))
end

-- options completed with t's dtype and device.
function M.like(t, options)
  options = options or none
  return { dtype = options.dtype or t:dtype(), device = options.device or t:device(),
           requires_grad = options.requires_grad }
end

return M
