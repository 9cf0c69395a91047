-- Data sets and loaders: order, conversion, transforms, mistakes.

local sel = require "selenite"
local data = sel.data
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

local function sample(n)
  return data.tensor_dataset(sel.arange(n, { dtype = "f32" }):reshape(n, 1), sel.arange(n))
end

local function ids_of(loader, ...)
  local ids = {}
  for _, labels in loader:batches(...) do
    for _, id in ipairs(labels:totable()) do ids[#ids + 1] = id end
  end
  return ids
end

test("batches in order, the last one short", function()
  local loader = data.loader(sample(5), { batch_size = 2 })
  equal({ loader:size(), loader:rows() }, { 3, 5 })
  local sizes, sum = {}, 0
  for x, labels in loader:batches() do
    sizes[#sizes + 1] = #x
    sum = sum + x:sum():item()
    equal(x:flatten():totable(), labels:totable())
  end
  equal(sizes, { 2, 2, 1 })
  equal(sum, 10)
  equal(#ids_of(data.loader(sample(5), { batch_size = 2, drop_last = true })), 4)
end)

test("the order is shuffled anew each epoch and depends on the seed alone", function()
  local function loader(workers)
    return data.loader(sample(20), { batch_size = 3, shuffle = true, seed = 7, workers = workers })
  end
  local a, b = loader(0), loader(2)
  local first, second = ids_of(a), ids_of(a)
  assert(table.concat(first, " ") ~= table.concat(second, " "))
  equal(ids_of(b), first)
  equal(ids_of(b), second)
  equal(ids_of(b, 1), first)
  equal(ids_of(b, 2, 3), { select(7, unpack(second)) })
  table.sort(first)
  equal(first, sel.arange(20):totable())
  sel.manual_seed(5)
  local one = ids_of(data.loader(sample(9), { shuffle = true }))
  sel.manual_seed(5)
  equal(ids_of(data.loader(sample(9), { shuffle = true })), one)
end)

test("another seed gives another order from the next epoch on", function()
  local a = data.loader(sample(20), { batch_size = 3, shuffle = true, seed = 7, workers = 2 })
  local b = data.loader(sample(20), { batch_size = 3, shuffle = true, seed = 8 })
  local next_batch, state = a:batches(1)
  next_batch(state)
  a:reseed(8)
  equal(a.seed, 8)
  raises(function() next_batch(state) end, "expected sel_loader_start before next")
  equal(ids_of(a, 3), ids_of(b, 3))
  raises(function() a:reseed(0.5) end, "reseed: argument 1 (seed): expected a whole number")
end)

test("fields are converted, scaled and normalised", function()
  local images = sel.tensor({ { { 0, 255 } }, { { 51, 102 } } }, { dtype = "u8" })
  local dataset = data.tensor_dataset(
    { rows = images, dtype = "f32", scale = 1 / 255, mean = 0.5, std = 0.25 },
    { rows = sel.tensor({ 3, 4 }, { dtype = "u8" }), dtype = "i64" })
  local expected = { { { -2, 2 } }, { { -1.2, -0.4 } } }
  for x, labels in data.loader(dataset, { batch_size = 2 }):batches() do
    near(x, expected, 1e-5)
    equal(labels:dtype(), "i64")
    equal(labels:totable(), { 3, 4 })
  end
  local x, label = dataset:example(2)
  near(x, { expected[2] }, 1e-5)
  equal(label:totable(), { 4 })
end)

test("normalisation by channel", function()
  local rows = sel.ones(2, 2, 3)
  local dataset = data.tensor_dataset { rows = rows, mean = { 1, 0 }, std = { 1, 2 } }
  local expected = { { 0, 0, 0 }, { 0.5, 0.5, 0.5 } }
  for x in data.loader(dataset, { batch_size = 2 }):batches() do near(x[2], expected) end
  near(dataset:example(1)[1], expected)
end)

-- n u8 images of 4 x 5 whose pixels are 1, 2, ...; and the same numbers as labels.
local function images(n)
  local pixels = sel.arange(1, 21):reshape(1, 4, 5):expand(n, 4, 5):contiguous()
  return data.tensor_dataset({ rows = pixels:byte(), dtype = "f32" }, pixels)
end

local function only_batch(set, options, epoch)
  options.batch_size = set:size()
  local next_batch, state = data.loader(set, options):batches(epoch)
  return next_batch(state)
end

test("transforms of the first field", function()
  local x, plain = only_batch(images(2), { transforms = {
    data.random_horizontal_flip(1), data.center_crop { 2, 5 } } })
  equal(x:shape(), { 2, 2, 5 })
  equal(x[1]:totable(), { { 10, 9, 8, 7, 6 }, { 15, 14, 13, 12, 11 } })
  equal(plain:shape(), { 2, 4, 5 })
  x = only_batch(images(1), { transforms = { data.random_vertical_flip(1) } })
  equal(x[{ 1, {}, 1 }]:totable(), { 16, 11, 6, 1 })
  x = only_batch(images(1), { transforms = { data.random_crop({ 6, 9 },
    { padding = { 1, 2, 3, 0 }, fill = 99 }) } })
  equal(x[{ 1, {}, 2 }]:totable(), { 99, 99, 1, 6, 11, 16 })
  equal(x[{ 1, 3 }]:totable(), { 99, 1, 2, 3, 4, 5, 99, 99, 99 })
  x = only_batch(images(1), { transforms = { data.random_crop({ 6, 9 },
    { padding = { 2, 1 }, padding_mode = "reflect" }) } })
  equal(x[{ 1, 1 }]:totable(), { 8, 7, 6, 7, 8, 9, 10, 9, 8 })
  x = only_batch(images(3), { transforms = {} })
  equal(x[3]:totable(), images(1).fields[2].rows[1]:totable())
end)

test("transforms of other fields", function()
  local flip = data.random_horizontal_flip(1)
  local x, y = only_batch(images(1), { transforms = { {}, { flip } } })
  equal(x[{ 1, 1 }]:totable(), { 1, 2, 3, 4, 5 })
  equal(y[{ 1, 1 }]:totable(), { 5, 4, 3, 2, 1 })
  local both = { data.random_crop(4, { padding = 1 }), data.random_horizontal_flip() }
  x, y = only_batch(images(30), { transforms = { both, both } })
  equal(x:totable(), y:totable())
end)

test("erasing writes after mean and std, one value a channel", function()
  local rows = sel.zeros(200, 2, 9, 9, { dtype = "u8" })
  local set = data.tensor_dataset { rows = rows, dtype = "f32", mean = { 1, 2 }, std = { 1, 1 } }
  local x = only_batch(set, { seed = 3, transforms = {
    data.random_erasing { p = 1, value = { 7, 8 }, scale = { 0.1, 0.2 }, ratio = { 1, 2 } } } })
  for c, values in ipairs { { -1, 7 }, { -2, 8 } } do
    local channel = x:select(2, c)
    local erased = channel:eq(values[2])
    equal(channel:eq(values[1]):logical_or(erased):all():item(), true)
    local area = erased:float():sum({ 2, 3 })
    -- Areas from 8.1 to 16.2 before rounding the sides.
    assert(area:min():item() >= 6 and area:max():item() <= 21)
  end
  x = only_batch(set, { transforms = { data.random_erasing { p = 0 } } })
  equal(x:select(2, 1):eq(-1):all():item(), true)
end)

test("transforms depend on seed and epoch alone", function()
  local list = { data.random_crop(4, { padding = 2 }), data.random_horizontal_flip(),
                 data.random_vertical_flip(), data.random_erasing() }
  local function batch(workers, epoch, seed)
    return (only_batch(images(20), { transforms = list, seed = seed or 5, workers = workers },
                       epoch))
  end
  local expected = batch(0, 1)
  for workers = 0, 3 do equal(batch(workers, 1):totable(), expected:totable()) end
  for _, other in ipairs { batch(1, 2), batch(1, 1, 6) } do
    equal(other:eq(expected):all():item(), false)
  end
  sel.manual_seed(9)
  local one = only_batch(images(20), { transforms = list })
  sel.manual_seed(9)
  equal(only_batch(images(20), { transforms = list }):totable(), one:totable())
end)

test("mistakes in transforms", function()
  raises(function() data.random_horizontal_flip(1.5) end,
         "random_horizontal_flip: option 'p': expected a number from 0 to 1, got the number 1.5")
  raises(function() data.random_vertical_flip "often" end, "random_vertical_flip: option 'p'")
  raises(function() data.random_erasing { p = -1 } end, "random_erasing: option 'p'")
  raises(function() data.random_erasing { area = 1 } end, "random_erasing: no option 'area'")
  raises(function() data.random_erasing { scale = 0.1 } end, "random_erasing: option 'scale'")
  raises(function() data.random_erasing { value = {} } end, "random_erasing: option 'value'")
  raises(function() data.random_crop() end, "random_crop: option 'size'", "got nothing")
  raises(function() data.random_crop { 1, 2, 3 } end, "random_crop: option 'size'")
  raises(function() data.random_crop(2.5) end, "random_crop: option 'size'", "2.5")
  raises(function() data.center_crop "28" end, "center_crop: option 'size'")
  raises(function() data.random_crop(2, { padding = { 1, 2, 3 } }) end,
         "random_crop: option 'padding'")
  raises(function() data.random_crop(2, { padding_mode = "zero" }) end,
         "random_crop: option 'padding_mode'", "'reflect'", '"zero"')
  raises(function() data.random_crop(2, { pad = 1 }) end, "random_crop: no option 'pad'")
  local function loader(given) data.loader(images(2), { transforms = given }) end
  raises(function() loader { data.random_crop(8, { padding = 1 }) } end,
         "random_crop", "8x8", "4x5", "6x7")
  raises(function() loader { data.random_erasing { scale = { 0.5, 0.1 } } } end, "random_erasing",
         "scale")
  raises(function() loader { data.random_erasing(), data.center_crop(2) } end,
         "center_crop is behind random_erasing")
  raises(function() loader { "random_crop" } end, "loader: option 'transforms'", "random_crop(28)")
  raises(function() loader(data.random_horizontal_flip()) end, "loader: option 'transforms'")
  raises(function() loader { { data.center_crop(2), "flip" } } end, "loader: option 'transforms'")
  raises(function() loader { {}, {}, { data.center_crop(2) } } end, "at most 2 lists", "got 3")
  raises(function() loader { images = { data.center_crop(2) } } end, "loader: option 'transforms'")
  raises(function() data.loader(sample(3), { transforms = { data.center_crop(1) } }) end,
         "images, [N, height, width]", "f32[3, 1]")
end)

test("take and size", function()
  local d = sample(10)
  equal(d:size(), 10)
  equal(d:take(4):size(), 4)
  equal(d:take(99):size(), 10)
end)

test("breaking off an epoch, two loaders at once", function()
  local a, b = data.loader(sample(10), { batch_size = 1 }), data.loader(sample(3))
  for _, label in a:batches() do
    if label:item() == 4 then break end
  end
  for _, label in a:batches(1) do
    local count = 0
    for _ in b:batches() do count = count + 1 end
    equal(count, 3)
    if label:item() == 2 then break end
  end
end)

test("mistakes", function()
  raises(function() data.tensor_dataset() end, "tensor_dataset: expected at least one tensor")
  raises(function() data.tensor_dataset(1) end, "tensor_dataset: argument 1 (field)")
  raises(function() data.tensor_dataset(sel.ones(2), sel.ones(3)) end,
         "field 2 has 3 rows, field 1 has 2")
  raises(function() data.tensor_dataset { rows = sel.ones(2), norm = 1 } end, "no option 'norm'")
  raises(function() data.tensor_dataset(sel.tensor(1)) end, "at least one dim")
  raises(function() data.loader(sel.ones(2)) end, "loader: argument 1 (dataset)")
  raises(function() data.loader(sample(2), { batch = 1 }) end, "loader: no option 'batch'")
  raises(function() data.loader(sample(2), { batch_size = 0 }) end, "batch")
  raises(function() data.loader(sample(2), { batch_size = "2" }) end, "'batch_size'")
end)

test("a data set that is not there says which package to install", function()
  raises(function() data.fashion_mnist "/nowhere" end, "/nowhere/train-images-idx3-ubyte.gz",
         "apt install dataset-fashion-mnist")
  equal(#data.fashion_mnist_classes, 10)
end)
