-- What all figures can do: show themselves as text and write themselves to files.
--
-- A kind of figure is a table with the functions text(figure, abilities), which gives a text for a
-- terminal (terminal.abilities), and draw(figure), which gives a drawing (drawing.lua). One that is
-- nothing but pixels also has pixels(figure); it gives nil where the figure has words as well.

local errors = require "selenite.errors"
local files = require "selenite.files"
local terminal = require "selenite.terminal"
local pixels = require "selenite.plot.pixels"
local svg = require "selenite.plot.svg"

local figure = {}
figure.__index = figure

-- A figure of `kind`, made of a table of the kind's own fields, which becomes the figure.
function figure.new(kind, fields)
  fields.kind = kind
  return setmetatable(fields, figure)
end

local known = { unicode = true, colours = true, columns = true }

-- figure:text(options): the figure in letters, as print(figure) shows it. What the terminal can do
-- is found out; options say otherwise: unicode = true or false; colours = 0, 256 or 2^24; columns =
-- how wide it may be.
function figure:text(options)
  errors.check_options("text", options, known)
  local abilities = terminal.abilities()
  for name in pairs(known) do
    local value = options and options[name]
    if value ~= nil then
      if type(value) ~= type(abilities[name]) then
        errors.option("text", name, "a " .. type(abilities[name]), value)
      end
      abilities[name] = value
    end
  end
  abilities.columns = math.max(abilities.columns, 20)
  return self.kind.text(self, abilities)
end

function figure:__tostring() return self:text() end

-- figure:svg(): the figure as the text of an SVG file.
function figure:svg() return svg(self.kind.draw(self)) end

-- figure:pixels(): the figure as pixels (pixels.lua): the exact ones, enlarged by a whole number,
-- where it has no words, else painted.
function figure:pixels()
  local exact = self.kind.pixels and self.kind.pixels(self)
  return exact or require "selenite.plot.png" (self.kind.draw(self))
end

local writers = {}

function writers.svg(self, path) files.write_text(path, self:svg()) end

function writers.png(self, path) files.save_png(path, pixels.tensor(self:pixels())) end

-- figure:save(path): writes the figure to a file, whose name ends in .svg or .png. As PNG an image
-- or grid without title and labels is written pixel by pixel; other figures are painted by cairo,
-- which is in Debian's package libcairo2.
function figure:save(path)
  errors.expect("string", "save", 1, "path", path)
  local writer = writers[path:lower():match "%.(%w+)$" or ""]
  if not writer then
    errors.argument("save", 1, "path", "a file name that ends in .svg or .png", path)
  end
  writer(self, path)
end

return figure
