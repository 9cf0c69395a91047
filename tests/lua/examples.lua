-- The examples run as they stand; the longer ones in a short form.

local check = require "check"
local test, equal, contains, run = check.test, check.equal, check.contains, check.run

local folder = os.getenv "SEL_TEST_DIR" .. "/../examples/"

local function example(name, options)
  local script = check.quote(folder .. name .. ".lua")
  local output, status = run(check.program .. " " .. script .. " " .. (options or ""))
  if status ~= 0 then error(output, 2) end
  return output
end

test("01_tensors", function()
  contains(example "01_tensors", "f32[2, 3] cpu", "shapes [2, 3] and [4] do not broadcast")
end)

test("02_autograd", function()
  contains(example "02_autograd", "[5., 7., 9.]", "slope 2.99, offset 0.50")
end)

test("03_fashion_mnist_fc learns, saves, and is used", function()
  local file = io.open "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"
  if not file then
    print "03_fashion_mnist_fc: left out, dataset-fashion-mnist is not installed"
    return
  end
  file:close()
  local target = run "mktemp -d":match "%S+"
  local options = "--epochs 2 --limit 4000 --out " .. target
  local output = example("03_fashion_mnist_fc", options)
  contains(output, "epoch 1/2", "epoch 2/2", "recall", "Ankle boot", "this is: ")
  local accuracy = tonumber(output:match "test accuracy (%S+)")
  assert(accuracy > 0.7, output)
  for _, name in ipairs { "model.safetensors", "loss.svg" } do
    local written = assert(io.open(target .. "/" .. name))
    assert(written:seek "end" > 1000)
    written:close()
  end
  -- the same seed gives the same network
  equal(example("03_fashion_mnist_fc", options):match "test accuracy (%S+)",
        output:match "test accuracy (%S+)")
  run("rm -r " .. target)
  local script = check.quote(folder .. "03_fashion_mnist_fc.lua")
  contains(run(check.program .. " " .. script .. " --epoch 1"), "no option --epoch")
end)
