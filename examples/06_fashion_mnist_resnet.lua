-- A residual network, trained on pictures that are shifted and mirrored at random.
--
--   selenite examples/06_fashion_mnist_resnet.lua --epochs 16
--
-- Options: --epochs N, --plain N (epochs at the end with pictures as they are), --limit N (examples
-- to use), --width N, --batch N, --lr X, --workers N (threads that make batches), --device NAME,
-- --seed N.

local sel = require "selenite"
local nn, optim, data = sel.nn, sel.optim, sel.data

local options = sel.options { epochs = 16, plain = 2, limit = 60000, width = 64, batch = 64,
                              lr = 0.004, workers = 1, device = "cpu", seed = 1 }
sel.set_default_device(options.device)
sel.manual_seed(options.seed)

local train, test = data.fashion_mnist()
train, test = train:take(options.limit), test:take(options.limit)

-- Each time a picture is used it looks a little different, and the network can't learn it by heart.
-- The loader's threads do it while the network trains. In the last epochs, at small rates, it sees
-- the pictures as they are, which is how it will be tested.
local augmented_batches = data.loader(train, {
  batch_size = options.batch, shuffle = true, workers = options.workers,
  transforms = { data.random_crop(28, { padding = 2 }), data.random_horizontal_flip(0.5) } })
local plain_batches = data.loader(train, { batch_size = options.batch, shuffle = true })
local test_batches = data.loader(test, { batch_size = 500 })

-- A block adds what two convolutions find to what it was given (He et al. 2016); with stride 2 it
-- halves the extents. From 14 x 14 places to 7 x 7, of which the mean is taken.
local width = options.width
local model = nn.sequential(
  nn.conv2d(1, 32, 3, { padding = "same", bias = false }), nn.batch_norm2d(32), nn.relu(),
  nn.max_pool2d(2),
  nn.basic_block(32, width), nn.basic_block(width, 2 * width, 2),
  nn.basic_block(2 * width, 2 * width),
  nn.adaptive_avg_pool2d(1), nn.flatten(), nn.linear(2 * width, 10))
print(model)
print(model:num_parameters() .. " parameters")

local steps = options.epochs * plain_batches:size()
local optimizer = optim.adamw(model:parameters(), { lr = options.lr, weight_decay = 0.02 })
local schedule = optim.one_cycle_lr(optimizer, { max_lr = options.lr, total_steps = steps })

-- A picture and its mirror image vote together on what it shows.
local function test_accuracy()
  local right = 0
  model:eval()
  sel.no_grad(function()
    for images, labels in test_batches:batches() do
      images = images:unsqueeze(2)
      local votes = model(images):softmax(2) + model(images:flip(4)):softmax(2)
      right = right + votes:argmax(2):eq(labels):sum():item()
    end
  end)
  model:train()
  return right / test:size()
end

local progress = sel.progress { epochs = options.epochs, batches = plain_batches:size(),
                                unit = "images", values = { "loss", "test" } }
local accuracy
for epoch = 1, options.epochs do
  local plain = epoch > options.epochs - options.plain
  local total, seen = 0, 0
  for images, labels in (plain and plain_batches or augmented_batches):batches() do
    local loss = sel.cross_entropy(model(images:unsqueeze(2)), labels, { label_smoothing = 0.1 })
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
