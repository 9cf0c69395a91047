-- Pictures as bytes: { width, height, channels = 1 or 3, data = bytes in rows, has_missing =
-- whether some pixels stand for what is no number }.

local ffi = require "ffi"
local errors = require "selenite.errors"
local arguments = require "selenite.arguments"
local creation = require "selenite.creation"
local colours = require "selenite.plot.colours"
local numbers = require "selenite.plot.numbers"

local M = {}

function M.new(width, height, channels)
  return { width = width, height = height, channels = channels,
           data = ffi.new("uint8_t[?]", width * height * channels) }
end

-- Red, green and blue of pixel x, y, which count from 0.
function M.at(pixels, x, y)
  local i = (y * pixels.width + x) * pixels.channels
  local data = pixels.data
  if pixels.channels == 1 then return data[i], data[i], data[i] end
  return data[i], data[i + 1], data[i + 2]
end

-- As a tensor for core's PNG functions.
function M.tensor(pixels)
  local n = pixels.width * pixels.height * pixels.channels
  local t = creation.empty(pixels.height, pixels.width, pixels.channels,
                           { dtype = "u8", device = "cpu" })
  ffi.copy(t:data_ptr(), pixels.data, n)
  return t:mark_written()
end

-- Each pixel as a square of factor x factor.
function M.enlarged(pixels, factor)
  if factor == 1 then return pixels end
  local channels = pixels.channels
  local out = M.new(pixels.width * factor, pixels.height * factor, channels)
  for y = 0, out.height - 1 do
    local from = math.floor(y / factor) * pixels.width
    for x = 0, out.width - 1 do
      local source = (from + math.floor(x / factor)) * channels
      local target = (y * out.width + x) * channels
      for c = 0, channels - 1 do out.data[target + c] = pixels.data[source + c] end
    end
  end
  return out
end

-- Means of squares of factor x factor (of what there is of them at the right and lower border).
function M.reduced(pixels, factor)
  if factor == 1 then return pixels end
  local channels = pixels.channels
  local out = M.new(math.ceil(pixels.width / factor), math.ceil(pixels.height / factor), channels)
  for y = 0, out.height - 1 do
    for x = 0, out.width - 1 do
      for c = 0, channels - 1 do
        local sum, count = 0, 0
        for v = y * factor, math.min((y + 1) * factor, pixels.height) - 1 do
          for u = x * factor, math.min((x + 1) * factor, pixels.width) - 1 do
            sum = sum + pixels.data[(v * pixels.width + u) * channels + c]
            count = count + 1
          end
        end
        out.data[(y * out.width + x) * channels + c] = math.floor(sum / count + 0.5)
      end
    end
  end
  return out
end

-- Copies `pixels` into `target` with its upper left corner at x, y.
function M.paste(target, pixels, x, y)
  for v = 0, pixels.height - 1 do
    for u = 0, pixels.width - 1 do
      local r, g, b = M.at(pixels, u, v)
      local i = ((y + v) * target.width + x + u) * target.channels
      target.data[i] = r
      if target.channels == 3 then target.data[i + 1], target.data[i + 2] = g, b end
    end
  end
end

-- ---- of numbers ----

-- A map of numbers, height rows of width from data[first] on: low and below get the colour of 0,
-- high and above that of 1, what is no number colours.missing. `map` as in colours.map.
function M.of_matrix(data, first, height, width, low, high, map)
  local pixels = M.new(width, height, 3)
  local range = high > low and high - low or 1
  for i = 0, width * height - 1 do
    local v = data[first + i]
    local colour = map((v - low) / range)
    if v ~= v then pixels.has_missing = true end
    for c = 0, 2 do pixels.data[3 * i + c] = colour[c + 1] end
  end
  return pixels
end

-- What says where the channels of an image stand: its extents as channels, height, width, and the
-- steps of its elements. nil when it is no image.
local function layout_of(image)
  local n, shape = image:dim(), image:shape()
  if n == 2 then return 1, shape[1], shape[2], 0, shape[2], 1 end
  if n ~= 3 then return nil end
  local a, b, c = shape[1], shape[2], shape[3]
  if a == 1 or a == 3 then return a, b, c, b * c, c, 1 end
  if c == 1 or c == 3 then return c, a, b, 1, b * c, c end
end

M.layouts = "[height, width], [channels, height, width] or [height, width, channels] with 1 or 3 "
  .. "channels"

-- Checks an image tensor and reads its numbers; `where` begins the error. Returns a source for
-- M.of_image.
function M.read(where, image)
  local channels, height, width, step_c, step_y, step_x
  if arguments.is_tensor(image) then
    channels, height, width, step_c, step_y, step_x = layout_of(image)
  end
  if not channels or height * width == 0 then
    errors.raise(("%s: expected an image %s, got %s")
                 :format(where, M.layouts, errors.describe(image)))
  end
  local data, count = numbers.read_tensor(image)
  return { data = data, count = count, channels = channels, height = height, width = width,
           step_c = step_c, step_y = step_y, step_x = step_x, dtype = image:dtype() }
end

-- The picture of a source: low is black, high full; what is no number is colours.missing.
function M.of_image(source, low, high)
  local data = source.data
  local _, _, missing = numbers.range(data, source.count, function(v) return v == v end)
  local channels = (source.channels == 3 or missing > 0) and 3 or 1
  local pixels = M.new(source.width, source.height, channels)
  pixels.has_missing = missing > 0
  local range = high > low and high - low or 1
  for y = 0, source.height - 1 do
    for x = 0, source.width - 1 do
      local at = y * source.step_y + x * source.step_x
      local out = (y * source.width + x) * channels
      local is_number = true
      for c = 0, channels - 1 do
        local v = data[at + math.min(c, source.channels - 1) * source.step_c]
        local level = math.min(math.max((v - low) / range, 0), 1)
        is_number = is_number and v == v
        pixels.data[out + c] = v == v and math.floor(level * 255 + 0.5) or 0
      end
      if not is_number then
        for c = 0, 2 do pixels.data[out + c] = colours.missing[c + 1] end
      end
    end
  end
  return pixels
end

return M
