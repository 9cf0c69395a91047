-- sel.plot: figures for the terminal and for files.
--
-- Every function checks what it is given, reads the numbers, and returns a figure (figure.lua). How
-- a kind of figure looks is in the file of its kind.

local errors = require "selenite.errors"
local arguments = require "selenite.arguments"
local colours = require "selenite.plot.colours"
local figure = require "selenite.plot.figure"
local label = require "selenite.plot.label"
local numbers = require "selenite.plot.numbers"
local pixels = require "selenite.plot.pixels"
local histogram = require "selenite.plot.histogram"
local kinds = {
  curves = require "selenite.plot.curves",
  histogram = histogram,
  pictures = require "selenite.plot.pictures",
  confusion = require "selenite.plot.confusion",
  heat = require "selenite.plot.heat",
}

local M = {}

-- ---- options ----

-- Options by kind of value: "text", "flag", or { lowest, highest } of a whole number.
local function read_options(operation, options, known)
  errors.check_options(operation, options, known)
  local read = {}
  for name, kind in pairs(known) do
    local value = options and options[name]
    if value == nil then
      read[name] = nil
    elseif kind == "text" then
      if type(value) ~= "string" then errors.option(operation, name, "a string", value) end
      read[name] = label.clean(value)
    elseif kind == "flag" then
      if type(value) ~= "boolean" then errors.option(operation, name, "a boolean", value) end
      read[name] = value
    elseif type(kind) == "table" then
      if type(value) ~= "number" or value % 1 ~= 0 or value < kind[1] or value > kind[2] then
        errors.option(operation, name, ("a whole number from %d to %d"):format(kind[1], kind[2]),
                      value)
      end
      read[name] = value
    else
      read[name] = value -- checked by the caller
    end
  end
  return read
end

local SIZE = { 200, 10000 } -- pixels of a chart's side

local function sized(read)
  read.width, read.height = read.width or 720, read.height or 440
  return read
end

-- An option { low, high }, or nil.
local function range_option(operation, range)
  if range == nil then return nil end
  local low, high = type(range) == "table" and range[1], type(range) == "table" and range[2]
  if type(low) ~= "number" or type(high) ~= "number" or not numbers.is_finite(low)
    or not numbers.is_finite(high) or low >= high then
    errors.option(operation, "range", "{low, high} with low < high", range)
  end
  return low, high
end

-- An option that is a list of n texts, or nil.
local function names_option(operation, name, list, n)
  if list == nil then return nil end
  if type(list) ~= "table" or #list ~= n then
    local got = type(list) == "table" and ("a list of %d"):format(#list) or errors.describe(list)
    errors.raise(("%s: '%s': expected a list of %d names, got %s"):format(operation, name, n, got))
  end
  local names = {}
  for i = 1, n do names[i] = label.clean(list[i]) end
  return names
end

local function note(notes, format, ...) notes[#notes + 1] = label.clean(format:format(...)) end

-- ---- charts ----

local function curve_of(where, entry)
  local is_plain = arguments.is_tensor(entry) or type(entry) ~= "table" or entry.y == nil
  local curve = {}
  curve.y, curve.count = numbers.read(is_plain and where or where .. ".y", is_plain and entry
                                      or entry.y)
  if not is_plain and entry.x ~= nil then
    local count
    curve.x, count = numbers.read(where .. ".x", entry.x)
    if count ~= curve.count then
      errors.raise(("%s: expected as many x as y, got %d and %d"):format(where, count, curve.count))
    end
  end
  if not is_plain and entry.name ~= nil then curve.name = label.clean(entry.name) end
  return curve
end

local known_curves = { title = "text", x_label = "text", y_label = "text", log_x = "flag",
                       log_y = "flag", width = SIZE, height = SIZE }

-- sel.plot.curves(curves, options): lines through points. curves is a list of { name = "train",
-- y = {...}, x = {...} }, or one list of numbers; lists may be tensors. x counts from 1 unless
-- given. NaN and infinity leave a gap. Options: title, x_label, y_label; log_x = true, log_y = true
-- for logarithmic axes; width = 720, height = 440, in pixels. Returns a figure: print(f) shows it,
-- f:save "loss.svg" writes it.
function M.curves(curves, options)
  local read = sized(read_options("plot.curves", options, known_curves))
  local is_tensor = arguments.is_tensor(curves)
  if not is_tensor then errors.expect("table", "plot.curves", 1, "curves", curves) end
  read.curves, read.notes = {}, {}
  if is_tensor or type(curves[1]) == "number" then
    read.curves[1] = curve_of("plot.curves: curves", curves)
  else
    for i, entry in ipairs(curves) do
      read.curves[i] = curve_of(("plot.curves: curves[%d]"):format(i), entry)
    end
  end
  local function fits(v) return numbers.is_finite(v) and (not read.log_y or v > 0) end
  local drawn = 0
  for i, curve in ipairs(read.curves) do
    local _, _, missing = numbers.range(curve.y, curve.count, fits)
    if missing > 0 then
      note(read.notes, "%s: %d of %d values can't be drawn", curve.name or "curve " .. i, missing,
           curve.count)
    end
    drawn = drawn + curve.count - missing
  end
  if drawn == 0 then note(read.notes, "there is nothing to draw") end
  return figure.new(kinds.curves, read)
end

local known_histogram = { title = "text", x_label = "text", y_label = "text", bins = { 1, 10000 },
                          range = "range", width = SIZE, height = SIZE }

-- sel.plot.histogram(values, options): how often values fall into equal bins. values is a tensor of
-- any shape or a list of numbers. Options: bins, at first the root of the number of values, at most
-- 50; range = {low, high}, at first the values' own; title, x_label, y_label, width, height.
-- Returns a figure; its fields counts, low and high are the bins.
function M.histogram(values, options)
  local read = sized(read_options("plot.histogram", options, known_histogram))
  local data, count = numbers.read_all("plot.histogram: argument 1 (values)", values)
  local low, high, missing = numbers.range(data, count)
  if low > high then low, high = 0, 1 end
  if low == high then
    local room = low ~= 0 and math.abs(low) / 2 or 0.5
    low, high = low - room, high + room
  end
  local low_given, high_given = range_option("plot.histogram", read.range)
  read.low, read.high = low_given or low, high_given or high
  local bins = read.bins or math.min(math.max(math.ceil(math.sqrt(count)), 5), 50)
  local outside
  read.counts, outside = histogram.count(data, count, read.low, read.high, bins)
  read.notes = {}
  if missing > 0 then note(read.notes, "%d of %d values are not finite", missing, count) end
  if outside > missing then
    note(read.notes, "%d of %d values are outside", outside - missing, count)
  end
  if count == 0 then note(read.notes, "there is nothing to draw") end
  return figure.new(kinds.histogram, read)
end

-- ---- pictures ----

local whole_range = { u8 = 255, bool = 1 }

-- What is black and what is full: the range given; of bytes and booleans what they can be; of other
-- numbers what they are.
local function levels_of(operation, sources, range)
  local low, high = range_option(operation, range)
  if low then return low, high end
  if whole_range[sources[1].dtype] then return 0, whole_range[sources[1].dtype] end
  low, high = math.huge, -math.huge
  for _, source in ipairs(sources) do
    local a, b = numbers.range(source.data, source.count)
    low, high = math.min(low, a), math.max(high, b)
  end
  return low, high
end

local function pictures(operation, sources, read)
  local low, high = levels_of(operation, sources, read.range)
  read.pictures, read.scale = {}, read.scale or 1
  for i, source in ipairs(sources) do read.pictures[i] = pixels.of_image(source, low, high) end
  return figure.new(kinds.pictures, read)
end

local known_image = { title = "text", range = "range", scale = { 1, 64 } }

-- sel.plot.image(image, options): a picture [height, width], [channels, height, width] or [height,
-- width, channels] with 1 or 3 channels. Options: range = {black, full}; unless given, bytes go
-- from 0 to 255 and other numbers from their smallest to their largest; title; scale = 1, the side
-- of a pixel in a PNG file. Returns a figure.
function M.image(image, options)
  local read = read_options("plot.image", options, known_image)
  read.columns = 1
  return pictures("plot.image", { pixels.read("plot.image: argument 1 (image)", image) }, read)
end

local known_grid = { title = "text", labels = "names", columns = { 1, 1000 }, range = "range",
                     scale = { 1, 64 } }

-- sel.plot.grid(images, options): pictures side by side: a tensor [n, height, width], [n, channels,
-- height, width] or [n, height, width, channels], or a list of images. Options: columns; labels, a
-- text for each; range, title and scale as for sel.plot.image. Returns a figure.
function M.grid(images, options)
  local read = read_options("plot.grid", options, known_grid)
  local sources, n = {}, nil
  if arguments.is_tensor(images) then
    n = (images:dim() == 3 or images:dim() == 4) and images:size(1) or nil
  elseif type(images) == "table" then
    n = #images
  end
  if not n or n == 0 then
    errors.argument("plot.grid", 1, "images", "a tensor [n, height, width] or [n, channels, "
                    .. "height, width], or a list of images", images)
  end
  for i = 1, n do
    sources[i] = pixels.read(("plot.grid: image %d"):format(i), images[i])
  end
  read.labels = names_option("plot.grid", "labels", read.labels, n)
  read.columns = math.min(read.columns or math.ceil(math.sqrt(n)), n)
  return pictures("plot.grid", sources, read)
end

-- ---- tables ----

local known_confusion = { title = "text" }

-- sel.plot.confusion(counts, names, options): which class was taken for which. counts[actual]
-- [predicted] is a table of rows or a tensor [n, n]; names name the classes, which are numbers from
-- 0 without. At the end of a row stands its recall. Option: title. Returns a figure.
function M.confusion(counts, names, options)
  local read = read_options("plot.confusion", options, known_confusion)
  if arguments.is_tensor(counts) and counts:dim() == 2 then counts = counts:totable() end
  errors.expect("table", "plot.confusion", 1, "counts", counts)
  local n = #counts
  read.counts = {}
  for i = 1, n do
    local row = counts[i]
    if type(row) ~= "table" or #row ~= n then
      local got = type(row) == "table" and ("%d numbers"):format(#row) or errors.describe(row)
      errors.raise(("plot.confusion: argument 1 (counts): expected %d rows of %d numbers, row %d "
                    .. "has %s"):format(n, n, i, got))
    end
    read.counts[i] = {}
    for j = 1, n do
      if type(row[j]) ~= "number" then
        errors.raise(("plot.confusion: counts[%d][%d]: expected a number, got %s")
                     :format(i, j, errors.describe(row[j])))
      end
      read.counts[i][j] = row[j]
    end
  end
  if n == 0 then errors.raise "plot.confusion: argument 1 (counts): there are no rows" end
  if names == nil then
    names = {}
    for i = 1, n do names[i] = i - 1 end
  end
  read.names = names_option("plot.confusion", "names", names, n)
  return figure.new(kinds.confusion, read)
end

local known_attention = { title = "text", rows = "names", columns = "names", range = "range",
                          map = "map", beside = { 1, 100 } }

-- sel.plot.attention(weights, options): a map of numbers as colours: [queries, keys], or [heads,
-- queries, keys] with a panel for each head. Options: rows and columns, names of queries and keys;
-- range = {low, high}, at first from 0 or the smallest to the largest; map = 'viridis', 'blues' or
-- 'grey'; beside = 4, panels in a row; title. Returns a figure.
function M.attention(weights, options)
  local read = read_options("plot.attention", options, known_attention)
  local n = arguments.is_tensor(weights) and weights:dim()
  if n ~= 2 and n ~= 3 or weights:numel() == 0 then
    errors.argument("plot.attention", 1, "weights",
                    "a tensor [queries, keys] or [heads, queries, keys]", weights)
  end
  local shape = weights:shape()
  local data, count = numbers.read_tensor(weights)
  local low, high = range_option("plot.attention", read.range)
  if not low then
    low, high = numbers.range(data, count)
    if low > high then low, high = 0, 1 end
    low = math.min(low, 0)
  end
  local map = read.map or "viridis"
  if type(map) ~= "string" or not colours.map(map) then
    errors.option("plot.attention", "map", colours.map_names, map)
  end
  local rows, columns = shape[n - 1], shape[n]
  local panels, labels = n == 3 and shape[1] or 1, nil
  if n == 3 then
    labels = {}
    for i = 1, panels do labels[i] = "head " .. i end
  end
  return figure.new(kinds.heat, {
    title = read.title, data = data, panels = panels, rows = rows, columns = columns, low = low,
    high = high, map = map, labels = labels, beside = read.beside or 4,
    row_names = names_option("plot.attention", "rows", read.rows, rows),
    column_names = names_option("plot.attention", "columns", read.columns, columns),
    range = ("from %.4g to %.4g"):format(low, high),
  })
end

return M
