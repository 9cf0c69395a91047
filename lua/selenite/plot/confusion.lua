-- Confusion tables: how often each class was taken for which. A row for each actual class, with its
-- recall at the end.

local drawing = require "selenite.plot.drawing"
local axes = require "selenite.plot.axes"
local label = require "selenite.plot.label"
local colours = require "selenite.plot.colours"

local CELL, MARGIN = 44, 12
local DARK = { 68, 68, 68 }

local M = {}

local function number(value)
  return value % 1 == 0 and ("%.0f"):format(value) or ("%.2f"):format(value)
end

local function total(row)
  local sum = 0
  for _, count in ipairs(row) do sum = sum + count end
  return sum
end

-- The part of a row that a cell is; 0 where the class didn't occur.
local function share(row, column)
  local sum = total(row)
  return sum > 0 and row[column] / sum or 0
end

local blues = colours.map "blues"

-- Black or white, whichever can be read on a colour.
local function ink_on(colour)
  return colours.brightness(colour) > 0.5 and { 0, 0, 0 } or { 255, 255, 255 }
end

function M.draw(figure)
  local counts, names, n = figure.counts, figure.names, #figure.counts
  local longest = 0
  for _, name in ipairs(names) do longest = math.max(longest, axes.width_of(name)) end
  local left = MARGIN + 20 + math.ceil(longest) + 6
  local top = (figure.title and 40 or MARGIN) + 20 + math.ceil(longest) + 6
  local out = drawing.new(left + n * CELL + 70, top + n * CELL + MARGIN)
  out:text(out.width / 2, 26, "middle", figure.title, { size = 16 })
  out:text(left + n * CELL / 2, top - longest - 12, "middle", "predicted")
  out:text(MARGIN + 8, top + n * CELL / 2, "middle", "actual", { upwards = true })
  out:text(left + n * CELL + 60, top - 8, "end", "recall", { size = 12 })
  for i = 1, n do
    local y = top + (i - 1) * CELL
    out:text(left - 6, y + CELL / 2 + 4, "end", names[i])
    out:text(left + (i - 1) * CELL + CELL / 2 + 4, top - 6, "start", names[i], { upwards = true })
    for j = 1, n do
      local colour = blues(share(counts[i], j))
      local x = left + (j - 1) * CELL
      out:rectangle(x, y, CELL - 1, CELL - 1, colour)
      out:text(x + CELL / 2, y + CELL / 2 + 4, "middle", number(counts[i][j]),
               { size = 12, colour = ink_on(colour) })
    end
    out:text(left + n * CELL + 60, y + CELL / 2 + 4, "end", ("%.3f"):format(share(counts[i], i)),
             { size = 12, colour = DARK })
  end
  return out
end

-- A cell of the table, shaded by its part of the row where there are colours.
local function cell(text, part, abilities)
  if abilities.colours == 0 then return text end
  local colour = blues(part)
  return colours.escape(colour, true, abilities.colours)
    .. colours.escape(ink_on(colour), false, abilities.colours) .. text .. colours.reset
end

function M.text(figure, abilities)
  local counts, names, n = figure.counts, {}, #figure.counts
  local width, name_width = 5, 6
  for i = 1, n do
    names[i] = abilities.unicode and figure.names[i] or label.ascii(figure.names[i])
    name_width = math.max(name_width, label.columns(names[i]))
    for j = 1, n do width = math.max(width, #number(counts[i][j]) + 1) end
  end
  local lines, head = {}, { (" "):rep(name_width) }
  for j = 1, n do
    head[#head + 1] = " " .. label.fit(label.cut(names[j], width - 1), width - 1, "right")
  end
  if figure.title then
    lines[1] = abilities.unicode and figure.title or label.ascii(figure.title)
  end
  lines[#lines + 1] = table.concat(head) .. "  recall"
  for i = 1, n do
    local row = { label.fit(names[i], name_width) }
    for j = 1, n do
      row[#row + 1] = cell(label.fit(number(counts[i][j]), width, "right"), share(counts[i], j),
                           abilities)
    end
    lines[#lines + 1] = table.concat(row) .. ("  %6.3f"):format(share(counts[i], i))
  end
  return table.concat(lines, "\n")
end

return M
