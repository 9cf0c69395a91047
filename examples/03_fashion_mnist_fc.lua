-- A fully connected network that tells pieces of clothing apart, trained on Fashion-MNIST.
--
--   selenite examples/03_fashion_mnist_fc.lua --epochs 16 --out .
--
-- Options: --epochs N, --limit N (examples to use), --batch N, --lr X, --device NAME, --seed N,
-- --out FOLDER (for model.safetensors and loss.svg), --checkpoints FOLDER, --resume (go on from the
-- newest checkpoint there).

local sel = require "selenite"
local nn, optim, data, metrics = sel.nn, sel.optim, sel.data, sel.metrics

local options = sel.options { epochs = 16, limit = 60000, batch = 128, lr = 0.002,
                              device = sel.default_device(), seed = 1, out = ".",
                              checkpoints = "", resume = false }
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

-- Training: what stands written out in example 04, and what a long run wants around it.
local run = sel.train {
  model = model, loss = sel.cross_entropy, optimizer = optimizer, schedule = schedule,
  data = train_batches, epochs = options.epochs, metrics = { accuracy = metrics.accuracy() },
  checkpoints = options.checkpoints ~= "" and options.checkpoints or nil, resume = options.resume,
  progress = { unit = "images" },
}
local seconds = run.progress:seconds()

-- Test accuracy, and which classes are taken for which.
local result = sel.evaluate {
  model = model, loss = sel.cross_entropy, data = test_batches,
  metrics = { accuracy = metrics.accuracy(), confusion = metrics.confusion { classes = 10 } },
}
print(sel.plot.confusion(result.confusion, data.fashion_mnist_classes))
print(("test accuracy %.4f after %.1f s of training"):format(result.accuracy, seconds))

-- The model as a file, the loss as a picture.
sel.save(options.out .. "/model.safetensors", model:state_dict())
local losses = {}
for epoch, record in ipairs(run.history) do losses[epoch] = record.loss end
local curves = sel.plot.curves({ { name = "training loss", y = losses } },
  { title = "Fashion-MNIST", x_label = "epoch", y_label = "cross-entropy" })
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
