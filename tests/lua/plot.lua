-- Figures: what they look like in a terminal, as SVG and as PNG, and what they refuse.

local sel = require "selenite"
local plot = sel.plot
local check = require "check"
local test, equal, contains, raises = check.test, check.equal, check.contains, check.raises

local golden = os.getenv "SEL_TEST_DIR" .. "/golden/plot/"
local plain = { unicode = false, colours = 0, columns = 40 }
local braille = { unicode = true, colours = 0, columns = 40 }
local coloured = { unicode = true, colours = 256, columns = 40 }

local read, write = check.read_file, check.write_file

-- The text is that of tests/golden/plot/NAME.
local function equal_to_golden(text, name)
  if text ~= read(golden .. name) then
    write(name, text)
    error(name .. " is not the golden one; what it is now lies in the test's folder", 2)
  end
end

local function two_curves()
  return plot.curves({ { name = "a < b", y = { 4, 2, 1, 0.5, 0.25 } },
                       { name = "second", x = { 1, 3, 5 }, y = { 1, 0 / 0, 3 } } },
                     { title = "T & T", x_label = "epoch", y_label = "loss" })
end

-- ---- curves ----

test("curves as SVG", function()
  local text = two_curves():svg()
  equal_to_golden(text, "curves.svg")
  equal(text, two_curves():svg())
  contains(text, "a &lt; b", ">T &amp; T<", ">epoch<", ">loss<", "1 of 3 values")
  equal(select(2, text:gsub('stroke="#1f77b4" stroke%-width="1.5"', "")), 1)
  equal(select(2, text:gsub("<circle", "")), 2) -- the points on both sides of the gap
  equal(text:find "nan", nil)
end)

test("curves in a terminal", function()
  equal_to_golden(two_curves():text(plain) .. "\n", "curves_plain.txt")
  local one = plot.curves({ 4, 2, 1, 0.5, 0.25 }, { log_y = true })
  equal_to_golden(one:text(braille) .. "\n", "curve_braille.txt")
  equal_to_golden(two_curves():text(coloured) .. "\n", "curves_colour.txt")
  equal(plot.curves({ 1 }):text(plain):find "[\128-\255\27]", nil)
end)

test("a curve from tensors", function()
  local f = plot.curves({ { x = sel.tensor { 1, 2, 3 }, y = sel.tensor { 1, 4, 9 } } })
  equal(f:svg(), plot.curves({ { x = { 1, 2, 3 }, y = { 1, 4, 9 } } }):svg())
  equal(plot.curves(sel.tensor { 1, 4, 9 }):svg(), plot.curves({ 1, 4, 9 }):svg())
end)

test("curves with little or nothing to draw", function()
  for _, y in ipairs { {}, { 2 }, { 2, 2, 2 }, { 0, 0 }, { 1e15, 1e15 + 1 }, { 0 / 0, 1 / 0 },
                       { -1e308, 1e308, 1 }, { 1e-30, 2e-30 } } do
    for _, log_y in ipairs { false, true } do
      local f = plot.curves({ { y = y } }, { log_y = log_y })
      contains(f:svg(), "</svg>")
      assert(not f:svg():find "nan" and not f:svg():find "inf")
      contains(f:text(plain), "+----")
    end
  end
  contains(plot.curves({}):text(plain), "(there is nothing to draw)")
  contains(plot.curves({ 0 / 0, 1 }):text(plain), "(curve 1: 1 of 2 values can't be drawn)")
  contains(plot.curves({ 0, 1 }, { log_y = true }):svg(), "curve 1: 1 of 2 values")
end)

test("a million points become what a picture can show, peaks included", function()
  local n = 1000000
  local y = sel.zeros(n)
  y:set(123456, 5)
  y:set(654321, -5)
  local text = plot.curves(y):svg()
  assert(#text < 60000, #text)
  local points = text:match 'stroke%-width="1.5" points="([^"]+)"'
  local low, high = math.huge, -math.huge
  for v in points:gmatch ",([%d.]+)" do
    low, high = math.min(low, tonumber(v)), math.max(high, tonumber(v))
  end
  assert(high - low > 300, high - low) -- from one end of the axis to the other
end)

test("round numbers at the axes", function()
  local scale = require "selenite.plot.scale"
  local function ticks(axis)
    local list = {}
    for i, tick in ipairs(axis.ticks) do list[i] = tick.text end
    return table.concat(list, " ")
  end
  equal(ticks(scale.linear(0, 1, 5)), "0 0.2 0.4 0.6 0.8 1.0")
  equal(ticks(scale.linear(-3, 7.5, 5)), "-2 0 2 4 6")
  equal(ticks(scale.linear(1, 4, 8, 0, true)), "1 2 3 4")
  equal(ticks(scale.linear(0, 2.5e7, 5)), "0 5e6 1.0e7 1.5e7 2.0e7 2.5e7")
  equal(ticks(scale.linear(0, 3e-6, 3)), "0 1e-6 2e-6 3e-6")
  equal(ticks(scale.linear(5, 5, 5)), "3 4 5 6 7")
  equal(ticks(scale.logarithmic(1e-4, 1, 5)), "0.0001 0.001 0.01 0.1 1")
  equal(ticks(scale.logarithmic(1, 30, 5)), "1 2 5 10 20")
  equal(ticks(scale.logarithmic(1e-20, 1e20, 4)), "1e-20 1e-10 1 1e10 1e20")
end)

test("what isn't a curve", function()
  raises(function() plot.curves(3) end, "plot.curves: argument 1 (curves): expected a table")
  raises(function() plot.curves({ { y = { 1, "x" } } }) end,
         'plot.curves: curves[1].y[2]: expected a number, got the string "x"')
  raises(function() plot.curves({ { y = { 1, 2 }, x = { 1 } } }) end,
         "curves[1]: expected as many x as y, got 1 and 2")
  raises(function() plot.curves(sel.ones(2, 2)) end, "a tensor of one dimension", "f32[2, 2]")
  raises(function() plot.curves({ 1 }, { titel = "x" }) end, "plot.curves: no option 'titel'")
  raises(function() plot.curves({ 1 }, { log_y = 1 }) end, "option 'log_y': expected a boolean")
  raises(function() plot.curves({ 1 }, { width = 5 }) end,
         "option 'width': expected a whole number from 200 to 10000, got the number 5")
end)

-- ---- histograms ----

test("a histogram", function()
  local f = plot.histogram({ 0, 0, 1, 2, 2, 2, 4, 0 / 0 }, { bins = 4, title = "H" })
  equal(f.counts, { 2, 1, 3, 1 })
  equal({ f.low, f.high }, { 0, 4 })
  equal_to_golden(f:svg(), "histogram.svg")
  equal_to_golden(f:text(braille) .. "\n", "histogram.txt")
  equal_to_golden(f:text(plain) .. "\n", "histogram_plain.txt")
  contains(f:svg(), "1 of 8 values are not finite")
end)

test("histograms of anything", function()
  local f = plot.histogram(sel.ones(3, 2))
  equal({ f.low, f.high, #f.counts }, { 0.5, 1.5, 5 })
  contains(plot.histogram({}):text(plain), "(there is nothing to draw)")
  contains(plot.histogram({ 1, 2, 9 }, { range = { 0, 5 } }):text(plain),
           "(1 of 3 values are outside)")
  equal(#plot.histogram(sel.rand(100000)).counts, 50)
  local many = plot.histogram(sel.arange(0, 1000), { bins = 1000 })
  equal(select(2, many:text(plain):gsub("\n", "\n")) > 10, true)
  raises(function() plot.histogram "x" end, "plot.histogram: argument 1 (values)")
  raises(function() plot.histogram({ 1 }, { range = { 3, 1 } }) end, "option 'range'")
end)

-- ---- pictures ----

test("an image in a terminal", function()
  local image = sel.tensor { { 0, 1 }, { 0.5, 0 } }
  equal(plot.image(image):text(plain), "  @@\n==")
  equal(plot.image(sel.tensor({ { 0, 255 } }, { dtype = "u8" })):text(coloured),
        "\27[38;5;16m▀\27[38;5;231m▀\27[0m")
  equal(plot.image(image):text { unicode = true, colours = 2 ^ 24 },
        "\27[38;2;0;0;0m\27[48;2;128;128;128m▀\27[38;2;255;255;255m\27[48;2;0;0;0m▀\27[0m")
  equal(plot.image(sel.tensor { { 0 / 0, 1 } }):text(plain), "??") -- a range of one value: black
  equal(plot.image(sel.ones(60, 60), { range = { 0, 1 } }):text(plain):match "^[^\n]*",
        ("@"):rep(60 / 4 * 2)) -- reduced to fit
end)

test("images as exact pixels", function()
  local bytes = sel.arange(0, 24):to "u8":reshape(4, 6)
  plot.image(bytes):save "exact.png"
  equal(sel.load_png "exact.png":reshape(4, 6):totable(), bytes:totable())
  plot.image(bytes, { scale = 2 }):save "exact.png"
  local big = sel.load_png "exact.png"
  equal(big:shape(), { 8, 12, 1 })
  equal(big:reshape(8, 12)[{ { 3, 4 }, { 5, 6 } }]:totable(), { { 8, 8 }, { 8, 8 } })
  local rgb = sel.arange(0, 24):to "u8":reshape(3, 2, 4)
  plot.image(rgb):save "exact.png"
  equal(sel.load_png "exact.png":permute(3, 1, 2):totable(), rgb:totable())
  plot.image(rgb:permute(2, 3, 1)):save "exact.png"
  equal(sel.load_png "exact.png":permute(3, 1, 2):totable(), rgb:totable())
  plot.image(sel.tensor { { 0 / 0, 0, 1 / 0, 2 } }):save "exact.png"
  equal(sel.load_png "exact.png":totable(),
        { { { 255, 0, 255 }, { 0, 0, 0 }, { 255, 255, 255 }, { 255, 255, 255 } } })
end)

test("a grid", function()
  local images = sel.arange(0, 20):to "u8":reshape(5, 2, 2)
  plot.grid(images):save "grid.png"
  local sheet = sel.load_png "grid.png"
  equal(sheet:shape(), { 6, 10, 1 }) -- two rows of three, two pixels between
  sheet = sheet:reshape(6, 10):totable()
  equal(sheet[1], { 0, 1, 255, 255, 4, 5, 255, 255, 8, 9 })
  equal(sheet[3], { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 })
  equal(sheet[5], { 12, 13, 255, 255, 16, 17, 255, 255, 255, 255 })
  local f = plot.grid({ sel.eye(2), sel.eye(3) }, { labels = { "two", "three" }, columns = 2 })
  equal(f:text(plain), "two   three\n@@    @@\n  @@    @@\n          @@")
end)

-- The pixels of the first picture in an SVG text.
local function embedded(text)
  local data = text:match "base64,([%w+/=]+)"
  local bits, bytes = 0, {}
  local digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  local value = 0
  for char in data:gsub("=", ""):gmatch "." do
    value, bits = value * 64 + digits:find(char, 1, true) - 1, bits + 6
    if bits >= 8 then
      bits = bits - 8
      bytes[#bytes + 1] = string.char(math.floor(value / 2 ^ bits))
      value = value % 2 ^ bits
    end
  end
  write("embedded.png", table.concat(bytes))
  return sel.load_png "embedded.png"
end

test("pictures in SVG", function()
  local bytes = sel.arange(0, 24):to "u8":reshape(4, 6)
  local text = plot.grid({ bytes }, { labels = { "a" }, title = "pictures" }):svg()
  contains(text, ">a<", ">pictures<", "image-rendering:pixelated")
  equal(embedded(text):reshape(4, 6):totable(), bytes:totable())
end)

test("what isn't an image", function()
  raises(function() plot.image(1) end, "plot.image: argument 1 (image)", "got the number 1")
  raises(function() plot.image(sel.ones(2, 3, 4)) end, "1 or 3 channels", "f32[2, 3, 4]")
  raises(function() plot.image(sel.ones(0, 3)) end, "f32[0, 3]")
  raises(function() plot.grid({}) end, "plot.grid: argument 1 (images)")
  raises(function() plot.grid({ sel.ones(2, 2), 3 }) end, "plot.grid: image 2")
  raises(function() plot.grid(sel.ones(2, 3, 3), { labels = { "a" } }) end,
         "plot.grid: 'labels': expected a list of 2 names, got a list of 1")
  raises(function() plot.image(sel.ones(2, 2)):save "picture.gif" end,
         "save: argument 1 (path)", "ends in .svg or .png", "picture.gif")
end)

-- ---- tables ----

test("a confusion table", function()
  local f = plot.confusion({ { 8, 2 }, { 0, 10 } }, { "cat", "dog" })
  equal(f:text(plain), table.concat({
    "        cat  dog  recall",
    "cat       8    2   0.800",
    "dog       0   10   1.000" }, "\n"))
  equal_to_golden(f:svg(), "confusion.svg")
  equal(plot.confusion(sel.tensor { { 8, 2 }, { 0, 10 } }, { "cat", "dog" }):svg(), f:svg())
  contains(plot.confusion({ { 1, 0 }, { 0, 0 } }):text(plain), "0         1    0   1.000",
           "1         0    0   0.000")
  contains(f:text(coloured), "\27[48;5;")
  raises(function() plot.confusion({ { 1, 2 }, { 3 } }) end,
         "expected 2 rows of 2 numbers, row 2 has 1 numbers")
  raises(function() plot.confusion({ { 1 } }, { "a", "b" }) end, "expected a list of 1 names")
  raises(function() plot.confusion({ { "x" } }) end, "counts[1][1]: expected a number")
  raises(function() plot.confusion({}) end, "there are no rows")
end)

test("attention", function()
  local weights = sel.tensor { { { 1, 0 }, { 0.5, 0.5 } }, { { 0, 1 }, { 0 / 0, 1 } } }
  local words = { "한국", "no" }
  local f = plot.attention(weights, { rows = words, columns = words, title = "A" })
  equal(f:text { unicode = true, colours = 0, columns = 40 }, table.concat({
    "A", "head 1", "     한n", "     국o", "한국 @@", "no   ====", "head 2", "     한n", "     국o",
    "한국   @@", "no   ??@@", "(from 0 to 1)" }, "\n"))
  contains(f:text(plain), "?? @@\nno ====")
  local text = f:svg()
  contains(text, ">head 2<", ">한국<", "from 0 to 1")
  local colours = embedded(text)
  equal(colours:totable()[1], { { 253, 231, 37 }, { 68, 1, 84 } }) -- viridis
  contains(plot.attention(sel.rand(50, 50)):text(plain), "\n") -- reduced to fit
  raises(function() plot.attention(sel.ones(2)) end, "plot.attention: argument 1 (weights)")
  raises(function() plot.attention(sel.ones(2, 2), { map = "jet" }) end, "option 'map'",
         "'viridis'")
  raises(function() plot.attention(sel.ones(2, 2), { rows = { "a" } }) end,
         "'rows': expected a list")
end)

-- ---- all figures ----

test("words from anywhere", function()
  local f = plot.curves({ 1, 2 }, { title = "a\27[31m\nb\255\237\160\128<" })
  contains(f:svg(), ">a [31m b????&lt;<")
  contains(f:text(plain), "a [31m b????<")
  contains(plot.curves({ 1, 2 }, { title = "é" }):text(plain), "?")
end)

test("painted as PNG", function()
  two_curves():save "curves.png"
  local image = sel.load_png "curves.png"
  equal(image:shape(), { 440, 720, 3 })
  local function at(x, y) return image[{ y + 1, x + 1 }]:totable() end
  equal(at(1, 1), { 255, 255, 255 })
  -- The bright pixels of each colour are there, and the frame is where SVG has it.
  local function count(r, g, b)
    local colour = sel.tensor({ r, g, b }, { dtype = "u8" })
    return image:eq(colour):all(3):sum():item()
  end
  assert(count(31, 119, 180) > 100, "the first curve")
  assert(count(214, 39, 40) > 5, "the second")
  local x, y, width, height = two_curves():svg()
    :match 'x="(%d+)" y="(%d+)" width="(%d+)" height="(%d+)" fill="none"'
  local middle = image[{ math.floor(y + height / 2) + 1 }]:totable()
  local left, right = middle[x + 1], middle[x + width]
  assert(left[1] < 200 and right[1] < 200, "the frame")
  local before = read "curves.png"
  two_curves():save "curves.png"
  equal(read "curves.png" == before, true)

  plot.confusion({ { 8, 2 }, { 0, 10 } }, { "cat", "dog" }):save "confusion.PNG"
  local table_x, table_y, fill = plot.confusion({ { 8, 2 }, { 0, 10 } }, { "cat", "dog" }):svg()
    :match '<rect x="(%d+)" y="(%d+)" width="43" height="43" fill="#(%x+)"'
  local corner = sel.load_png "confusion.PNG"[{ table_y + 2, table_x + 2 }]:totable()
  equal(("%02x%02x%02x"):format(unpack(corner)), fill)

  plot.grid({ sel.eye(2) }, { labels = { "x" } }):save "labelled.png"
  local shape = sel.load_png "labelled.png":shape()
  assert(shape[1] > 400 and shape[3] == 3)
end)

test("a file that can't be written", function()
  raises(function() two_curves():save "missing/curves.svg" end, "missing/curves.svg")
  raises(function() two_curves():save "missing/curves.png" end, "missing/curves.png")
  raises(function() two_curves():save(3) end, "save: argument 1 (path): expected a string")
end)

test("shown without a terminal", function()
  local f = two_curves()
  equal(tostring(f):find "\27", nil)
  local command = check.program .. " -e 'print(require [[selenite]].plot.curves{1, 2})'"
  contains(check.run("LC_ALL=C " .. command), "+---")
  contains(check.run("LC_ALL=C.UTF-8 " .. command), "└")
  raises(function() f:text { rows = 3 } end, "text: no option 'rows'")
  raises(function() f:text { colours = "no" } end, "option 'colours': expected a number")
end)

test("shown on a terminal", function()
  local terminal = require "terminal"
  local script = 'print(require("selenite").plot.image(require("selenite").eye(2)))'
  local function shown(variables)
    variables.LANG, variables.PATH = "C.UTF-8", os.getenv "PATH"
    variables.ASAN_OPTIONS, variables.LSAN_OPTIONS = os.getenv "ASAN_OPTIONS",
      os.getenv "LSAN_OPTIONS"
    local t = terminal.start({ check.program:match "^'(.*)'$", "-e", script }, variables)
    t:finish()
    return t.raw
  end
  contains(shown { TERM = "xterm" }, "\27[38;5;231m\27[48;5;16m▀")
  contains(shown { TERM = "xterm", COLORTERM = "truecolor" }, "\27[38;2;255;255;255m")
  equal(shown { TERM = "xterm", NO_COLOR = "1" }, "@@\r\n  @@\r\n")
  equal(shown { TERM = "dumb" }, "@@\r\n  @@\r\n")
end)

test("explained at the prompt", function()
  local explain = require("selenite.repl.explain").explain
  contains(explain({ sel = sel }, "sel.plot.histogram"), "histogram(values, options)", "range = ")
end)
