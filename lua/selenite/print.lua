-- Text of a tensor: numbers in aligned columns, the middle of large tensors left out, and a last
-- line with dtype, sizes, device and what autograd knows.

local ffi = require "ffi"
local library = require "selenite.library"
local C = library.C

local EDGE = 3        -- elements shown at each end of a dim that is cut
local THRESHOLD = 1000 -- elements up to which nothing is cut
local WIDTH = 96      -- columns of a line

-- The part of x that will be shown, as totable gives it, with "..." standing for what is cut.
local function visible(x, cut)
  local n = x:dim()
  if n == 0 then return x:item() end
  local extent = x:size(1)
  local rows = {}
  local function add(first, last)
    for i = first, last do
      if n == 1 then rows[#rows + 1] = x:get(i) else rows[#rows + 1] = visible(x[i], cut) end
    end
  end
  if cut and extent > 2 * EDGE then
    add(1, EDGE)
    rows[#rows + 1] = "..."
    add(extent - EDGE + 1, extent)
  else
    add(1, extent)
  end
  return rows
end

local function each_number(part, fn)
  if type(part) == "table" then
    for i = 1, #part do each_number(part[i], fn) end
  elseif type(part) == "number" then
    fn(part)
  end
end

local function special(value)
  if value ~= value then return "nan" end
  if value == 1 / 0 then return "inf" end
  if value == -1 / 0 then return "-inf" end
end

-- A function number -> text that suits all shown numbers: whole ones without decimals, four
-- decimals, or an exponent where those would hide a number or waste columns. `is_float` keeps a
-- dot on whole floats.
local function formatter(shown, is_float)
  local largest, smallest, whole = 0, 1 / 0, true
  each_number(shown, function(value)
    if special(value) then return end
    local magnitude = math.abs(value)
    if magnitude > largest then largest = magnitude end
    if magnitude > 0 and magnitude < smallest then smallest = magnitude end
    if value % 1 ~= 0 then whole = false end
  end)
  local format = "%.4f"
  if not is_float then
    format = "%.0f"
  elseif largest >= 1e8 or (not whole and (largest >= 1e6 or smallest < 5e-5)) then
    format = "%.4e"
  elseif whole then
    format = "%.0f."
  end
  return function(value)
    if type(value) ~= "number" then return tostring(value) end
    return special(value) or format:format(value)
  end
end

local function widest(part, text_of)
  if type(part) ~= "table" then return #text_of(part) end
  local width = 0
  for i = 1, #part do width = math.max(width, widest(part[i], text_of)) end
  return width
end

-- Appends the lines of `part`, the first of which begins behind `indent` columns.
local function render(part, text_of, width, indent, pieces)
  if type(part[1]) ~= "table" then
    local per_line = math.max(math.floor((WIDTH - indent) / (width + 2)), 1)
    for i = 1, #part do
      local text = text_of(part[i])
      if i > 1 then
        pieces[#pieces + 1] = (i - 1) % per_line == 0 and ",\n" .. (" "):rep(indent) or ", "
      end
      pieces[#pieces + 1] = (" "):rep(width - #text) .. text
    end
    return
  end
  local nested = type(part[1][1]) == "table"
  for i = 1, #part do
    if i > 1 then
      pieces[#pieces + 1] = (nested and ",\n\n" or ",\n") .. (" "):rep(indent)
    end
    if part[i] == "..." then
      pieces[#pieces + 1] = "..."
    else
      pieces[#pieces + 1] = "["
      render(part[i], text_of, width, indent + 1, pieces)
      pieces[#pieces + 1] = "]"
    end
  end
end

-- "f32[2, 3]"
local function description(x)
  local buffer = ffi.new "char[160]"
  return ffi.string(C.sel_describe(x, buffer, 160))
end

-- "f32[2, 3] cpu requires_grad"
local function summary(x)
  local parts = { description(x), x:device() }
  local made_by = C.sel_grad_fn(x)
  if made_by ~= nil then
    parts[#parts + 1] = "grad_fn=" .. ffi.string(made_by)
  elseif C.sel_requires_grad(x) then
    parts[#parts + 1] = "requires_grad"
  end
  return table.concat(parts, " ")
end

-- Text of tensor x, as tostring and print show it: cut above `threshold` elements, 1000 unless
-- given.
return function(x, threshold)
  if C.sel_tensor_device(x) == nil then return description(x) end -- freed, or a mere number
  local shown = visible(x:detach(), x:numel() > (threshold or THRESHOLD))
  local text_of = formatter(shown, C.sel_dtype_is_float(C.sel_tensor_dtype(x)))
  if type(shown) ~= "table" then return text_of(shown) .. " " .. summary(x) end
  local pieces = { "[" }
  if x:numel() > 0 then render(shown, text_of, widest(shown, text_of), 1, pieces) end
  pieces[#pieces + 1] = "]\n"
  pieces[#pieces + 1] = summary(x)
  return table.concat(pieces)
end
