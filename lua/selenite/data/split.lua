-- Splitting a dataset at random, into training, validation and test examples for instance.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local creation = require "selenite.creation"
local dataset = require "selenite.data.dataset"
local rows = require "selenite.data.rows"

local C = library.C

local EXPECTED = "parts such as {0.8, 0.2}, or numbers of examples"

-- How many of n examples each part gets: parts that sum to n are taken as they are, those that sum
-- to 1 are rounded down and what is left goes one by one to the first parts, as in PyTorch.
local function sizes_of(parts, n)
  local sum, whole = 0, true
  for i = 1, #parts do
    local part = parts[i]
    if type(part) ~= "number" or part < 0 or part ~= part then
      errors.argument("random_split", 2, "parts", EXPECTED, part)
    end
    sum, whole = sum + part, whole and part % 1 == 0
  end
  if whole and sum == n then return { unpack(parts) } end
  if math.abs(sum - 1) > 1e-6 then
    errors.raise(("random_split: expected parts that sum to 1, or to the number of examples, %d; "
                  .. "got a sum of %g"):format(n, sum))
  end
  local sizes, left = {}, n
  for i = 1, #parts do
    sizes[i] = math.floor(n * parts[i] + 1e-9)
    left = left - sizes[i]
  end
  for i = 1, left do sizes[(i - 1) % #parts + 1] = sizes[(i - 1) % #parts + 1] + 1 end
  return sizes
end

-- The class of each example, a table: the values of field number `number`.
local function classes_of(set, number)
  local field = set.fields[number]
  if type(number) ~= "number" or not field or not field.rows or field.offsets
      or field.rows:dim() ~= 1 or field.rows:is_floating_point() then
    errors.option("random_split", "stratify", "the number of a field with one whole number a row",
                  number)
  end
  local values = field.rows
  if set.selection then values = values:index_select(1, set.selection) end
  return values:totable()
end

-- Groups of row ids in random order: one, or one a class in the order of their first examples.
local function groups_of(set, number)
  local n = set:size()
  local order = creation.randperm(n, { device = "cpu" })
  local ids = ffi.cast("int64_t *", C.sel_data(order))
  if not number then
    local all = {}
    for i = 1, n do all[i] = tonumber(ids[i - 1]) end
    return { all }
  end
  local classes, groups, of_class = classes_of(set, number), {}, {}
  for i = 1, n do
    local class = classes[i]
    if not of_class[class] then
      of_class[class] = {}
      groups[#groups + 1] = of_class[class]
    end
  end
  for i = 1, n do
    local id = tonumber(ids[i - 1])
    local group = of_class[classes[id + 1]]
    group[#group + 1] = id
  end
  return groups
end

local function fractions_of(parts, n)
  local sizes, fractions = sizes_of(parts, n), {}
  for i = 1, #sizes do fractions[i] = n > 0 and sizes[i] / n or 0 end
  return fractions
end

-- data.random_split(dataset, parts, { stratify = field }): datasets that share its memory, one a
-- part: parts are fractions that sum to 1, or numbers of examples. Drawn from the generator: the
-- same seed gives the same split. stratify = 2 splits each class by itself, the classes being the
-- whole numbers in field 2, so that each part has its share of all.
local function random_split(set, parts, options)
  if type(set) ~= "table" or not set.fields then
    errors.argument("random_split", 1, "dataset", "a dataset", set)
  end
  if type(parts) ~= "table" or #parts == 0 then
    errors.argument("random_split", 2, "parts", EXPECTED, parts)
  end
  errors.check_options("random_split", options, { stratify = true })
  local stratify = options and options.stratify
  local n = set:size()
  local chosen = {}
  for i = 1, #parts do chosen[i] = {} end
  local wanted = sizes_of(parts, n)
  local fractions = stratify and fractions_of(parts, n)
  for _, group in ipairs(groups_of(set, stratify)) do
    local sizes, at = stratify and sizes_of(fractions, #group) or wanted, 0
    for i = 1, #parts do
      for _ = 1, sizes[i] do
        at = at + 1
        chosen[i][#chosen[i] + 1] = group[at] + 1
      end
    end
  end
  local results = {}
  for i = 1, #parts do
    results[i] = dataset.subset(set, rows.read("random_split", chosen[i], n))
  end
  return unpack(results)
end

return random_split
