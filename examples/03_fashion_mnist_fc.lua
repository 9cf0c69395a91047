-- A fully connected network that tells pieces of clothing apart, trained on Fashion-MNIST.
--
--   selenite examples/03_fashion_mnist_fc.lua --epochs 16 --out .
--
-- Options: --epochs N, --limit N (examples to use), --batch N, --lr X, --device NAME, --seed N,
-- --out FOLDER (for model.safetensors and loss.svg).

local sel = require "selenite"
local nn, optim, data = sel.nn, sel.optim, sel.data

local options = sel.options { epochs = 16, limit = 60000, batch = 128, lr = 0.002, device = "cpu",
                              seed = 1, out = "." }
sel.set_default_device(options.device)
sel.manual_seed(options.seed)

local train, test = data.fashion_mnist()
train, test = train:take(options.limit), test:take(options.limit)
local train_batches = data.loader(train, { batch_size = options.batch, shuffle = true })
local test_batches = data.loader(test, { batch_size = 1000 })

local function new_model()
  return nn.sequential(
    nn.flatten(),
    nn.linear(784, 256), nn.relu(), nn.dropout(0.2),
    nn.linear(256, 128), nn.relu(), nn.dropout(0.2),
    nn.linear(128, 10))
end
local model = new_model()
print(model)
print(model:num_parameters() .. " parameters")

local optimizer = optim.adamw(model:parameters(), { lr = options.lr, weight_decay = 0.01 })
local steps = options.epochs * train_batches:size()
local schedule = optim.one_cycle_lr(optimizer, { max_lr = options.lr, total_steps = steps })

-- Training.
local progress = sel.progress { epochs = options.epochs, batches = train_batches:size(),
                                unit = "images" }
local losses = {}
for _ = 1, options.epochs do
  model:train()
  local right, seen, total = 0, 0, 0
  for images, labels in train_batches:batches() do
    local logits = model(images)
    local loss = sel.cross_entropy(logits, labels)
    optimizer:zero_grad()
    loss:backward()
    optimizer:step()
    schedule:step()

    losses[#losses + 1] = loss:item()
    right = right + logits:argmax(2):eq(labels):sum():item()
    seen, total = seen + #labels, total + losses[#losses] * #labels
    progress:step(#labels, { loss = losses[#losses], accuracy = right / seen })
  end
  progress:finish_epoch { loss = total / seen, accuracy = right / seen }
end
local seconds = progress:seconds()

-- Test accuracy, and which classes are taken for which.
model:eval()
local counts = sel.zeros(10, 10, { dtype = "i64", device = "cpu" })
sel.no_grad(function()
  for images, labels in test_batches:batches() do
    local predicted = model(images):argmax(2)
    local actual_by_predicted = labels:one_hot(10):float():t():matmul(predicted:one_hot(10):float())
    counts:add_(actual_by_predicted:to("i64", "cpu"))
  end
end)
local right = 0
for class = 1, 10 do right = right + counts:get(class, class) end
print(sel.plot.confusion(counts:totable(), data.fashion_mnist_classes))
print(("test accuracy %.4f after %.1f s of training")
      :format(right / test:size(), seconds))

-- The model as a file, the loss as a picture.
sel.save(options.out .. "/model.safetensors", model:state_dict())
local curves = sel.plot.curves({ { name = "training loss", y = losses } },
  { title = "Fashion-MNIST", x_label = "batch", y_label = "cross-entropy" })
curves:save(options.out .. "/loss.svg")

-- Using it: another model of the same form, one image.
local loaded = new_model():eval()
loaded:load_state_dict((sel.load(options.out .. "/model.safetensors")))
local image, label = test:example(1)
local probabilities = loaded(image:to(options.device)):softmax(2)[1]
local class = probabilities:argmax():item() + 1
print(sel.plot.image(image[1]))
print(("this is: %s (%.1f%%); it was labelled: %s"):format(data.fashion_mnist_classes[class],
  probabilities:get(class) * 100, data.fashion_mnist_classes[label:item() + 1]))
