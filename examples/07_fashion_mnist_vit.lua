-- A vision transformer: a picture is cut into patches, which look at each other.
--
--   selenite examples/07_fashion_mnist_vit.lua --epochs 15
--
-- Options: --epochs N, --limit N (examples to use), --width N, --layers N, --batch N, --lr X,
-- --device NAME, --seed N.

local sel = require "selenite"
local nn, optim, data = sel.nn, sel.optim, sel.data

local options = sel.options { epochs = 15, limit = 60000, width = 64, layers = 4, batch = 64,
                              lr = 0.002, device = sel.default_device(), seed = 1 }
sel.set_default_device(options.device)
sel.manual_seed(options.seed)

local train, test = data.fashion_mnist()
train, test = train:take(options.limit), test:take(options.limit)
local train_batches = data.loader(train, { batch_size = options.batch, shuffle = true })
local test_batches = data.loader(test, { batch_size = 500 })

-- 28 x 28 pixels are 7 x 7 patches of 4 x 4, each a token of `width` features.
local model = nn.vit { image_size = 28, patch_size = 4, in_channels = 1, num_classes = 10,
                       num_layers = options.layers, num_heads = 4, hidden_dim = options.width,
                       mlp_dim = 2 * options.width }
print(model:num_parameters() .. " parameters")

local steps = options.epochs * train_batches:size()
local optimizer = optim.adamw(model:parameters(), { lr = options.lr, weight_decay = 0.05 })
local schedule = optim.one_cycle_lr(optimizer, { max_lr = options.lr, total_steps = steps,
                                                 pct_start = 0.1, cycle_momentum = false })

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
    local loss = sel.cross_entropy(model(images:unsqueeze(2)), labels)
    optimizer:zero_grad()
    loss:backward()
    nn.clip_grad_norm_(model:parameters(), 1)
    optimizer:step()
    schedule:step()
    total, seen = total + loss:item() * #labels, seen + #labels
    progress:step(#labels, { loss = loss:item() })
  end
  accuracy = test_accuracy()
  progress:finish_epoch { loss = total / seen, test = accuracy }
end
print(("test accuracy %.4f after %.1f s"):format(accuracy, progress:seconds()))
