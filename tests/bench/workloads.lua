-- The workloads: what is measured, told once for both sides. A workload is a flat table of numbers
-- and words; worker.lua writes it into the file from which worker.py reads weights and inputs.
--
--   name, kind   how tables show it; "training", "inference" or "micro"
--   mode         what a step is: "train" (loss, backward, optimizer), "forward" (no gradients),
--                "generate" (token by token with cache), "gradient" (forward and backward of one
--                operation), "update" (an optimizer's step alone)
--   network      an entry of networks.lua and networks.py, or
--   operation    an entry of operations.lua and operations.py, and which size, from 1
--   loss, optimizer, lr, momentum   of training
--   tokens       of one step of "generate"; times are of one token
--   the rest     sizes, for the network or operation

local operations = require "operations"

local M = {}

-- Networks with what both kinds share: sizes, a training batch, what trains them.
local networks = {
  { name = "mlp 784-512-512-10", network = "mlp", sizes = "784 512 512 10", activation = "relu",
    batches = { 64, 1024 }, loss = "cross_entropy", optimizer = "adam", lr = 1e-3 },
  { name = "mlp 2-16-16-1", network = "mlp", sizes = "2 16 16 1", activation = "tanh",
    batches = { 1 }, loss = "mse", optimizer = "sgd", lr = 1e-2 },
  { name = "cnn 28x28", network = "cnn",
    batches = { 64 }, loss = "cross_entropy", optimizer = "adam", lr = 1e-3 },
  { name = "resnet-20 32x32", network = "resnet", depth = 20, width = 16,
    batches = { 32 }, loss = "cross_entropy", optimizer = "sgd", momentum = 0.9, lr = 1e-3 },
  { name = "resnet-18 32x32", network = "resnet", depth = 18, width = 64,
    batches = { 8 }, loss = "cross_entropy", optimizer = "sgd", momentum = 0.9, lr = 1e-3 },
  { name = "lstm 2x256, 64 steps", network = "lstm", vocabulary = 65, hidden = 256, layers = 2,
    length = 64, batches = { 32 }, loss = "cross_entropy", optimizer = "adam", lr = 1e-3 },
  { name = "gru 1x128, 28 steps", network = "gru", features = 28, hidden = 128, classes = 10,
    length = 28, batches = { 128 }, loss = "cross_entropy", optimizer = "adam", lr = 1e-3 },
  { name = "gpt 4x128, 64 tokens", network = "gpt", vocabulary = 65, layers = 4, width = 128,
    heads = 4, length = 64, batches = { 16 }, loss = "cross_entropy", optimizer = "adamw",
    lr = 1e-3 },
  { name = "gpt 6x384, 256 tokens", network = "gpt", vocabulary = 65, layers = 6, width = 384,
    heads = 6, length = 256, batches = { 4 }, loss = "cross_entropy", optimizer = "adamw",
    lr = 1e-3 },
  { name = "encoder 256, 128 tokens", network = "encoder", width = 256, heads = 8, inner = 1024,
    length = 128, batches = { 16 }, loss = "mse", optimizer = "adam", lr = 1e-3 },
}

M.list = {}
local by_name = {}

local function add(workload, more)
  local copy = {}
  for key, value in pairs(workload) do
    if key ~= "batches" then copy[key] = value end
  end
  for key, value in pairs(more) do copy[key] = value end
  assert(not by_name[copy.name], copy.name)
  M.list[#M.list + 1] = copy
  by_name[copy.name] = copy
end

for _, each in ipairs(networks) do
  for _, batch in ipairs(each.batches) do
    add(each, { kind = "training", mode = "train", batch = batch,
                name = ("train %s, batch %d"):format(each.name, batch) })
  end
end
for _, each in ipairs(networks) do
  add(each, { kind = "inference", mode = "forward", batch = 1, name = "infer " .. each.name })
  if each.network == "gpt" then
    add(each, { kind = "inference", mode = "generate", batch = 1, tokens = each.length,
                name = ("infer %s, with cache"):format(each.name:gsub(",.*", "")) })
  end
end
for name, operation in operations.each() do
  for i = 1, #operation.sizes do
    for _, mode in ipairs(operation.modes) do
      local sizes = { kind = "micro", mode = mode, operation = name, size = i,
                      name = ("%s %s%s"):format(name, table.concat(operation.sizes[i], "x"),
                                                mode == "gradient" and ", and gradient" or "") }
      for k, axis in ipairs(operation.axes) do sizes[axis] = operation.sizes[i][k] end
      add({}, sizes)
    end
  end
end

-- The product whose speed is the peak that others are a share of.
M.peak = { name = "peak: matmul 2048x2048x2048", kind = "peak", mode = "forward",
           operation = "matmul", m = 2048, k = 2048, n = 2048 }
by_name[M.peak.name] = M.peak

function M.find(name) return assert(by_name[name], "no workload " .. name) end

return M
