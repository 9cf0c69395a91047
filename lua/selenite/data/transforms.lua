-- Transforms: descriptions of what a loader's threads do to each image, named after
-- torchvision.transforms. A description is immutable and may be used by any number of loaders.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"

local C = library.C
local transform = {}
transform.__index = transform
transform.__tostring = function(self) return self.text end

local M = {}

function M.is_transform(value) return getmetatable(value) == transform end

-- Writes the description to `step`, a sel_transform of zeros. Keeps in `anchors` what it points to.
function transform:write(step, anchors)
  step.size = ffi.sizeof "sel_transform"
  step.kind = self.kind
  self.fill_in(step, anchors)
end

local function describe(kind, text, fill_in)
  return setmetatable({ kind = kind, text = text, fill_in = fill_in }, transform)
end

local function number(operation, name, value)
  if type(value) ~= "number" then errors.option(operation, name, "a number", value) end
  return value
end

local function probability(operation, value)
  if type(value) ~= "number" or not (value >= 0 and value <= 1) then
    errors.option(operation, "p", "a number from 0 to 1", value)
  end
  return value
end

-- `value` as a table of numbers: `counts` says how many it may hold. A number stands for a table
-- with it alone.
local function numbers(operation, name, value, counts, expected)
  if type(value) == "number" then value = { value } end
  local good = type(value) == "table" and (not counts or counts[#value])
  for i = 1, good and #value or 0 do good = good and type(value[i]) == "number" end
  if not good or #value == 0 then errors.option(operation, name, expected, value) end
  return { unpack(value) }
end

local function whole(list)
  for _, value in ipairs(list) do
    if value % 1 ~= 0 or math.abs(value) > 2 ^ 31 then return false end
  end
  return true
end

local function size_of(operation, size)
  local expected = "a whole number or a table {height, width}"
  local list = numbers(operation, "size", size, { true, true }, expected)
  if not whole(list) then errors.option(operation, "size", expected, list[1]) end
  return list[1], list[2] or list[1]
end

-- Left, top, right, bottom.
local function padding_of(value)
  local expected = "a whole number, or a table of 2 (left and right, top and bottom) or 4 (left, "
    .. "top, right, bottom)"
  local list = numbers("random_crop", "padding", value, { true, true, nil, true }, expected)
  if not whole(list) then errors.option("random_crop", "padding", expected, value) end
  if #list == 4 then return list end
  local x, y = list[1], list[2] or list[1]
  return { x, y, x, y }
end

local padding_modes = { constant = C.SEL_PADDING_CONSTANT, edge = C.SEL_PADDING_EDGE,
                        reflect = C.SEL_PADDING_REFLECT, symmetric = C.SEL_PADDING_SYMMETRIC }

local crop_options = { padding = true, fill = true, padding_mode = true }

-- data.random_crop(size, { padding = 0, fill = 0, padding_mode = "constant" }): pads each side,
-- then cuts a window out at a random place. size: a number or {height, width}. fill is in the units
-- of the rows, before scale, mean and std.
function M.random_crop(size, options)
  local height, width = size_of("random_crop", size)
  errors.check_options("random_crop", options, crop_options)
  options = options or {}
  local padding = padding_of(options.padding or 0)
  local fill = number("random_crop", "fill", options.fill or 0)
  local mode = padding_modes[options.padding_mode or "constant"]
  if not mode then
    errors.option("random_crop", "padding_mode", "'constant', 'edge', 'reflect' or 'symmetric'",
                  options.padding_mode)
  end
  return describe(C.SEL_TRANSFORM_RANDOM_CROP, ("random_crop(%dx%d)"):format(height, width),
                  function(step)
    step.height, step.width = height, width
    step.padding, step.padding_mode, step.fill = padding, mode, fill
  end)
end

-- data.center_crop(size): the middle of the image. size: a number or {height, width}.
function M.center_crop(size)
  local height, width = size_of("center_crop", size)
  return describe(C.SEL_TRANSFORM_CENTER_CROP, ("center_crop(%dx%d)"):format(height, width),
                  function(step) step.height, step.width = height, width end)
end

local function flip(name, kind)
  return function(p)
    p = probability(name, p == nil and 0.5 or p)
    return describe(kind, ("%s(%g)"):format(name, p), function(step) step.p = p end)
  end
end

-- data.random_horizontal_flip(p), data.random_vertical_flip(p): mirrored left to right, or upside
-- down, with probability p = 0.5.
M.random_horizontal_flip = flip("random_horizontal_flip", C.SEL_TRANSFORM_RANDOM_HORIZONTAL_FLIP)
M.random_vertical_flip = flip("random_vertical_flip", C.SEL_TRANSFORM_RANDOM_VERTICAL_FLIP)

local erasing_options = { p = true, scale = true, ratio = true, value = true }

-- data.random_erasing{ p = 0.5, scale = {0.02, 0.33}, ratio = {0.3, 3.3}, value = 0 }: overwrites a
-- random rectangle (Zhong et al. 2020) of this part of the area and this height by width. value: a
-- number or a table with one a channel, in the units of the batch, after mean and std.
function M.random_erasing(options)
  errors.check_options("random_erasing", options, erasing_options)
  options = options or {}
  local p = probability("random_erasing", options.p == nil and 0.5 or options.p)
  local function range(name, default)
    return numbers("random_erasing", name, options[name] or default, { nil, true },
                   "a table of two numbers")
  end
  local scale, ratio = range("scale", { 0.02, 0.33 }), range("ratio", { 0.3, 3.3 })
  local values = numbers("random_erasing", "value", options.value or 0, nil,
                         "a number or a table of numbers, one a channel")
  return describe(C.SEL_TRANSFORM_RANDOM_ERASING, ("random_erasing(%g)"):format(p),
                  function(step, anchors)
    local array = ffi.new("double[?]", #values, values)
    anchors[#anchors + 1] = array
    step.p, step.scale, step.ratio = p, scale, ratio
    step.n_values, step.values = #values, array
  end)
end

return M
