-- Images, one or a grid of them, each perhaps with a label.

local drawing = require "selenite.plot.drawing"
local axes = require "selenite.plot.axes"
local pixels = require "selenite.plot.pixels"
local pixels_text = require "selenite.plot.pixels_text"

local GAP = 2         -- pixels between images of a grid that is nothing but pixels
local WIDTH = 720     -- of a drawing, at most
local LARGEST = 400   -- of an image in a drawing, unless it has more pixels
local MARGIN, LINE = 12, 18

local M = {}

local function largest(pictures)
  local width, height = 0, 0
  for _, picture in ipairs(pictures) do
    width, height = math.max(width, picture.width), math.max(height, picture.height)
  end
  return width, height
end

-- What is nothing but pixels stays so in a PNG file, each pixel a square of `scale`.
function M.pixels(figure)
  if figure.title or figure.labels then return nil end
  local pictures, columns = figure.pictures, figure.columns
  if #pictures == 1 then return pixels.enlarged(pictures[1], figure.scale) end
  local width, height = largest(pictures)
  local channels = 1
  for _, picture in ipairs(pictures) do channels = math.max(channels, picture.channels) end
  local rows = math.ceil(#pictures / columns)
  local sheet = pixels.new(columns * (width + GAP) - GAP, rows * (height + GAP) - GAP, channels)
  for i = 0, sheet.width * sheet.height * channels - 1 do sheet.data[i] = 255 end
  for i, picture in ipairs(pictures) do
    pixels.paste(sheet, picture, (i - 1) % columns * (width + GAP),
                 math.floor((i - 1) / columns) * (height + GAP))
  end
  return pixels.enlarged(sheet, figure.scale)
end

-- Pixels of the drawing that a pixel of an image takes: a whole number where that is 1 or more.
local function zoom_of(figure, width)
  local columns = figure.columns
  local room = math.min((WIDTH - MARGIN * (columns + 1)) / columns, math.max(LARGEST, width))
  local zoom = room / width
  return zoom >= 1 and math.floor(zoom) or zoom
end

function M.draw(figure)
  local width, height = largest(figure.pictures)
  local zoom, columns = zoom_of(figure, width), figure.columns
  local cell_width = width * zoom
  for _, text in ipairs(figure.labels or {}) do
    cell_width = math.max(cell_width, math.min(axes.width_of(text), WIDTH / columns))
  end
  local caption = figure.labels and LINE or 0
  local cell_height = height * zoom + caption
  local top = figure.title and 40 or MARGIN
  local rows = math.ceil(#figure.pictures / columns)
  local out = drawing.new(MARGIN + columns * (cell_width + MARGIN),
                          top + rows * (cell_height + MARGIN))
  if figure.title then
    out.width = math.max(out.width, axes.width_of(figure.title) * 16 / 13 + 2 * MARGIN)
  end
  out:text(out.width / 2, 26, "middle", figure.title, { size = 16 })
  for i, picture in ipairs(figure.pictures) do
    local x = MARGIN + (i - 1) % columns * (cell_width + MARGIN)
    local y = top + math.floor((i - 1) / columns) * (cell_height + MARGIN)
    if figure.labels then
      out:text(x + cell_width / 2, y + 12, "middle", figure.labels[i])
    end
    out:pixels(x + (cell_width - picture.width * zoom) / 2, y + caption, picture.width * zoom,
               picture.height * zoom, picture)
  end
  return out
end

function M.text(figure, abilities)
  local width = largest(figure.pictures)
  local each = pixels_text.columns_of(abilities)
  local fitting = math.max(math.floor((abilities.columns + 1) / (width * each + 2)), 1)
  local columns = math.min(figure.columns, fitting)
  local factor = pixels_text.factor(width, abilities.columns - 1, abilities)
  local lines = {}
  if figure.title then
    lines[1] = pixels_text.caption(figure.title, abilities.columns - 1, abilities):gsub("%s+$", "")
  end
  for first = 1, #figure.pictures, columns do
    local parts, widths = {}, {}
    for i = first, math.min(first + columns - 1, #figure.pictures) do
      local picture = pixels.reduced(figure.pictures[i], factor)
      local part = pixels_text.lines(picture, abilities)
      local taken = picture.width * each
      if figure.labels then
        table.insert(part, 1, pixels_text.caption(figure.labels[i] or "", taken, abilities))
      end
      parts[#parts + 1], widths[#widths + 1] = part, taken
    end
    if first > 1 then lines[#lines + 1] = "" end
    for _, line in ipairs(pixels_text.beside(parts, widths)) do lines[#lines + 1] = line end
  end
  return table.concat(lines, "\n")
end

return M
