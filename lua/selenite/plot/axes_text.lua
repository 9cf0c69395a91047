-- The frame of a chart in letters: title, axes with their ticks and names, legend, notes.

local label = require "selenite.plot.label"

local M = {}

M.ROWS = 16    -- of the plot itself
M.WIDEST = 100 -- columns, however wide the terminal is

local unicode = { tick = "┤", side = "│", corner = "└", bottom = "─", mark = "┬" }
local ascii = { tick = "+", side = "|", corner = "+", bottom = "-", mark = "+" }

-- The columns left of the axis, and those right of it, for the plot.
function M.columns(y_axis, abilities)
  local left = 0
  for _, tick in ipairs(y_axis.ticks) do left = math.max(left, #tick.text) end
  return left, math.max(math.min(abilities.columns - 1, M.WIDEST) - left - 2, 10)
end

-- The x axis's line, and its numbers: those that don't touch the one before.
local function bottom_lines(x_axis, left, columns, signs)
  local line, numbers, free = {}, {}, 1
  for i = 1, columns do line[i] = signs.bottom end
  for i = 1, left + 2 + columns do numbers[i] = " " end
  for _, tick in ipairs(x_axis.ticks) do
    local column = math.floor(tick.place * (columns - 1) + 0.5) + 1
    local first = left + 2 + column - math.floor(#tick.text / 2)
    first = math.max(math.min(first, #numbers - #tick.text + 1), 1)
    if first >= free then
      line[column] = signs.mark
      for i = 1, #tick.text do numbers[first + i - 1] = tick.text:sub(i, i) end
      free = first + #tick.text + 1
    end
  end
  return (" "):rep(left + 1) .. signs.corner .. table.concat(line),
         (table.concat(numbers):gsub("%s+$", ""))
end

local function centred(text, left, columns)
  return (label.fit(text, left + 2 + columns, "centre"):gsub("%s+$", ""))
end

-- Text of a chart whose plot is `rows`, texts of equal width, from the top. `legend` is a list of
-- texts, or empty.
function M.frame(figure, rows, x_axis, y_axis, legend, abilities)
  local signs = abilities.unicode and unicode or ascii
  local plain = abilities.unicode and function(text) return text end or label.ascii
  local left, columns = M.columns(y_axis, abilities)
  local lines = {}
  local function add(text) lines[#lines + 1] = text end
  if figure.title then add(centred(plain(figure.title), left, columns)) end
  if #legend > 0 then add((" "):rep(left + 2) .. plain(table.concat(legend, "  "))) end
  if figure.y_label then add(plain(figure.y_label)) end
  local ticks = {}
  for _, tick in ipairs(y_axis.ticks) do
    ticks[math.floor((1 - tick.place) * (#rows - 1) + 0.5) + 1] = tick.text
  end
  for i, row in ipairs(rows) do
    local text = ticks[i]
    add(label.fit(text or "", left, "right") .. " " .. (text and signs.tick or signs.side)
        .. (row:gsub("%s+$", "")))
  end
  local line, numbers = bottom_lines(x_axis, left, columns, signs)
  add(line)
  add(numbers)
  if figure.x_label then add(centred(plain(figure.x_label), left, columns)) end
  for _, note in ipairs(figure.notes) do add(plain("(" .. note .. ")")) end
  return table.concat(lines, "\n")
end

return M
