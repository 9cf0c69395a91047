-- Histograms: how often values fall into each of a row of equal bins.

local colours = require "selenite.plot.colours"
local scale = require "selenite.plot.scale"
local axes = require "selenite.plot.axes"
local axes_text = require "selenite.plot.axes_text"

local M = {}

-- Counts of values in n bins from low to high, the last of which includes high; and how many values
-- lie outside (NaN too). Bins and values count from 0.
function M.count(data, count, low, high, n)
  local counts, outside = {}, 0
  for bin = 1, n do counts[bin] = 0 end
  for i = 0, count - 1 do
    local v = data[i]
    if v >= low and v <= high then
      local bin = math.min(math.floor((v - low) / (high - low) * n), n - 1) + 1
      counts[bin] = counts[bin] + 1
    else
      outside = outside + 1
    end
  end
  return counts, outside
end

local function axes_of(figure, n_x, n_y)
  local most = 1
  for _, count in ipairs(figure.counts) do most = math.max(most, count) end
  return scale.linear(figure.low, figure.high, n_x), scale.linear(0, most * 1.04, n_y, 0, true)
end

function M.draw(figure)
  local x_axis, y_axis = axes_of(figure, 8, 6)
  local out, to_x, to_y = axes.frame(figure, x_axis, y_axis, {})
  local width = (figure.high - figure.low) / #figure.counts
  for i, count in ipairs(figure.counts) do
    if count > 0 then
      local left, right = to_x(figure.low + (i - 1) * width), to_x(figure.low + i * width)
      local gap = right - left > 4 and 1 or 0
      out:rectangle(left, to_y(count), right - left - gap, to_y(0) - to_y(count),
                    colours.palette[1])
    end
  end
  return out
end

-- The lowest k eighths of a letter are filled.
local EIGHTHS = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }

-- A letter that is filled to `part` of its height.
local function block(part, is_unicode)
  if not is_unicode then return part >= 0.5 and "#" or " " end
  local eighths = math.floor(part * 8 + 0.5)
  return EIGHTHS[math.min(eighths, 8)] or " "
end

-- The highest of the bins that a column of the terminal stands for.
local function heights_of(figure, columns)
  local heights, n = {}, #figure.counts
  for column = 1, columns do
    local first = math.floor((column - 1) / columns * n) + 1
    local last = math.max(math.ceil(column / columns * n), first)
    if n <= columns then last = first end
    heights[column] = 0
    for bin = first, last do heights[column] = math.max(heights[column], figure.counts[bin]) end
  end
  return heights
end

function M.text(figure, abilities)
  local x_axis, y_axis = axes_of(figure, 6, 4)
  local _, columns = axes_text.columns(y_axis, abilities)
  local heights, rows = heights_of(figure, columns), {}
  local colour = abilities.colours > 0
    and colours.escape(colours.palette[1], false, abilities.colours)
  for row = 1, axes_text.ROWS do
    local parts = {}
    for column = 1, columns do
      local filled = heights[column] > 0 and y_axis.place(heights[column]) * axes_text.ROWS or 0
      parts[column] = block(filled - (axes_text.ROWS - row), abilities.unicode)
    end
    local text = table.concat(parts)
    rows[row] = colour and colour .. text .. colours.reset or text
  end
  return axes_text.frame(figure, rows, x_axis, y_axis, {}, abilities)
end

return M
