-- One example's losses on the device under test beside the CPU's, over its first 100 updates from
-- the same seed: usage curves.lua NAME. The example runs as it stands, in this process; what it
-- tells sel.progress, or sel.train its callbacks, is noted, and after 100 updates it is stopped.
-- Losses are to agree within 1e-3 of themselves.

local tests = os.getenv "SEL_TEST_DIR"
package.path = tests .. "/lua/?.lua;" .. package.path
local device = require "device"
local sel = require "selenite"

local UPDATES, TOLERANCE = 100, 1e-3
local fashion_mnist = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"
local bible = "/usr/bin/bible"

-- needs: a file without which the example is left out. Networks and batches are smaller than the
-- examples' own; the rates are theirs, which grow for longer than 100 updates, but the
-- convolutional network's: there, training magnifies differences in rounding beyond 1e-3 between
-- one CPU's instruction sets too (docs/opencl.md).
local examples = {
  ["03_fashion_mnist_fc"] = { needs = fashion_mnist, options = "" },
  ["04_fashion_mnist_cnn"] = { needs = fashion_mnist, options = "--batch 16 --lr 0.002" },
  ["06_fashion_mnist_resnet"] = { needs = fashion_mnist, options = "--batch 16 --width 16" },
  ["08_king_james_lstm"] = { needs = bible,
                             options = "--limit 300000 --batch 8 --steps 32 --hidden 64" },
  ["09_king_james_gpt"] = { needs = bible,
                            options = "--limit 300000 --context 64 --width 64 --layers 2" },
}

-- The losses of the example's first updates on a device.
local function curve(name, options, on)
  local losses, enough = {}, {}
  local function note(loss)
    losses[#losses + 1] = loss
    if #losses == UPDATES then error(enough) end
  end
  local progress, train, arguments = sel.progress, sel.train, arg
  sel.progress = function()
    return { step = function(_, _, values) note(values.loss or values.bits) end,
             finish_epoch = function() end }
  end
  sel.train = function(settings)
    settings.callbacks = { { step = function(run) note(run.loss) end } }
    return train(settings)
  end
  _G.arg = {}
  for word in (options .. " --device " .. on):gmatch "%S+" do table.insert(arg, word) end
  local _, message = pcall(dofile, tests .. "/../examples/" .. name .. ".lua")
  sel.progress, sel.train, _G.arg = progress, train, arguments
  if message ~= enough then error(("%s on %s: %s"):format(name, on, message or "too short")) end
  return losses
end

local name = arg[1]
local example = examples[name] or error(name .. ": not in curves.lua")
local file = io.open(example.needs)
if not file then
  print(name .. ": left out, " .. example.needs .. " is not there")
  os.exit(77)
end
file:close()

local expected = curve(name, example.options, "cpu")
local got = curve(name, example.options, device.name)
local largest, at = 0, 1
print(("%6s  %10s  %10s  %s"):format("update", "cpu", device.name, "difference"))
for i = 1, UPDATES do
  local difference = math.abs(got[i] - expected[i]) / expected[i]
  if i == 1 or i % 10 == 0 then
    print(("%6d  %10.6f  %10.6f  %.1e"):format(i, expected[i], got[i], difference))
  end
  if difference > largest or difference ~= difference then largest, at = difference, i end
end
print(("largest difference: %.1e of the loss, at update %d"):format(largest, at))
assert(largest <= TOLERANCE, ("more than %g"):format(TOLERANCE))
