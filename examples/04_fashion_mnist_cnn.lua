-- A convolutional network for the same clothes: less than a hundred thousand parameters.
--
--   selenite examples/04_fashion_mnist_cnn.lua --epochs 8
--
-- Options: --epochs N, --limit N (examples to use), --batch N, --lr X, --device NAME, --seed N.

local sel = require "selenite"
local nn, optim, data = sel.nn, sel.optim, sel.data

local options = sel.options { epochs = 8, limit = 60000, batch = 128, lr = 0.006,
                              device = sel.default_device(), seed = 1 }
sel.set_default_device(options.device)
sel.manual_seed(options.seed)

local train, test = data.fashion_mnist()
train, test = train:take(options.limit), test:take(options.limit)
local train_batches = data.loader(train, { batch_size = options.batch, shuffle = true })
local test_batches = data.loader(test, { batch_size = 500 })

-- Three times: convolution, normalisation, the positive part, and half the extents.
local function block(in_channels, out_channels)
  return nn.sequential(
    nn.conv2d(in_channels, out_channels, 3, { padding = "same", bias = false }),
    nn.batch_norm2d(out_channels), nn.relu(), nn.max_pool2d(2))
end

local model = nn.sequential(
  block(1, 32), block(32, 64), nn.dropout(0.1), block(64, 96), -- 28 x 28 to 3 x 3
  nn.flatten(), nn.dropout(0.3), nn.linear(96 * 3 * 3, 10))
print(model)
print(model:num_parameters() .. " parameters")

local steps = options.epochs * train_batches:size()
local optimizer = optim.adamw(model:parameters(), { lr = options.lr, weight_decay = 0.02 })
local schedule = optim.one_cycle_lr(optimizer, { max_lr = options.lr, total_steps = steps })

local function test_accuracy()
  local right = 0
  model:eval()
  sel.no_grad(function()
    for images, labels in test_batches:batches() do
      right = right + model(images:unsqueeze(2)):argmax(2):eq(labels):sum():item()
    end
  end)
  model:train()
  return right / test:size()
end

local progress = sel.progress { epochs = options.epochs, batches = train_batches:size(),
                                unit = "images", values = { "loss", "test" } }
local accuracy
for _ = 1, options.epochs do
  local total, seen = 0, 0
  for images, labels in train_batches:batches() do
    local loss = sel.cross_entropy(model(images:unsqueeze(2)), labels) -- [N, 1, 28, 28]: a channel
    optimizer:zero_grad()
    loss:backward()
    optimizer:step()
    schedule:step()
    total, seen = total + loss:item() * #labels, seen + #labels
    progress:step(#labels, { loss = loss:item() })
  end
  accuracy = test_accuracy()
  progress:finish_epoch { loss = total / seen, test = accuracy }
end
print(("test accuracy %.4f after %.1f s"):format(accuracy, progress:seconds()))
