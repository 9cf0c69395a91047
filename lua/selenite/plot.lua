-- Small pictures: a line chart as SVG, a confusion table and an image as text.

local errors = require "selenite.errors"
local arguments = require "selenite.arguments"
local files = require "selenite.files"

local M = {}

local WIDTH, HEIGHT = 720, 440
local LEFT, RIGHT, TOP, BOTTOM = 70, 20, 40, 50
local COLOURS = { "#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf" }

-- A step of 1, 2 or 5 times a power of ten that cuts `range` into about n parts.
local function tick_step(range, n)
  local raw = range / n
  local power = 10 ^ math.floor(math.log10(raw))
  local digit = raw / power
  return (digit < 1.5 and 1 or digit < 3.5 and 2 or digit < 7.5 and 5 or 10) * power
end

local function bounds_of(series)
  local x0, x1, y0, y1 = math.huge, -math.huge, math.huge, -math.huge
  for _, line in ipairs(series) do
    for i, y in ipairs(line.y) do
      local x = line.x and line.x[i] or i
      if y == y and math.abs(y) < math.huge then
        x0, x1, y0, y1 = math.min(x0, x), math.max(x1, x), math.min(y0, y), math.max(y1, y)
      end
    end
  end
  if x0 > x1 then errors.raise "plot.line: there is no finite point to draw" end
  if x0 == x1 then x0, x1 = x0 - 0.5, x1 + 0.5 end
  if y0 == y1 then y0, y1 = y0 - 0.5, y1 + 0.5 end
  return x0, x1, y0, y1
end

local function escape(text)
  return (tostring(text):gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

local function text_at(x, y, anchor, text)
  return ('<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>'):format(x, y, anchor, escape(text))
end

-- Grid lines and numbers of both axes.
local function axes(add, x0, x1, y0, y1, to_x, to_y)
  local step = tick_step(y1 - y0, 6)
  for y = math.ceil(y0 / step) * step, y1 + step * 1e-6, step do
    add(('<path d="M%.1f %.1fH%.1f" stroke="#ddd"/>'):format(LEFT, to_y(y), WIDTH - RIGHT))
    add(text_at(LEFT - 8, to_y(y) + 4, "end", ("%.4g"):format(y)))
  end
  step = tick_step(x1 - x0, 8)
  for x = math.ceil(x0 / step) * step, x1 + step * 1e-6, step do
    add(('<path d="M%.1f %.1fV%.1f" stroke="#eee"/>'):format(to_x(x), TOP, HEIGHT - BOTTOM))
    add(text_at(to_x(x), HEIGHT - BOTTOM + 18, "middle", ("%.4g"):format(x)))
  end
end

local known = { title = true, x_label = true, y_label = true }

-- plot.line(path, { { name = "train", y = {...}, x = {...} }, ... }, { title =, x_label =,
-- y_label = }): writes a line chart as SVG. x counts from 1 unless given.
function M.line(path, series, options)
  errors.expect("string", "plot.line", 1, "path", path)
  errors.expect("table", "plot.line", 2, "series", series)
  for i, line in ipairs(series) do
    errors.expect("table", "plot.line", 2, ("series[%d]"):format(i), line)
    errors.expect("table", "plot.line", 2, ("series[%d].y"):format(i), line.y)
  end
  errors.check_options("plot.line", options, known)
  options = options or {}
  local x0, x1, y0, y1 = bounds_of(series)
  local function to_x(x) return LEFT + (x - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT) end
  local function to_y(y) return HEIGHT - BOTTOM - (y - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM) end
  local pieces = { ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-size="13" '
    .. 'font-family="sans-serif"><rect width="100%%" height="100%%" fill="#fff"/>')
    :format(WIDTH, HEIGHT) }
  local function add(text) pieces[#pieces + 1] = text end
  axes(add, x0, x1, y0, y1, to_x, to_y)
  for i, line in ipairs(series) do
    local colour, points = COLOURS[(i - 1) % #COLOURS + 1], {}
    for k, y in ipairs(line.y) do
      if y == y and math.abs(y) < math.huge then
        points[#points + 1] = ("%.1f,%.1f"):format(to_x(line.x and line.x[k] or k), to_y(y))
      end
    end
    add(('<polyline fill="none" stroke="%s" stroke-width="1.5" points="%s"/>')
        :format(colour, table.concat(points, " ")))
    if line.name then
      add(('<g fill="%s">'):format(colour)
          .. text_at(WIDTH - RIGHT - 8, TOP + 16 * i, "end", line.name) .. "</g>")
    end
  end
  add(text_at(WIDTH / 2, 22, "middle", options.title or ""))
  add(text_at(WIDTH / 2, HEIGHT - 12, "middle", options.x_label or ""))
  add(text_at(8, 22, "start", options.y_label or ""))
  add "</svg>\n"
  files.write_text(path, table.concat(pieces, "\n"))
end

-- plot.confusion(counts, names): text of a table counts[actual][predicted] with a row for each
-- actual class and its recall at the end.
function M.confusion(counts, names)
  errors.expect("table", "plot.confusion", 1, "counts", counts)
  errors.expect("table", "plot.confusion", 2, "names", names)
  local width, name_width = 5, 6
  for i = 1, #counts do
    name_width = math.max(name_width, #tostring(names[i]))
    for j = 1, #counts do width = math.max(width, #("%d"):format(counts[i][j]) + 1) end
  end
  local head = { (" "):rep(name_width) }
  for j = 1, #counts do
    local short = tostring(names[j]):sub(1, width - 1)
    head[#head + 1] = (" "):rep(width - #short) .. short
  end
  local lines = { table.concat(head) .. "  recall" }
  for i = 1, #counts do
    local row, total = { ("%-" .. name_width .. "s"):format(names[i]) }, 0
    for j = 1, #counts do
      row[#row + 1] = ("%" .. width .. "d"):format(counts[i][j])
      total = total + counts[i][j]
    end
    lines[#lines + 1] = table.concat(row)
      .. ("  %6.3f"):format(total > 0 and counts[i][i] / total or 0)
  end
  return table.concat(lines, "\n")
end

local SHADES = " .:-=+*#%@"

-- plot.image(image): text of a grey image [height, width], two characters a pixel; the smallest
-- value is blank, the largest full.
function M.image(image)
  if not arguments.is_tensor(image) or image:dim() ~= 2 then
    errors.argument("plot.image", 1, "image", "a tensor [height, width]", image)
  end
  local rows = image:double():totable()
  local low, high = math.huge, -math.huge
  for _, row in ipairs(rows) do
    for _, value in ipairs(row) do low, high = math.min(low, value), math.max(high, value) end
  end
  local lines = {}
  for i, row in ipairs(rows) do
    local line = {}
    for j, value in ipairs(row) do
      local shade = high > low and math.floor((value - low) / (high - low) * (#SHADES - 1)) + 1 or 1
      line[j] = SHADES:sub(shade, shade):rep(2)
    end
    lines[i] = table.concat(line):gsub("%s+$", "")
  end
  return table.concat(lines, "\n")
end

return M
