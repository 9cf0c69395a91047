-- Pixels in letters: coloured half blocks, two pixels above each other in a letter; without colours
-- two letters a pixel, which look brighter or darker.

local label = require "selenite.plot.label"
local colours = require "selenite.plot.colours"
local pixels = require "selenite.plot.pixels"

local M = {}

local SHADES = " .:-=+*#%@" -- from dark to bright, on a dark terminal

local function is_blocky(abilities) return abilities.unicode and abilities.colours > 0 end

-- How many columns a pixel takes.
function M.columns_of(abilities) return is_blocky(abilities) and 1 or 2 end

local function shades(picture)
  local lines = {}
  for y = 0, picture.height - 1 do
    local line = {}
    for x = 0, picture.width - 1 do
      local colour = { pixels.at(picture, x, y) }
      local shade = math.floor(colours.brightness(colour) * (#SHADES - 1) + 1e-9) + 1
      local letter = SHADES:sub(shade, shade)
      if picture.has_missing and colours.is_missing(colour) then letter = "?" end
      line[x + 1] = letter:rep(2)
    end
    lines[y + 1] = table.concat(line)
  end
  return lines
end

local function blocks(picture, abilities)
  local lines = {}
  for y = 0, picture.height - 1, 2 do
    local line, current = {}, nil
    for x = 0, picture.width - 1 do
      local upper = colours.escape({ pixels.at(picture, x, y) }, false, abilities.colours)
      local lower = y + 1 < picture.height
        and colours.escape({ pixels.at(picture, x, y + 1) }, true, abilities.colours) or ""
      if upper .. lower ~= current then
        line[#line + 1] = upper .. lower
        current = upper .. lower
      end
      line[#line + 1] = "▀"
    end
    lines[#lines + 1] = table.concat(line) .. colours.reset
  end
  return lines
end

-- Lines of equal width.
function M.lines(picture, abilities)
  return is_blocky(abilities) and blocks(picture, abilities) or shades(picture)
end

-- The same with two columns for each pixel, whatever the terminal can do.
function M.squares(picture, abilities)
  if abilities.colours == 0 then return shades(picture) end
  local lines = {}
  for y = 0, picture.height - 1 do
    local line = {}
    for x = 0, picture.width - 1 do
      line[x + 1] = colours.escape({ pixels.at(picture, x, y) }, true, abilities.colours) .. "  "
    end
    lines[y + 1] = table.concat(line) .. colours.reset
  end
  return lines
end

-- The factor by which a picture must be reduced to take at most `columns`.
function M.factor(width, columns, abilities)
  return math.max(math.ceil(width * M.columns_of(abilities) / columns), 1)
end

-- Lists of lines side by side, two spaces between, as one list; each line of parts[i] takes
-- widths[i] columns.
function M.beside(parts, widths)
  local lines, height = {}, 0
  for _, part in ipairs(parts) do height = math.max(height, #part) end
  for row = 1, height do
    local line = {}
    for i, part in ipairs(parts) do line[i] = part[row] or (" "):rep(widths[i]) end
    lines[row] = table.concat(line, "  "):gsub("%s+$", "")
  end
  return lines
end

-- A label in `columns` columns, in letters the terminal has.
function M.caption(text, columns, abilities)
  return label.fit(abilities.unicode and text or label.ascii(text), columns)
end

return M
