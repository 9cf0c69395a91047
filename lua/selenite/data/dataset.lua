-- Datasets in memory: tensors with one example a row, and how a batch is made from them.

local errors = require "selenite.errors"
local arguments = require "selenite.arguments"

local dataset = {}
dataset.__index = dataset

local known = { rows = true, dtype = true, scale = true, mean = true, std = true }

local function numbers(name, value, default)
  if value == nil then value = default end
  if type(value) == "number" then value = { value } end
  if type(value) ~= "table" then
    errors.option("tensor_dataset", name, "a number or a table of numbers", value)
  end
  for i = 1, #value do
    if type(value[i]) ~= "number" then
      errors.option("tensor_dataset", name, "numbers", value[i])
    end
  end
  return value
end

local function read_field(i, given)
  if arguments.is_tensor(given) then given = { rows = given } end
  if type(given) ~= "table" or not arguments.is_tensor(given.rows) then
    errors.argument("tensor_dataset", i, "field", "a tensor or a table with one as rows", given)
  end
  errors.check_options("tensor_dataset", given, known)
  local field = { rows = given.rows, dtype = given.dtype or given.rows:dtype(),
                  scale = given.scale or 1 }
  if given.rows:dim() == 0 then
    errors.argument("tensor_dataset", i, "field", "a tensor with at least one dim", given.rows)
  end
  arguments.dtype("tensor_dataset", field.dtype)
  if given.mean or given.std then
    field.mean, field.std = numbers("mean", given.mean, 0), numbers("std", given.std, 1)
    if #field.mean ~= #field.std then
      errors.raise(("tensor_dataset: %d means but %d stds"):format(#field.mean, #field.std))
    end
  end
  return field
end

-- data.tensor_dataset(images, labels, ...): each a tensor, or a table that also says how batches
-- are made: { rows = tensor, dtype = "f32", scale = 1/255, mean = 0.286, std = 0.353 } gives
-- (rows * scale - mean) / std in f32; mean and std may be tables, one number a channel (dim 2 of
-- rows).
local function new(...)
  local n = select("#", ...)
  if n == 0 then errors.raise "tensor_dataset: expected at least one tensor" end
  local self = { fields = {} }
  for i = 1, n do
    self.fields[i] = read_field(i, (select(i, ...)))
    local rows, first = #self.fields[i].rows, #self.fields[1].rows
    if rows ~= first then
      errors.raise(("tensor_dataset: field %d has %d rows, field 1 has %d"):format(i, rows, first))
    end
  end
  return setmetatable(self, dataset)
end

-- dataset:size(): number of examples.
function dataset:size() return #self.fields[1].rows end

-- dataset:take(n): the first n examples, sharing memory; all of them where there are fewer.
function dataset:take(n)
  arguments.integer("take", 1, "n", n)
  local fields = {}
  for i, field in ipairs(self.fields) do
    fields[i] = { rows = field.rows:slice(1, 1, n), dtype = field.dtype, scale = field.scale,
                  mean = field.mean, std = field.std }
  end
  return new(unpack(fields))
end

-- dataset:example(i): the fields of one example as a batch of one, converted as a loader does.
function dataset:example(i)
  local values = {}
  for k, field in ipairs(self.fields) do
    local value = field.rows:narrow(1, i, 1):to(field.dtype)
    if value:is_floating_point() then
      if field.scale ~= 1 then value = value * field.scale end
      if field.mean then
        local sizes = {}
        for d = 1, value:dim() do sizes[d] = 1 end
        if #field.mean > 1 then sizes[2] = #field.mean end
        local tensor = require("selenite.creation").tensor
        value = (value - tensor(field.mean, { dtype = field.dtype }):reshape(sizes))
          / tensor(field.std, { dtype = field.dtype }):reshape(sizes)
      end
    end
    values[k] = value
  end
  return unpack(values)
end

return new
