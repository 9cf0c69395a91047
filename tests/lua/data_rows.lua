-- Which rows a loader takes: subsets, splits, samplers; and rows of different lengths.

local sel = require "selenite"
local data = sel.data
local check = require "check"
local test, equal, raises = check.test, check.equal, check.raises

local function numbers(n) return data.tensor_dataset(sel.arange(n)) end

local function ids_of(set, options, ...)
  local ids = {}
  for batch in data.loader(set, options):batches(...) do
    for _, id in ipairs(batch:totable()) do ids[#ids + 1] = id end
  end
  return ids
end

local function sorted(list)
  local copy = { unpack(list) }
  table.sort(copy)
  return copy
end

test("a subset, by positions and by a tensor", function()
  local set = data.subset(numbers(10), { 10, 1, 1, 4 })
  equal(set:size(), 4)
  equal(ids_of(set), { 9, 0, 0, 3 })
  equal(ids_of(data.subset(numbers(10), sel.tensor({ 9, 0 }, { dtype = "i64" }))), { 9, 0 })
  equal(ids_of(data.subset(set, { 4, 1 })), { 3, 9 })
  equal(ids_of(set:take(2)), { 9, 0 })
  equal(set:example(4):totable(), { 3 })
  equal(set:example(-1):totable(), { 3 })
  equal(sorted(ids_of(set, { shuffle = true, batch_size = 3 })), { 0, 0, 3, 9 })
  equal(data.subset(set, {}):size(), 0)
  equal(ids_of(data.subset(set, {})), {})
end)

test("an example doesn't move the generator", function()
  sel.manual_seed(3)
  local expected = sel.rand(1):item()
  sel.manual_seed(3)
  numbers(5):example(2)
  equal(sel.rand(1):item(), expected)
end)

test("a random split has each row once, and is the seed's", function()
  local function split(seed, parts)
    sel.manual_seed(seed)
    local lists = {}
    for i, part in ipairs { data.random_split(numbers(11), parts) } do lists[i] = ids_of(part) end
    return lists
  end
  local lists = split(1, { 0.5, 0.3, 0.2 })
  equal({ #lists[1], #lists[2], #lists[3] }, { 6, 3, 2 })
  local all = {}
  for _, list in ipairs(lists) do for _, id in ipairs(list) do all[#all + 1] = id end end
  equal(sorted(all), sel.arange(11):totable())
  equal(split(1, { 0.5, 0.3, 0.2 }), lists)
  equal(split(2, { 0.5, 0.3, 0.2 })[1][1] ~= lists[1][1]
        or split(2, { 0.5, 0.3, 0.2 })[1][2] ~= lists[1][2], true)
  lists = split(1, { 8, 3 })
  equal({ #lists[1], #lists[2] }, { 8, 3 })
  -- 0.1 * 3 is more than 0.3, and 0.29 * 100 less than 29.
  local a, b = data.random_split(numbers(100), { 0.29, 0.71 })
  equal({ a:size(), b:size() }, { 29, 71 })
end)

test("a stratified split has each class's share", function()
  local labels = {}
  for i = 1, 100 do labels[i] = i <= 70 and 3 or i <= 90 and 1 or 0 end
  local set = data.tensor_dataset(sel.arange(100), sel.tensor(labels, { dtype = "i64" }))
  local train, test_part = data.random_split(set, { 0.8, 0.2 }, { stratify = 2 })
  equal({ train:size(), test_part:size() }, { 80, 20 })
  local counts = { [0] = 0, 0, 0, 0 }
  for _, label in data.loader(test_part, { batch_size = 20 }):batches() do
    for _, class in ipairs(label:totable()) do counts[class] = counts[class] + 1 end
  end
  equal({ counts[0], counts[1], counts[3] }, { 2, 4, 14 })
  -- Of a subset, the classes are those of its rows.
  local rare = data.subset(set, { 91, 92, 93, 94, 1, 2 })
  local half = data.random_split(rare, { 0.5, 0.5 }, { stratify = 2 })
  local zeros = 0
  for _, label in data.loader(half):batches() do zeros = zeros + (label:item() == 0 and 1 or 0) end
  equal(zeros, 2)
end)

test("samplers", function()
  local set = numbers(6)
  local function run(sampler, seed, ...)
    return ids_of(set, { sampler = sampler, seed = seed, batch_size = 4 }, ...)
  end
  equal(run(data.sequential_sampler(6)), { 0, 1, 2, 3, 4, 5 })
  local random = data.random_sampler(6)
  local first = run(random, 7)
  equal(sorted(first), { 0, 1, 2, 3, 4, 5 })
  equal(run(random, 7), first)
  equal(run(random, 7, 1, 2), { first[5], first[6] })
  local differs = false
  for seed = 8, 12 do
    differs = differs or table.concat(run(random, seed)) ~= table.concat(first)
  end
  equal(differs, true)
  differs = false
  for epoch = 2, 6 do
    differs = differs or table.concat(run(random, 7, epoch)) ~= table.concat(first)
  end
  equal(differs, true)
  equal(#run(data.random_sampler(6, 4)), 4)
  equal(#run(data.random_sampler(6, 20, { replacement = true })), 20)
  equal(run(function(epoch) return { epoch, 6 } end, 1, 3), { 2, 5 })
  equal(run(function() return sel.tensor({ 5, 5 }, { dtype = "i64" }) end), { 5, 5 })
  -- Of a subset, a sampler chooses among its rows.
  equal(ids_of(data.subset(set, { 6, 4, 2 }), { sampler = function() return { 3, 1 } end }),
        { 1, 5 })
end)

test("another seed is a sampler's as well", function()
  local sampler = data.random_sampler(20)
  local expected = ids_of(numbers(20), { sampler = sampler, seed = 9 })
  local loader = data.loader(numbers(20), { sampler = sampler, seed = 1 })
  loader:batches()
  loader:reseed(9)
  local ids = {}
  for batch in loader:batches(1) do ids[#ids + 1] = batch:item() end
  equal(ids, expected)
end)

test("a sampler leaves the generator alone", function()
  local set = numbers(6)
  sel.manual_seed(4)
  local loader = data.loader(set, { sampler = data.random_sampler(6), seed = 1 })
  local after = sel.rand(1):item()
  sel.manual_seed(4)
  equal(sel.rand(1):item(), after)
  for _ = 1, 2 do for _ in loader:batches() do sel.rand(1) end end
  raises(function()
    data.loader(set, { sampler = function() error "no rows today" end, seed = 1 })
  end, "no rows today")
end)

test("rows come as often as their weights say", function()
  local weights = { 1, 0, 3, 0, 4 }
  local counts = { 0, 0, 0, 0, 0 }
  local sampler = data.weighted_random_sampler(weights, 8000)
  for _, id in ipairs(ids_of(numbers(5), { sampler = sampler, seed = 2, batch_size = 500 })) do
    counts[id + 1] = counts[id + 1] + 1
  end
  equal({ counts[2], counts[4] }, { 0, 0 })
  for i, weight in ipairs(weights) do -- five standard deviations
    local p = weight / 8
    assert(math.abs(counts[i] - 8000 * p) <= 5 * math.sqrt(8000 * p * (1 - p)), counts[i])
  end
  sampler = data.weighted_random_sampler(sel.tensor(weights), 3, { replacement = false })
  local firsts = 0
  for seed = 1, 400 do
    local ids = ids_of(numbers(5), { sampler = sampler, seed = seed })
    equal(sorted(ids), { 0, 2, 4 })
    if ids[1] == 4 then firsts = firsts + 1 end
  end
  assert(firsts > 150 and firsts < 250, firsts) -- half of them, within five standard deviations
end)

test("sequences are filled up to the longest of a batch", function()
  local set = data.tensor_dataset({ sequences = { { 1, 2, 3 }, { 4 }, {}, { 5, 6 } },
                                    dtype = "i64", padding = -1, lengths = true },
                                  sel.tensor { 10, 20, 30, 40 })
  local loader = data.loader(set, { batch_size = 2 })
  local batches = {}
  for ids, lengths, labels in loader:batches() do
    batches[#batches + 1] = { ids:totable(), lengths:totable(), labels:totable() }
    equal({ ids:dtype(), lengths:dtype() }, { "i64", "i64" })
  end
  equal(batches, { { { { 1, 2, 3 }, { 4, -1, -1 } }, { 3, 1 }, { 10, 20 } },
                   { { { -1, -1 }, { 5, 6 } }, { 0, 2 }, { 30, 40 } } })
  local frames = data.tensor_dataset { sequences = { sel.ones(2, 3), sel.ones(1, 3) }, padding = 9 }
  for x in data.loader(frames, { batch_size = 2 }):batches() do
    equal(x:shape(), { 2, 2, 3 })
    equal(x[{ 2, 2 }]:totable(), { 9, 9, 9 })
  end
  equal(set:example(2):totable(), { { 4 } })
end)

test("a padding mask is true behind the end", function()
  local mask = data.padding_mask(sel.tensor({ 3, 1, 0 }, { dtype = "i64" }))
  equal(mask:dtype(), "bool")
  equal(mask:int():totable(), { { 0, 0, 0 }, { 0, 1, 1 }, { 1, 1, 1 } })
  equal(data.padding_mask(sel.tensor({ 1 }, { dtype = "i64" }), 2):int():totable(), { { 0, 1 } })
  equal(data.padding_mask(sel.zeros(0, { dtype = "i64" })):shape(), { 0, 0 })
end)

test("mistakes", function()
  local set = numbers(5)
  local float = data.tensor_dataset(sel.ones(5))
  raises(function() data.subset(set, { 1, 6 }) end, "subset: expected positions from 1 to 5",
         "6 at place 2")
  raises(function() data.subset(set, { 0 }) end, "the number 0 at place 1")
  raises(function() data.subset(set, sel.tensor({ 5 }, { dtype = "i64" })) end,
         "subset: expected rows from 0 to 4 in the tensor, got 5")
  raises(function() data.subset(set, sel.ones(2)) end, "a table of positions", "f32[2]")
  raises(function() data.subset({}, { 1 }) end, "subset: argument 1 (dataset)")
  raises(function() set:take(-1) end, "take: argument 1 (n)")
  raises(function() set:example(6) end, "example: i: position 6 is out of range for extent 5")
  raises(function() data.random_split(set, { 0.5, 0.4 }) end, "sum to 1", "0.9")
  raises(function() data.random_split(set, { 3, 3 }) end, "the number of examples, 5", "6")
  raises(function() data.random_split(set, { 1.5, -0.5 }) end, "parts", "-0.5")
  raises(function() data.random_split(set, 0.5) end, "random_split: argument 2 (parts)")
  raises(function() data.random_split(set, { 1 }, { stratify = 2 }) end, "stratify")
  raises(function() data.random_split(float, { 1 }, { stratify = 1 }) end, "whole number")
  raises(function() data.random_sampler(3, 4) end, "4 rows can't be drawn of 3")
  raises(function() data.random_sampler(0, 1, { replacement = true }) end, "no rows")
  raises(function() data.random_sampler(-1) end, "random_sampler: argument 1 (n)")
  raises(function() data.weighted_random_sampler({ 1, -2 }, 1) end, "-2 for row 2")
  raises(function() data.weighted_random_sampler({ 1, 0 / 0 }, 1) end, "nan for row 2")
  raises(function() data.weighted_random_sampler({ 0, 0 }, 1) end, "1 rows can't be drawn of the 0")
  raises(function() data.weighted_random_sampler({ 1, 0 }, 2, { replacement = false }) end,
         "2 rows can't be drawn of the 1")
  raises(function() data.weighted_random_sampler(sel.ones(2, 2), 1) end, "weights")
  raises(function() data.weighted_random_sampler({ 1 }, 1, { replacement = 1 }) end, "replacement")
  raises(function() data.loader(set, { sampler = 3 }) end, "option 'sampler'")
  raises(function() data.loader(set, { sampler = data.random_sampler(5), shuffle = true }) end,
         "not both")
  raises(function() data.loader(set, { sampler = function() return { 7 } end }) end,
         "loader: sampler: expected positions from 1 to 5, got the number 7")
  raises(function() data.loader(set, { sampler = function() end }) end, "sampler", "nothing")
  raises(function() data.loader(set, { on_error = "ignore" }) end, "'raise' or 'skip'")
  raises(function() data.tensor_dataset { sequences = {} } end, "sequences")
  raises(function() data.tensor_dataset { sequences = { sel.ones(2), 3 } } end, "sequence 2")
  raises(function() data.tensor_dataset { sequences = { sel.ones(2), sel.ones(2, 2) } } end,
         "sequence 2", "f32[2, 2]")
  raises(function() data.tensor_dataset { rows = sel.ones(2), padding = 1 } end, "padding")
  raises(function() data.padding_mask(sel.ones(2)) end, "padding_mask: argument 1 (lengths)")
end)
