-- The frame of a chart in a drawing: title, axes with their ticks and names, legend, notes.

local drawing = require "selenite.plot.drawing"
local label = require "selenite.plot.label"

local RIGHT, BOTTOM = 20, 46
local LINE = 18       -- pixels between lines of text
local LETTER = 7.2    -- about the width of a letter of 13 pixels
local GREY, LIGHT, DARK = { 221, 221, 221 }, { 238, 238, 238 }, { 68, 68, 68 }

local M = {}

-- Pixels that a text of 13 pixels takes, about.
function M.width_of(text) return label.columns(text) * LETTER end

-- A drawing for `figure`, with its fields title, x_label, y_label, width, height and notes (a list
-- of texts), and a legend of { text, colour } entries. Returns the drawing and the functions that
-- place values of the axes in it.
function M.frame(figure, x_axis, y_axis, legend)
  local out = drawing.new(figure.width, figure.height)
  local widest = 0
  for _, tick in ipairs(y_axis.ticks) do widest = math.max(widest, M.width_of(tick.text)) end
  local left = math.ceil(widest) + (figure.y_label and 36 or 16)
  local top = figure.title and 36 or 16
  local right, bottom = out.width - RIGHT, out.height - BOTTOM
  if #figure.notes > 0 then bottom = bottom - 12 end

  local x = left
  for i, entry in ipairs(legend) do
    local width = M.width_of(entry.text) + 40
    if i > 1 and x + width > right then x, top = left, top + LINE end
    out:curve({ x, top + 2, x + 18, top + 2 }, entry.colour, 2.5)
    out:text(x + 24, top + 6, "start", entry.text)
    x = x + width
  end
  if #legend > 0 then top = top + LINE end

  local function to_x(value) return left + x_axis.place(value) * (right - left) end
  local function to_y(value) return bottom - y_axis.place(value) * (bottom - top) end
  for _, tick in ipairs(y_axis.ticks) do
    local y = bottom - tick.place * (bottom - top)
    out:line(left, y, right, y, GREY)
    out:text(left - 8, y + 4, "end", tick.text, { size = 12 })
  end
  for _, tick in ipairs(x_axis.ticks) do
    local at = left + tick.place * (right - left)
    out:line(at, top, at, bottom, LIGHT)
    out:text(at, bottom + 16, "middle", tick.text, { size = 12 })
  end
  out:rectangle(left, top, right - left, bottom - top, nil, DARK)
  out:text(out.width / 2, 24, "middle", figure.title, { size = 16 })
  out:text((left + right) / 2, bottom + 36, "middle", figure.x_label)
  out:text(16, (top + bottom) / 2, "middle", figure.y_label, { upwards = true })
  out:text(right, out.height - 6, "end", table.concat(figure.notes, "; "),
           { size = 11, colour = DARK })
  return out, to_x, to_y
end

return M
