-- Datasets: fields with one example a row, and how a batch is made from them.
--
-- A dataset is { fields = {...}, selection = rows or nil }. A field is { rows = tensor, dtype,
-- scale, mean, std }, with offsets and padding where rows have different lengths; or it has a
-- source, which makes rows, in place of the tensor. The selection is an i64 tensor of rows from 0:
-- those that the dataset has, of those that the fields have. Loaders read all of this.

local errors = require "selenite.errors"
local arguments = require "selenite.arguments"
local rows = require "selenite.data.rows"
local sequences = require "selenite.data.sequences"
local loader = require "selenite.data.loader"

local dataset = {}
dataset.__index = dataset

local known = { rows = true, sequences = true, dtype = true, scale = true,
                mean = true, std = true, padding = true, lengths = true }

local function numbers(operation, name, value, default)
  if value == nil then value = default end
  if type(value) == "number" then value = { value } end
  if type(value) ~= "table" then
    errors.option(operation, name, "a number or a table of numbers", value)
  end
  for i = 1, #value do
    if type(value[i]) ~= "number" then errors.option(operation, name, "numbers", value[i]) end
  end
  return value
end

-- How batches are made of a field's rows, from the options dtype, scale, mean and std.
local function read_conversion(operation, given, field, dtype, scale)
  field.dtype, field.scale = given.dtype or dtype, given.scale or scale
  arguments.dtype(operation, field.dtype)
  if type(field.scale) ~= "number" then
    errors.option(operation, "scale", "a number", field.scale)
  end
  if not given.mean and not given.std then return end
  field.mean = numbers(operation, "mean", given.mean, 0)
  field.std = numbers(operation, "std", given.std, 1)
  if #field.mean ~= #field.std then
    errors.raise(("%s: %d means but %d stds"):format(operation, #field.mean, #field.std))
  end
end

local function read_rows(i, given)
  if given.sequences ~= nil then return sequences.read(given) end
  if not arguments.is_tensor(given.rows) then
    errors.argument("tensor_dataset", i, "field", "a tensor or a table with one as rows", given)
  end
  if given.rows:dim() == 0 then
    errors.argument("tensor_dataset", i, "field", "a tensor with at least one dim", given.rows)
  end
  if given.padding ~= nil or given.lengths ~= nil then
    errors.raise(("tensor_dataset: field %d: padding and lengths belong to sequences, not to rows "
                  .. "of one length"):format(i))
  end
  return { rows = given.rows }
end

local function read_field(i, given)
  if arguments.is_tensor(given) then given = { rows = given } end
  if type(given) ~= "table" then
    errors.argument("tensor_dataset", i, "field", "a tensor or a table with one as rows", given)
  end
  errors.check_options("tensor_dataset", given, known)
  local field, lengths = read_rows(i, given)
  read_conversion("tensor_dataset", given, field, field.rows:dtype(), 1)
  return field, lengths
end

local function count(field)
  if field.source then return tonumber(field.source.count) end
  return field.offsets and #field.offsets - 1 or #field.rows
end

-- A dataset of checked fields; the other files of this folder make theirs by it.
local function of_fields(operation, fields)
  for i, field in ipairs(fields) do
    local n, first = count(field), count(fields[1])
    if n ~= first then
      errors.raise(("%s: field %d has %d rows, field 1 has %d"):format(operation, i, n, first))
    end
  end
  return setmetatable({ fields = fields }, dataset)
end

-- data.tensor_dataset(images, labels, ...): each a tensor, or a table that also says how batches
-- are made: { rows = tensor, dtype = "f32", scale = 1/255, mean = 0.286, std = 0.353 } gives
-- (rows * scale - mean) / std in f32; mean and std may be tables, one number a channel (dim 2 of
-- rows). { sequences = {...}, padding = 0, lengths = true }: a list of tensors or tables of
-- different lengths; batches are as long as their longest, and the lengths come as a field of their
-- own behind it.
local function new(...)
  local n = select("#", ...)
  if n == 0 then errors.raise "tensor_dataset: expected at least one tensor" end
  local fields = {}
  for i = 1, n do
    local field, lengths = read_field(i, (select(i, ...)))
    fields[#fields + 1] = field
    fields[#fields + 1] = lengths
  end
  return of_fields("tensor_dataset", fields)
end

-- dataset:size(): number of examples.
function dataset:size() return self.selection and #self.selection or count(self.fields[1]) end

local function of_selection(self, ids)
  if self.selection then ids = self.selection:index_select(1, ids) end
  return setmetatable({ fields = self.fields, selection = ids, classes = self.classes }, dataset)
end

-- data.subset(dataset, rows): these examples, in this order; rows is a table of positions from 1 or
-- an i64 tensor of rows from 0. Memory is shared.
local function subset(set, chosen)
  if getmetatable(set) ~= dataset then
    errors.argument("subset", 1, "dataset", "a dataset", set)
  end
  return of_selection(set, rows.read("subset", chosen, set:size()))
end

-- dataset:take(n): the first n examples, sharing memory; all of them where there are fewer.
function dataset:take(n)
  arguments.integer("take", 1, "n", n)
  if n < 0 then errors.argument("take", 1, "n", "a number of examples", n) end
  return of_selection(self, rows.first(math.min(n, self:size())))
end

-- dataset:example(i): the fields of one example as a batch of one, on the CPU, converted as a
-- loader does.
function dataset:example(i)
  local position = arguments.position("example", "i", i, self:size())
  local one = of_selection(self, rows.read("example", { position + 1 }, self:size()))
  local next_batch, state = loader(one, { workers = 0, seed = 0, device = "cpu" }):batches()
  return next_batch(state)
end

return { tensor_dataset = new, subset = subset, of_fields = of_fields,
         read_conversion = read_conversion }
