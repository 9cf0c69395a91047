-- The progress line, with and without a terminal.

local sel = require "selenite"
local check = require "check"
local test, equal, raises = check.test, check.equal, check.raises

-- Collects what is written.
local function sink()
  return { text = "", flush = function() end,
           write = function(self, ...) self.text = self.text .. table.concat { ... } end }
end

test("without a terminal each epoch leaves one plain line", function()
  local output = sink()
  local p = sel.progress { epochs = 2, batches = 2, unit = "images", output = output }
  for _ = 1, 2 do
    p:step(10, { loss = 0.5, accuracy = 0.25 })
    p:step(10, { loss = 0.25, accuracy = 0.75 })
    p:finish_epoch { loss = 0.375, accuracy = 0.5 }
  end
  local lines = {}
  for line in output.text:gmatch "[^\n]+" do lines[#lines + 1] = line end
  equal(#lines, 2)
  assert(lines[1]:match "^epoch 1/2  loss 0.375  accuracy 0.500  %S+ images/s  0:00$", lines[1])
  assert(lines[2]:match "^epoch 2/2 ", lines[2])
  equal(output.text:find "\r", nil)
  assert(p:seconds() >= 0)
end)

test("live, the line is rewritten", function()
  local output = sink()
  local p = sel.progress { epochs = 1, batches = 100, values = { "loss" }, output = output }
  p.live = true
  for _ = 1, 100 do p:step(1, { loss = 1 }) end
  assert(output.text:match "^\repoch 1/1  1/100  loss 1.000  %S+ examples/s  %S+ left",
         output.text)
  assert(#output.text < 2000) -- not at every step
  p:finish_epoch()
  assert(output.text:match "\repoch 1/1  loss 1.000  [^\r]+\n$", output.text)
end)

test("a run that goes on begins in the middle", function()
  local output = sink()
  local p = sel.progress { epochs = 3, batches = 4, done = 6, values = {}, output = output }
  p.live = true
  p:step(1, {})
  assert(output.text:match "^\repoch 2/3  3/4 ", output.text)
  p:finish_epoch()
  equal({ p.epoch, p.batch }, { 3, 0 })
end)

test("mistakes", function()
  raises(function() sel.progress {} end, "progress: option '", "' is required")
  raises(function() sel.progress { epochs = 1, batches = 1, bar = true } end, "no option 'bar'")
end)
