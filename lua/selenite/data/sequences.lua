-- Sequences of different lengths: kept one behind the other, filled up to the longest of a batch by
-- the loader.

local ffi = require "ffi"
local errors = require "selenite.errors"
local arguments = require "selenite.arguments"
local creation = require "selenite.creation"
local rows = require "selenite.data.rows"
local tensor = require "selenite.tensor"

local M = {}

local function tensor_of(i, value, dtype)
  if type(value) == "table" then value = creation.tensor(value, { dtype = dtype or "f32" }) end
  if not arguments.is_tensor(value) or value:dim() == 0 then
    errors.raise(("tensor_dataset: sequence %d: expected a tensor or a table of numbers, got %s")
                 :format(i, errors.describe(value)))
  end
  return value:detach():to("cpu")
end

local function check_alike(i, sequence, first)
  local same = sequence:dtype() == first:dtype() and sequence:dim() == first:dim()
  for d = 2, same and first:dim() or 0 do same = same and sequence:size(d) == first:size(d) end
  if not same then
    errors.raise(("tensor_dataset: sequence %d: expected dtype and sizes of sequence 1 but for the "
                  .. "length, %s, got %s"):format(i, errors.describe(first),
                                                  errors.describe(sequence)))
  end
end

-- The field of { sequences = list, padding = number, lengths = boolean }, and that of their lengths
-- where it is wanted.
function M.read(given)
  local list, padding = given.sequences, given.padding or 0
  if type(list) ~= "table" or #list == 0 then
    errors.option("tensor_dataset", "sequences", "a list of tensors or tables", list)
  end
  if type(padding) ~= "number" then
    errors.option("tensor_dataset", "padding", "a number", padding)
  end
  if given.rows ~= nil then
    errors.raise "tensor_dataset: expected rows or sequences, not both"
  end
  local parts, n = {}, #list
  local offsets, lengths = ffi.new("int64_t[?]", n + 1), ffi.new("int64_t[?]", n)
  for i = 1, n do
    parts[i] = tensor_of(i, list[i], given.dtype)
    check_alike(i, parts[i], parts[1])
    lengths[i - 1] = #parts[i]
    offsets[i] = offsets[i - 1] + lengths[i - 1]
  end
  local field = { rows = tensor.methods.cat(parts, 1), offsets = rows.tensor(offsets, n + 1),
                  padding = padding }
  if not given.lengths then return field end
  return field, { rows = rows.tensor(lengths, n), dtype = "i64", scale = 1 }
end

-- data.padding_mask(lengths, longest): bool [n, longest], true behind the end of each sequence, as
-- the key_padding_mask of nn.multihead_attention. longest: the largest length unless given.
function M.padding_mask(lengths, longest)
  if not arguments.is_tensor(lengths) or lengths:dim() ~= 1 or lengths:dtype() ~= "i64" then
    errors.argument("padding_mask", 1, "lengths", "an i64 tensor [n]", lengths)
  end
  if longest == nil then longest = #lengths > 0 and lengths:max():item() or 0 end
  arguments.integer("padding_mask", 2, "longest", longest)
  local places = creation.arange(longest, { device = lengths:device() })
  return places:unsqueeze(1):ge(lengths:unsqueeze(2))
end

return M
