-- Classes of modules that describe their options: made, checked and explained like a plugin's
-- layers.

local sel = require "selenite"
local nn = sel.nn
local help = require "selenite.nn.help"
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

local Gate = nn.module("Gate", {
  summary = "the input times a sigmoid of a linear map of it",
  options = {
    { name = "features", kind = "int", required = true, low = 1, doc = "extent of the last dim" },
    { name = "bias", kind = "bool", default = true, doc = "whether the map has a bias" },
    { name = "slope", kind = "number", default = 0.5, low = 0, doc = "factor inside the sigmoid" },
    { name = "form", kind = "string", default = "soft", choices = "soft|hard", doc = "which one" },
    { name = "kernel", kind = "ints", default = { 3, 2 }, max_count = 3, doc = "numbers" },
    { name = "dtype", kind = "dtype", default = "f32", doc = "of the parameters" },
  },
  inputs = { { name = "input", shape = "[*, features]" } },
  outputs = { { name = "output", shape = "[*, features]" } },
  example = "Gate(8):forward(sel.randn(2, 8))",
})
function Gate:init(options)
  self.seen = options
  self.map = nn.linear(options.features, options.features, { bias = options.bias })
end
function Gate:forward(x)
  local gate = self.map(x) * self.seen.slope
  return x * (self.seen.form == "hard" and gate:gt(0):float() or gate:sigmoid())
end

test("values by position and by name, and defaults", function()
  local options = Gate(3).seen
  equal({ options.features, options.bias, options.slope, options.form, options.dtype },
        { 3, true, 0.5, "soft", "f32" })
  equal(options.kernel, { 3, 2 })
  options = Gate(4, false, { form = "hard", kernel = 7, dtype = "f64" }).seen
  equal({ options.features, options.bias, options.form, options.dtype },
        { 4, false, "hard", "f64" })
  equal(options.kernel, { 7 })
  equal(Gate { features = 2, slope = 2 }.seen.slope, 2)
  near(Gate { features = 2, form = "hard" }(sel.zeros(1, 2)), { { 0, 0 } })
  equal(#Gate(3, false):parameters(), 1)
end)

test("wrong values", function()
  raises(function() Gate() end, "Gate", "option features must be given")
  raises(function() Gate(0) end, "Gate", "features", "got 0")
  raises(function() Gate(2.5) end, "Gate", "features")
  raises(function() Gate("two") end, "Gate", "features", "a number")
  raises(function() Gate(2, { form = "odd" }) end, "Gate", "form", "odd")
  raises(function() Gate(2, { kernel = { 1, 2, 3, 4 } }) end, "Gate", "kernel")
  raises(function() Gate(2, { width = 3 }) end, "Gate", "no option 'width'")
  raises(function() Gate(2, { features = 3 }) end, "Gate", "given twice")
  raises(function() Gate(2, true, 1, "soft", 1, "f32", 5) end, "Gate", "at most 6 options")
end)

test("help", function()
  local text = help.layer(Gate)
  check.contains(text, "Gate: the input times a sigmoid", "features",
                 "whole number 1..inf (required)", "soft|hard (default soft)", "3,2",
                 "[*, features]", "Gate(8):forward")
  equal(text:find("from ", 1, true), nil)
  check.contains(help.layer(nn.linear), "nn.linear:", "fc.so")
  raises(function() sel.help(nn.sequential) end, "there is no layer type")
end)

test("a parent, and classes without description", function()
  local Twice = nn.module("Twice", { parent = Gate, options = {
    { name = "features", kind = "int", required = true, doc = "extent" } } })
  function Twice:init(options)
    Gate.init(self, { features = options.features, bias = false, slope = 1 })
  end
  near(Twice(2)(sel.zeros(1, 2)), { { 0, 0 } })
  local Plain = nn.module "Plain"
  function Plain:init(...) self.n = select("#", ...) end
  equal(Plain(1, 2, { a = 3 }).n, 3)
end)

test("descriptions that contradict themselves", function()
  local function make(option) return function() nn.module("M", { options = { option } }) end end
  raises(make { name = "Width", kind = "int", default = 1, doc = "d" },
         "module M: option 1", "a name")
  raises(make { name = "width", kind = "float", default = 1, doc = "d" },
         "option width: kind is one of")
  raises(make { name = "width", kind = "int", default = 1 }, "option width: a line of doc")
  raises(make { name = "width", kind = "int", doc = "d" }, "required = true or a default")
  raises(make { name = "width", kind = "int", default = 1, required = true, doc = "d" },
         "required = true or a default")
  raises(make { name = "width", kind = "int", default = 0, low = 1, doc = "d" }, "width", "0")
  raises(make { name = "width", kind = "int", default = 1, doc = "d", max = 3 }, "no option 'max'")
  raises(function() nn.module("M", { option = {} }) end, "no option 'option'")
  raises(function() nn.module("M", { inputs = { "x" } }) end, "inputs 1: { name")
end)
