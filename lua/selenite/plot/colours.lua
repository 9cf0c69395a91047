-- Colours: those of curves, and maps from 0..1 to colours for heat maps.
--
-- A colour is { red, green, blue }, each 0 to 255.

local M = {}

-- Of curves, in turn; easy to tell apart on white and on black.
M.palette = { { 31, 119, 180 }, { 214, 39, 40 }, { 44, 160, 44 }, { 148, 103, 189 },
              { 255, 127, 14 }, { 23, 190, 207 } }

-- What stands for a value that is no number.
M.missing = { 255, 0, 255 }
function M.is_missing(colour) return colour[1] == 255 and colour[2] == 0 and colour[3] == 255 end

local function mix(stops, t)
  local place = t * (#stops - 1) + 1
  local i = math.min(math.floor(place), #stops - 1)
  local a, b, part = stops[i], stops[i + 1], place - i
  local colour = {}
  for c = 1, 3 do colour[c] = math.floor(a[c] + (b[c] - a[c]) * part + 0.5) end
  return colour
end

local maps = {
  grey = { { 0, 0, 0 }, { 255, 255, 255 } },
  blues = { { 247, 251, 255 }, { 158, 202, 225 }, { 33, 113, 181 }, { 8, 48, 107 } },
  -- matplotlib's viridis (CC0) at every eighth
  viridis = { { 68, 1, 84 }, { 71, 44, 122 }, { 59, 81, 139 }, { 44, 113, 142 }, { 33, 144, 141 },
              { 39, 173, 129 }, { 92, 200, 99 }, { 170, 220, 50 }, { 253, 231, 37 } },
}

-- Names of the maps, for error messages.
M.map_names = "'blues', 'grey' or 'viridis'"

-- A function 0..1 -> colour; nil for a name that is none of map_names. It makes 256 colours.
function M.map(name)
  local stops = maps[name]
  if not stops then return nil end
  local made = {}
  return function(t)
    local level = t == t and math.floor(math.min(math.max(t, 0), 1) * 255 + 0.5) or -1
    made[level] = made[level] or (level < 0 and M.missing or mix(stops, level / 255))
    return made[level]
  end
end

-- How bright a colour looks, 0 to 1 (Rec. 709 weights on the stored values).
function M.brightness(colour)
  return (0.2126 * colour[1] + 0.7152 * colour[2] + 0.0722 * colour[3]) / 255
end

-- "#1f77b4"
function M.hex(colour) return ("#%02x%02x%02x"):format(colour[1], colour[2], colour[3]) end

-- The nearest of the 256 colours of terminals: 24 greys, or a cube with six levels a side.
local function of_256(colour)
  local r, g, b = colour[1], colour[2], colour[3]
  if r == g and g == b then
    local level = math.floor((r - 8) / 10 + 0.5)
    return level < 0 and 16 or level > 23 and 231 or 232 + level
  end
  local function side(v) return v < 48 and 0 or v < 115 and 1 or math.floor((v - 35) / 40) end
  return 16 + 36 * side(r) + 6 * side(g) + side(b)
end

-- The sequence that switches a terminal of 256 or 2^24 colours to one, in front or behind.
function M.escape(colour, behind, colours)
  local kind = behind and 48 or 38
  if colours > 256 then
    return ("\27[%d;2;%d;%d;%dm"):format(kind, colour[1], colour[2], colour[3])
  end
  return ("\27[%d;5;%dm"):format(kind, of_256(colour))
end

-- The sequence that ends all colours.
M.reset = "\27[0m"

return M
