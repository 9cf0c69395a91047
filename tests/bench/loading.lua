-- Whether reading starves training: the part of an epoch that is spent waiting for batches, while a
-- network trains on all cores. Fashion-MNIST from memory, and a folder of JPEG files of 500 x 375
-- pixels that are decoded, resized, cropped and mirrored. Prints also what decoding gives alone.
--
-- usage: selenite tests/bench/loading.lua [images] [workers]     768 JPEG files, 2 threads

package.path = arg[0]:match "^(.*/)[^/]*$" .. "?.lua;" .. package.path
local sel = require "selenite"
local now = require "clock"
local nn, data = sel.nn, sel.data

local n_images, workers = tonumber(arg[1]) or 768, tonumber(arg[2]) or 2

-- One epoch of training; prints its time and the part of it that was spent waiting.
local function train(name, model, loader, shape)
  local optimizer = sel.optim.sgd(model:parameters(), { lr = 0.01 })
  local before, start, images_seen = loader:waited(), now(), 0
  for images, labels in loader:batches() do
    local loss = sel.cross_entropy(model(shape(images)), labels)
    optimizer:zero_grad()
    loss:backward()
    optimizer:step()
    images_seen = images_seen + #labels
  end
  local seconds, waited = now() - start, loader:waited() - before
  print(("%-34s %6d images %7.2f s %7.0f images/s   waiting %6.3f s, %5.2f %%")
        :format(name, images_seen, seconds, images_seen / seconds, waited, 100 * waited / seconds))
end

local function cnn()
  local function block(from, to)
    return nn.sequential(nn.conv2d(from, to, 3, { padding = "same" }), nn.relu(), nn.max_pool2d(2))
  end
  return nn.sequential(block(1, 32), block(32, 64), nn.flatten(), nn.linear(64 * 49, 10))
end

local clothes = data.fashion_mnist():take(math.min(60000, 20 * n_images))
train("Fashion-MNIST, small CNN", cnn(),
      data.loader(clothes, { batch_size = 128, shuffle = true, workers = 1, transforms = {
        data.random_crop(28, { padding = 2 }), data.random_horizontal_flip() } }),
      function(images) return images:unsqueeze(2) end)

-- ---- JPEG files ----

-- Pictures with as much detail as photos: about 60 KB each.
local function make_folder(path)
  sel.manual_seed(1)
  local y = sel.arange(375):float():reshape(375, 1, 1):expand(375, 500, 3)
  local x = sel.arange(500):float():reshape(1, 500, 1):expand(375, 500, 3)
  for i = 1, n_images do
    local class = i % 2
    if i <= 2 then os.execute(("mkdir -p %s/%d"):format(path, class)) end
    local wave = (x * (0.02 + 0.001 * (i % 50)) + y * 0.03 * (class + 1)):sin() * 90 + 128
    local picture = (wave + sel.randn(375, 500, 1) * 8):clamp(0, 255):byte()
    sel.save_jpeg(("%s/%d/%d.jpg"):format(path, class, i), picture, { quality = 90 })
  end
end

make_folder "pictures"
local folder = data.image_folder("pictures", { size = 144, mean = 0.5, std = 0.25 })
local function loader()
  return data.loader(folder, { batch_size = 32, shuffle = true, workers = workers, prefetch = 4,
    transforms = { data.random_crop(128), data.random_horizontal_flip() } })
end

local start, decoded = now(), 0
for images in loader():batches() do decoded = decoded + #images end
print(("decoding alone, %d threads: %.0f images/s"):format(workers, decoded / (now() - start)))

local function same(images) return images end
train("JPEG to 128 x 128, ResNet-18", nn.resnet18 { num_classes = 2 }, loader(), same)
train("JPEG to 128 x 128, width 32", nn.resnet18 { num_classes = 2, width = 32 }, loader(), same)
