-- Options of a script.

local sel = require "selenite"
local check = require "check"
local test, equal, raises = check.test, check.equal, check.raises

local defaults = { epochs = 3, lr = 0.1, out = "." }

test("what is given stands over the defaults", function()
  local o = sel.options(defaults, { "--lr", "1e-3", "--out", "/x y" })
  equal({ o.epochs, o.lr, o.out }, { 3, 1e-3, "/x y" })
  equal(defaults.lr, 0.1)
  equal(sel.options(defaults, {}).epochs, 3)
end)

test("a switch needs no value", function()
  local switches = { resume = false, epochs = 3 }
  equal(sel.options(switches, { "--resume", "--epochs", "5" }).resume, true)
  equal(sel.options(switches, { "--epochs", "5", "--resume" }).epochs, 5)
  equal(sel.options(switches, { "--epochs", "5" }).resume, false)
  raises(function() sel.options(switches, { "--resume", "yes" }) end, "no option yes")
end)

test("mistakes name the option", function()
  raises(function() sel.options(defaults, { "--epoch", "3" }) end,
         "no option --epoch; there are --epochs, --lr, --out")
  raises(function() sel.options(defaults, { "epochs", "3" }) end, "no option epochs")
  raises(function() sel.options(defaults, { "--lr" }) end, "option --lr: a value is missing")
  raises(function() sel.options(defaults, { "--epochs", "many" }) end,
         "option --epochs: expected a number, got 'many'")
  raises(function() sel.options() end, "options: argument 1 (defaults): expected a table")
  raises(function() sel.options({ 3 }) end, "options: argument 1 (defaults): expected names")
  raises(function() sel.options(defaults, { 3 }) end, "options: argument 2 (given): expected a str")
end)
