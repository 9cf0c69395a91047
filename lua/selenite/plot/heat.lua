-- Maps of numbers as colours, such as attention: a row for each query, a column for each key, one
-- panel for each head.

local drawing = require "selenite.plot.drawing"
local axes = require "selenite.plot.axes"
local colours = require "selenite.plot.colours"
local label = require "selenite.plot.label"
local pixels = require "selenite.plot.pixels"
local pixels_text = require "selenite.plot.pixels_text"

local WIDTH, LARGEST = 720, 420 -- of a drawing; of a panel's side
local MARGIN, LINE = 12, 18
local ABOVE = 12                -- letters of a column's name above it, in the terminal

local M = {}

-- Panel i as pixels, one for each number.
local function panel_of(figure, i, map)
  local size = figure.rows * figure.columns
  return pixels.of_matrix(figure.data, (i - 1) * size, figure.rows, figure.columns, figure.low,
                          figure.high, colours.map(map))
end

local function longest(names, width_of)
  local width = 0
  for _, name in ipairs(names or {}) do width = math.max(width, width_of(name)) end
  return width
end

-- Names of rows or columns along a side of n cells, as many as there is room for, LINE apart.
local function each_name(names, zoom, fn)
  local every = math.max(math.ceil(LINE * 0.75 / zoom), 1)
  for i = 1, #(names or {}), every do fn(names[i], (i - 0.5) * zoom + 4) end
end

function M.draw(figure)
  local columns = math.min(figure.beside, figure.panels)
  local width, height = figure.columns, figure.rows
  local room = math.min((WIDTH - MARGIN) / columns - MARGIN, LARGEST)
  local zoom = room / math.max(width, height)
  if zoom > 1 then zoom = math.floor(zoom) end
  local left = figure.row_names and math.ceil(longest(figure.row_names, axes.width_of)) + 8 or 0
  local above = figure.column_names and math.ceil(longest(figure.column_names, axes.width_of)) + 8
    or 0
  local caption = figure.labels and LINE or 0
  local cell_width, cell_height = left + width * zoom, caption + above + height * zoom
  local top = figure.title and 40 or MARGIN
  local rows = math.ceil(figure.panels / columns)
  local out = drawing.new(MARGIN + columns * (cell_width + MARGIN),
                          top + rows * (cell_height + MARGIN) + LINE)
  out:text(out.width / 2, 26, "middle", figure.title, { size = 16 })
  for i = 1, figure.panels do
    local x = MARGIN + (i - 1) % columns * (cell_width + MARGIN) + left
    local y = top + math.floor((i - 1) / columns) * (cell_height + MARGIN)
    if figure.labels then
      out:text(x + width * zoom / 2, y + 12, "middle", figure.labels[i])
    end
    y = y + caption + above
    each_name(figure.row_names, zoom, function(name, at) out:text(x - 6, y + at, "end", name) end)
    each_name(figure.column_names, zoom, function(name, at)
      out:text(x + at, y - 6, "start", name, { upwards = true })
    end)
    out:pixels(x, y, width * zoom, height * zoom, panel_of(figure, i, figure.map))
  end
  out:text(out.width - MARGIN, out.height - 8, "end", figure.range, { size = 11 })
  return out
end

-- Names of columns, written downwards, `each` columns of the terminal apart.
local function names_above(names, each, indent)
  local letters, height = {}, 0
  for j, name in ipairs(names) do
    letters[j] = {}
    for char in label.characters(label.cut(name, ABOVE)) do table.insert(letters[j], char) end
    height = math.max(height, #letters[j])
  end
  local lines = {}
  for row = 1, height do
    local line = { (" "):rep(indent) }
    for j = 1, #names do
      local char = letters[j][row - (height - #letters[j])] or " "
      line[#line + 1] = label.fit(char, each)
    end
    lines[row] = table.concat(line):gsub("%s+$", "")
  end
  return lines
end

-- A panel as lines, a number in two columns. Where it is too wide, several numbers share a place,
-- and the names are left out.
local function panel_lines(figure, i, abilities)
  local plain = abilities.unicode and function(text) return text end or label.ascii
  local names, rows = {}, {}
  for j, name in ipairs(figure.column_names or {}) do names[j] = plain(name) end
  for j, name in ipairs(figure.row_names or {}) do rows[j] = plain(name) end
  local indent = longest(rows, label.columns)
  indent = indent > 0 and indent + 1 or 0
  local room = abilities.columns - 1 - indent
  local panel = panel_of(figure, i, abilities.colours > 0 and figure.map or "grey")
  if 2 * figure.columns > room then
    local factor = math.ceil(2 * figure.columns / (abilities.columns - 1))
    panel, names, rows, indent = pixels.reduced(panel, factor), {}, {}, 0
  end
  local lines = names_above(names, 2, indent)
  for y, text in ipairs(pixels_text.squares(panel, abilities)) do
    lines[#lines + 1] = (label.fit(rows[y] or "", indent) .. text):gsub("%s+$", "")
  end
  return lines
end

function M.text(figure, abilities)
  local plain = abilities.unicode and function(text) return text end or label.ascii
  local lines = {}
  if figure.title then lines[1] = plain(figure.title) end
  for i = 1, figure.panels do
    if figure.labels then lines[#lines + 1] = plain(figure.labels[i]) end
    for _, line in ipairs(panel_lines(figure, i, abilities)) do lines[#lines + 1] = line end
  end
  lines[#lines + 1] = ("(%s)"):format(figure.range)
  return table.concat(lines, "\n")
end

return M
