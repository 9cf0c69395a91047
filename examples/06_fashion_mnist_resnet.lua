-- A residual network, trained on pictures that are shifted and mirrored at random.
--
--   selenite examples/06_fashion_mnist_resnet.lua --epochs 16
--
-- Options: --epochs N, --plain N (epochs at the end with pictures as they are), --limit N (examples
-- to use), --width N, --batch N, --lr X, --workers N (threads that make batches), --device NAME,
-- --seed N, --checkpoints FOLDER (written every 500 steps), --resume (go on from the newest there).

local sel = require "selenite"
local nn, optim, data = sel.nn, sel.optim, sel.data

local options = sel.options { epochs = 16, plain = 2, limit = 60000, width = 64, batch = 64,
                              lr = 0.004, workers = 1, device = sel.default_device(), seed = 1,
                              checkpoints = "", resume = false }
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

-- What sel.train asks of data: how many batches an epoch has, and those of an epoch from one on.
local last_augmented = options.epochs - options.plain
local batches = {
  size = function() return plain_batches:size() end,
  batches = function(_, epoch, first)
    if epoch <= last_augmented then return augmented_batches:batches(epoch, first) end
    return plain_batches:batches(epoch - last_augmented, first)
  end,
}

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

-- When it is tested, a picture and its mirror image vote together on what it shows.
local function forward(net, images)
  images = images:unsqueeze(2)
  if net.training then return net(images) end
  return ((net(images):softmax(2) + net(images:flip(4)):softmax(2)) / 2):log()
end

local run = sel.train {
  model = model, forward = forward, loss = nn.cross_entropy_loss { label_smoothing = 0.1 },
  optimizer = optimizer, schedule = schedule, data = batches, validation = test_batches,
  epochs = options.epochs, metrics = { accuracy = sel.metrics.accuracy() },
  checkpoints = options.checkpoints ~= ""
    and { folder = options.checkpoints, every = 500, best = "val_accuracy" } or nil,
  resume = options.resume, progress = { unit = "images", values = { "loss", "val_accuracy" } },
}
print(("test accuracy %.4f after %.1f s")
      :format(run.history[#run.history].val_accuracy, run.progress:seconds()))
