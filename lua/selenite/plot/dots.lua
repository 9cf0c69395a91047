-- Curves in letters: dots of Braille, eight to a letter, or one mark a letter.
--
-- Braille needs Unicode, and colours where there are several curves; else each curve has its mark.

local bit = require "bit"
local colours = require "selenite.plot.colours"

local MARKS = { "*", "+", "o", "x", "#", "@" }

-- Bit of the dot at column x + 1, row y + 1 of a letter (U+2800, ISO/TR 11548-1).
local BITS = { { 0x01, 0x02, 0x04, 0x40 }, { 0x08, 0x10, 0x20, 0x80 } }

local dots = {}
dots.__index = dots

-- For n curves in `columns` x `rows` letters. Fields: width, height, in dots.
function dots.new(columns, rows, n, abilities)
  local braille = abilities.unicode and (abilities.colours > 0 or n == 1)
  local self = { columns = columns, rows = rows, braille = braille, colours = abilities.colours,
                 width = columns * (braille and 2 or 1), height = rows * (braille and 4 or 1),
                 pattern = {}, curve = {} }
  return setmetatable(self, dots)
end

-- Sets the dot at x, y, which count from 0, for a curve.
function dots:set(x, y, curve)
  if not self.braille then
    self.curve[y * self.columns + x] = curve
    return
  end
  local cell = math.floor(y / 4) * self.columns + math.floor(x / 2)
  self.pattern[cell] = bit.bor(self.pattern[cell] or 0, BITS[x % 2 + 1][y % 4 + 1])
  self.curve[cell] = curve
end

-- A line from dot to dot; places are rounded.
function dots:line(x1, y1, x2, y2, curve)
  local steps = math.max(math.floor(math.max(math.abs(x2 - x1), math.abs(y2 - y1)) + 0.5), 1)
  for i = 0, steps do
    local t = i / steps
    self:set(math.floor(x1 + (x2 - x1) * t + 0.5), math.floor(y1 + (y2 - y1) * t + 0.5), curve)
  end
end

-- The sign a legend shows for a curve.
function dots:sign(curve)
  local sign = self.braille and "\226\160\164\226\160\164" or MARKS[(curve - 1) % #MARKS + 1]
  if self.colours == 0 then return sign end
  local colour = colours.palette[(curve - 1) % #colours.palette + 1]
  return colours.escape(colour, false, self.colours) .. sign .. colours.reset
end

local function letter(self, cell)
  if not self.braille then return MARKS[(self.curve[cell] - 1) % #MARKS + 1] end
  local pattern = self.pattern[cell] -- U+2800 + pattern
  return string.char(0xE2, 0xA0 + bit.rshift(pattern, 6), 0x80 + bit.band(pattern, 63))
end

-- The rows as texts, from the top.
function dots:lines()
  local lines = {}
  for row = 0, self.rows - 1 do
    local parts, current = {}, nil
    for column = 0, self.columns - 1 do
      local cell = row * self.columns + column
      local curve = self.curve[cell]
      if self.colours > 0 and curve and curve ~= current then
        parts[#parts + 1] = colours.escape(colours.palette[(curve - 1) % #colours.palette + 1],
                                           false, self.colours)
        current = curve
      end
      parts[#parts + 1] = curve and letter(self, cell) or " "
    end
    if current then parts[#parts + 1] = colours.reset end
    lines[row + 1] = table.concat(parts)
  end
  return lines
end

return dots
