-- A picture as a list of shapes, which svg.lua and png.lua paint. Lengths are pixels, y grows
-- downwards; the list is painted in order, on white.

local drawing = {}
drawing.__index = drawing

-- Fields: width, height, and the shapes, each a table with its `kind`.
function drawing.new(width, height)
  return setmetatable({ width = width, height = height }, drawing)
end

local function add(self, shape) self[#self + 1] = shape end

-- Filled where `colour` is given, with an outline where `outline` is.
function drawing:rectangle(x, y, width, height, colour, outline)
  add(self, { kind = "rectangle", x = x, y = y, width = width, height = height, colour = colour,
              outline = outline })
end

-- A line through `points`, x1, y1, x2, y2, ...
function drawing:curve(points, colour, thickness)
  add(self, { kind = "curve", points = points, colour = colour, thickness = thickness })
end

function drawing:line(x1, y1, x2, y2, colour)
  self:curve({ x1, y1, x2, y2 }, colour, 1)
end

function drawing:dot(x, y, radius, colour)
  add(self, { kind = "dot", x = x, y = y, radius = radius, colour = colour })
end

-- Clean text (label.lua) whose baseline begins, ends or has its middle at x, y: `anchor` is
-- "start", "end" or "middle". Options: size = 13, colour = black, upwards = true.
function drawing:text(x, y, anchor, text, options)
  if text == nil or text == "" then return end
  options = options or {}
  add(self, { kind = "text", x = x, y = y, anchor = anchor, text = text, size = options.size or 13,
              colour = options.colour or { 0, 0, 0 }, upwards = options.upwards })
end

-- Pixels (pixels.lua) as a rectangle, with hard edges.
function drawing:pixels(x, y, width, height, pixels)
  add(self, { kind = "pixels", x = x, y = y, width = width, height = height, pixels = pixels })
end

return drawing
