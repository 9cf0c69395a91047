-- Line charts, confusion tables, images in text.

local sel = require "selenite"
local plot = sel.plot
local check = require "check"
local test, equal, contains, raises = check.test, check.equal, check.contains, check.raises

test("a line chart", function()
  local path = os.tmpname()
  plot.line(path, { { name = "a < b", y = { 1, 3, 2 } },
                    { name = "second", x = { 1, 3 }, y = { 0, 0 / 0 } } },
            { title = "T", x_label = "X", y_label = "Y" })
  local file = io.open(path)
  local text = file:read "*a"
  file:close()
  os.remove(path)
  contains(text, "<svg", "</svg>", "a &lt; b", ">T<", ">X<", ">Y<")
  equal(select(2, text:gsub("<polyline", "")), 2)
  equal(text:find "nan", nil)
  raises(function() plot.line(path, {}) end, "no finite point")
  raises(function() plot.line(path, {}, { titel = 1 }) end, "plot.line: no option 'titel'")
end)

test("a constant line", function()
  local path = os.tmpname()
  plot.line(path, { { y = { 2 } } })
  os.remove(path)
end)

test("a confusion table", function()
  equal(plot.confusion({ { 8, 2 }, { 0, 10 } }, { "cat", "dog" }), table.concat({
    "        cat  dog  recall",
    "cat       8    2   0.800",
    "dog       0   10   1.000" }, "\n"))
end)

test("an image in the terminal", function()
  equal(plot.image(sel.tensor { { 0, 1 }, { 0.5, 0 } }), "  @@\n==")
  raises(function() plot.image(1) end, "plot.image: argument 1 (image)")
end)
