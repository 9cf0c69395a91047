-- One example in a short form: usage examples.lua NAME. What it prints must hold certain texts, and
-- the numbers in it must be at least, or at most, what is stated here. The stated values are those
-- that a network reaches by learning; one that does not learn stays far from them.

local tests = os.getenv "SEL_TEST_DIR"
package.path = tests .. "/lua/?.lua;" .. package.path
local check = require "check"
local equal, contains, run = check.equal, check.contains, check.run

local fashion_mnist = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"
local bible = "/usr/bin/bible"

-- needs: a file without which the example is left out. at_least, at_most: {pattern, value}.
local examples = {
  ["01_tensors"] = { texts = { "f32[2, 3] cpu", "shapes [2, 3] and [4] do not broadcast" } },
  ["02_autograd"] = { texts = { "[5., 7., 9.]", "slope 2.99, offset 0.50" } },
  ["03_fashion_mnist_fc"] = {
    needs = fashion_mnist, options = "--epochs 2 --limit 4000 --out .",
    texts = { "epoch 1/2", "epoch 2/2", "recall", "Ankle boot", "this is: " },
    at_least = { "test accuracy (%S+)", 0.7 },
    files = { "model.safetensors", "loss.svg" } },
  ["04_fashion_mnist_cnn"] = {
    needs = fashion_mnist, options = "--epochs 2 --limit 1500 --batch 32",
    at_most = { "epoch 2/2  loss (%S+)", 0.9 }, at_least = { "test accuracy (%S+)", 0.65 } },
  ["05_fashion_mnist_gru"] = {
    needs = fashion_mnist, options = "--epochs 2 --limit 2000 --batch 32 --hidden 32",
    at_most = { "epoch 2/2  loss (%S+)", 1.2 }, at_least = { "test accuracy (%S+)", 0.55 } },
  ["06_fashion_mnist_resnet"] = {
    needs = fashion_mnist, options = "--epochs 3 --plain 1 --limit 1200 --batch 32 --width 16",
    at_most = { "epoch 3/3  loss (%S+)", 1.2 }, at_least = { "test accuracy (%S+)", 0.5 } },
  ["07_fashion_mnist_vit"] = {
    needs = fashion_mnist,
    options = "--epochs 4 --limit 2000 --batch 32 --width 32 --layers 2 --lr 0.004",
    at_most = { "epoch 4/4  loss (%S+)", 1.3 }, at_least = { "test accuracy (%S+)", 0.5 } },
  ["08_king_james_lstm"] = {
    needs = bible, options = "--epochs 1 --limit 60000 --batch 8 --steps 32 --hidden 64 --lr 0.01",
    texts = { "And it came to pass" },
    at_most = { "held%-out text: (%S+) bits", 3.2 } },
  ["09_king_james_gpt"] = {
    needs = bible,
    options = "--steps 160 --limit 60000 --context 64 --width 64 --layers 2 --lr 0.005",
    texts = { "And it came to pass" }, files = { "gpt.safetensors" },
    at_most = { "held%-out text: (%S+) bits", 3.2 } },
  ["10_addition_transformer"] = {
    options = "--steps 300 --digits 1 --width 32 --batch 64 --lr 0.005",
    at_most = { "epoch 10/10  loss (%S+)", 0.5 }, at_least = { "\n(%S+) of 2000 sums", 0.5 } },
}

local name = arg[1]
local example = examples[name]
if not example then error(name .. ": say in examples.lua how it is tested") end
if example.needs then
  local file = io.open(example.needs)
  if not file then
    print(name .. ": left out, " .. example.needs .. " is not there")
    os.exit(77)
  end
  file:close()
end

local script = check.quote(tests .. "/../examples/" .. name .. ".lua")
local output, status = run(("%s %s %s"):format(check.program, script, example.options or ""))
print(output)
equal(status, 0)
contains(output, unpack(example.texts or {}))

local function number(pattern)
  return tonumber(output:match(pattern)) or error("no number at: " .. pattern)
end
if example.at_least then
  local pattern, bound = unpack(example.at_least)
  assert(number(pattern) >= bound, ("%s: expected at least %g"):format(pattern, bound))
end
if example.at_most then
  local pattern, bound = unpack(example.at_most)
  assert(number(pattern) <= bound, ("%s: expected at most %g"):format(pattern, bound))
end
for _, file in ipairs(example.files or {}) do
  local written = assert(io.open(file))
  assert(written:seek "end" > 1000, file)
  written:close()
end

-- The same seed gives the same numbers, and a wrong option is named.
if name == "03_fashion_mnist_fc" then
  local again = run(("%s %s %s"):format(check.program, script, example.options))
  equal(again:match "test accuracy (%S+)", output:match "test accuracy (%S+)")
  contains(run(("%s %s --epoch 1"):format(check.program, script)), "no option --epoch")
end

-- A run that is killed goes on, and ends as the one above.
if name == "03_fashion_mnist_fc" then
  os.execute "rm -rf checkpoints"
  local command = ("%s %s %s --checkpoints checkpoints --resume")
                  :format(check.program, script, example.options)
  run("timeout --foreground -s KILL 0.4 " .. command)
  equal(run(command):match "test accuracy (%S+)", output:match "test accuracy (%S+)")
end
