-- A drawing as SVG. The same drawing gives the same text.

local bit = require "bit"
local files = require "selenite.files"
local colours = require "selenite.plot.colours"
local pixels = require "selenite.plot.pixels"

local hex = colours.hex

local function escape(text)
  return (text:gsub("[&<>\"]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;",
                                 ["\""] = "&quot;" }))
end

-- A tenth of a pixel is fine enough.
local function number(v)
  return (("%.1f"):format(v):gsub("%.0$", ""):gsub("^%-0$", "0"))
end

local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

-- RFC 4648
local function base64(bytes)
  local parts = {}
  for i = 1, #bytes, 3 do
    local a, b, c = bytes:byte(i, i + 2)
    local word = bit.bor(bit.lshift(a, 16), bit.lshift(b or 0, 8), c or 0)
    local four = {}
    for k = 0, 3 do
      local digit = bit.band(bit.rshift(word, 18 - 6 * k), 63) + 1
      four[k + 1] = DIGITS:sub(digit, digit)
    end
    if not b then four[3] = "=" end
    if not c then four[4] = "=" end
    parts[#parts + 1] = table.concat(four)
  end
  return table.concat(parts)
end

local paint = {}

function paint.rectangle(s)
  return ('<rect x="%s" y="%s" width="%s" height="%s" fill="%s"%s/>')
    :format(number(s.x), number(s.y), number(s.width), number(s.height),
            s.colour and hex(s.colour) or "none",
            s.outline and (' stroke="%s"'):format(hex(s.outline)) or "")
end

function paint.curve(s)
  local points = {}
  for i = 1, #s.points, 2 do
    points[#points + 1] = number(s.points[i]) .. "," .. number(s.points[i + 1])
  end
  return ('<polyline fill="none" stroke="%s" stroke-width="%s" points="%s"/>')
    :format(hex(s.colour), number(s.thickness), table.concat(points, " "))
end

function paint.dot(s)
  return ('<circle cx="%s" cy="%s" r="%s" fill="%s"/>')
    :format(number(s.x), number(s.y), number(s.radius), hex(s.colour))
end

function paint.text(s)
  local x, y = number(s.x), number(s.y)
  return ('<text x="%s" y="%s" text-anchor="%s" font-size="%s" fill="%s"%s>%s</text>')
    :format(x, y, s.anchor, number(s.size), hex(s.colour),
            s.upwards and (' transform="rotate(-90 %s %s)"'):format(x, y) or "", escape(s.text))
end

function paint.pixels(s)
  return ('<image x="%s" y="%s" width="%s" height="%s" preserveAspectRatio="none" '
          .. 'style="image-rendering:pixelated" href="data:image/png;base64,%s"/>')
    :format(number(s.x), number(s.y), number(s.width), number(s.height),
            base64(files.encode_png(pixels.tensor(s.pixels))))
end

-- Text of a drawing.
return function(drawing)
  local width, height = number(drawing.width), number(drawing.height)
  local lines = {
    ('<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %s %s" '
     .. 'font-family="sans-serif">'):format(width, height, width, height),
    '<rect width="100%" height="100%" fill="#ffffff"/>',
  }
  for _, shape in ipairs(drawing) do lines[#lines + 1] = paint[shape.kind](shape) end
  lines[#lines + 1] = "</svg>\n"
  return table.concat(lines, "\n")
end
