-- A recurrent network that reads pictures of clothes row by row, from top to bottom.
--
--   selenite examples/05_fashion_mnist_gru.lua --epochs 8
--
-- Options: --epochs N, --limit N (examples to use), --hidden N, --batch N, --lr X, --device NAME,
-- --seed N.

local sel = require "selenite"
local nn, optim, data = sel.nn, sel.optim, sel.data

local options = sel.options { epochs = 8, limit = 60000, hidden = 128, batch = 128, lr = 0.004,
                              device = sel.default_device(), seed = 1 }
sel.set_default_device(options.device)
sel.manual_seed(options.seed)

local train, test = data.fashion_mnist()
train, test = train:take(options.limit), test:take(options.limit)
local train_batches = data.loader(train, { batch_size = options.batch, shuffle = true })
local test_batches = data.loader(test, { batch_size = 500 })

-- An image [28, 28] is a sequence of 28 steps with 28 features each. What the network has seen when
-- it comes to the last row is in the final states of its two layers.
local RowReader = nn.module "RowReader"

function RowReader:init(hidden)
  self.gru = nn.gru { input_size = 28, hidden_size = hidden, num_layers = 2, batch_first = true,
                      dropout = 0.2 }
  self.dropout = nn.dropout(0.2)
  self.head = nn.linear(hidden, 10)
end

function RowReader:forward(images)
  local _, final = self.gru(images) -- [layers, N, hidden]
  return self.head(self.dropout(final[-1]))
end

local model = RowReader(options.hidden)
print(model)
print(model:num_parameters() .. " parameters")

local steps = options.epochs * train_batches:size()
local optimizer = optim.adamw(model:parameters(), { lr = options.lr, weight_decay = 0.01 })
local schedule = optim.one_cycle_lr(optimizer, { max_lr = options.lr, total_steps = steps })

local function test_accuracy()
  local right = 0
  model:eval()
  sel.no_grad(function()
    for images, labels in test_batches:batches() do
      right = right + model(images):argmax(2):eq(labels):sum():item()
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
    local loss = sel.cross_entropy(model(images), labels)
    optimizer:zero_grad()
    loss:backward()
    nn.clip_grad_norm_(model:parameters(), 1) -- long products of gradients can grow at times
    optimizer:step()
    schedule:step()
    total, seen = total + loss:item() * #labels, seen + #labels
    progress:step(#labels, { loss = loss:item() })
  end
  accuracy = test_accuracy()
  progress:finish_epoch { loss = total / seen, test = accuracy }
end
print(("test accuracy %.4f after %.1f s"):format(accuracy, progress:seconds()))
