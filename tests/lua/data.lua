-- Data sets and loaders: order, conversion, mistakes.

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
