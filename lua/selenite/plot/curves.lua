-- Curves: a loss over batches, several runs side by side.

local colours = require "selenite.plot.colours"
local numbers = require "selenite.plot.numbers"
local scale = require "selenite.plot.scale"
local thin = require "selenite.plot.thin"
local axes = require "selenite.plot.axes"
local axes_text = require "selenite.plot.axes_text"
local dots = require "selenite.plot.dots"

local M = {}

local function is_above_zero(v) return v > 0 and numbers.is_finite(v) end

-- x and y of each curve's points, and what of them can be shown.
local function fits_of(figure)
  return figure.log_x and is_above_zero or numbers.is_finite,
         figure.log_y and is_above_zero or numbers.is_finite
end

-- The axes with about n_x and n_y ticks.
local function axes_of(figure, n_x, n_y)
  local fits_x, fits_y = fits_of(figure)
  local x_low, x_high, y_low, y_high = math.huge, -math.huge, math.huge, -math.huge
  local whole = true
  for _, curve in ipairs(figure.curves) do
    for i = 0, curve.count - 1 do
      local x, y = curve.x and curve.x[i] or i + 1, curve.y[i]
      if fits_x(x) and fits_y(y) then
        x_low, x_high = math.min(x_low, x), math.max(x_high, x)
        y_low, y_high = math.min(y_low, y), math.max(y_high, y)
        whole = whole and x % 1 == 0
      end
    end
  end
  local x_axis = figure.log_x and scale.logarithmic(x_low, x_high, n_x)
    or scale.linear(x_low, x_high, n_x, 0, whole)
  local y_axis = (figure.log_y and scale.logarithmic or scale.linear)(y_low, y_high, n_y, 0.03)
  return x_axis, y_axis
end

-- The runs of points of a curve, placed by to_x and to_y. What a picture would show as one line is
-- thinned out.
local function runs_of(figure, curve, to_x, to_y)
  local fits_x, fits_y = fits_of(figure)
  return thin(curve.count, function(i)
    local x, y = curve.x and curve.x[i] or i + 1, curve.y[i]
    if fits_x(x) and fits_y(y) then return to_x(x), to_y(y) end
  end)
end

function M.draw(figure)
  local legend = {}
  for i, curve in ipairs(figure.curves) do
    curve.colour = colours.palette[(i - 1) % #colours.palette + 1]
    if curve.name then legend[#legend + 1] = { text = curve.name, colour = curve.colour } end
  end
  local x_axis, y_axis = axes_of(figure, 8, 6)
  local out, to_x, to_y = axes.frame(figure, x_axis, y_axis, legend)
  for _, curve in ipairs(figure.curves) do
    for _, run in ipairs(runs_of(figure, curve, to_x, to_y)) do
      if #run == 2 then
        out:dot(run[1], run[2], 2.5, curve.colour)
      else
        out:curve(run, curve.colour, 1.5)
      end
    end
  end
  return out
end

function M.text(figure, abilities)
  local x_axis, y_axis = axes_of(figure, 6, 4)
  local _, columns = axes_text.columns(y_axis, abilities)
  local canvas = dots.new(columns, axes_text.ROWS, #figure.curves, abilities)
  local function to_x(v) return x_axis.place(v) * (canvas.width - 1) end
  local function to_y(v) return (1 - y_axis.place(v)) * (canvas.height - 1) end
  local legend = {}
  for i, curve in ipairs(figure.curves) do
    if curve.name then legend[#legend + 1] = canvas:sign(i) .. " " .. curve.name end
    for _, run in ipairs(runs_of(figure, curve, to_x, to_y)) do
      canvas:line(run[1], run[2], run[1], run[2], i)
      for k = 3, #run, 2 do canvas:line(run[k - 2], run[k - 1], run[k], run[k + 1], i) end
    end
  end
  return axes_text.frame(figure, canvas:lines(), x_axis, y_axis, legend, abilities)
end

return M
