-- The messages of an event file, as bytes: scalars, histograms, images, texts, hyperparameters.
-- https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto (event.proto,
-- summary.proto, tensor.proto) and .../plugins/hparams (plugin_data.proto, api.proto)

local files = require "selenite.files"
local numbers = require "selenite.plot.numbers"
local histogram = require "selenite.plot.histogram"
local pixels = require "selenite.plot.pixels"
local wire = require "selenite.tensorboard.wire"

local M = {}

-- An event: its time, its step, and one more field, which the functions below give.
function M.event(time, step, field)
  return wire.double(1, time) .. wire.integer(2, step) .. field
end

-- The first event of every file.
M.version = wire.bytes(3, "brain.Event:2")

-- A summary of one value with a tag, and more fields.
local function summary(tag, ...)
  return wire.message(5, wire.message(1, wire.bytes(1, tag), ...))
end

local function plugin(name, content)
  return wire.message(9, wire.message(1, wire.bytes(1, name), wire.bytes(2, content)))
end

function M.scalar(tag, value) return summary(tag, wire.float(2, value)) end

-- Of the finite ones among `count` values, in `bins` equal bins.
function M.histogram(tag, data, count, bins)
  local low, high, missing = numbers.range(data, count)
  local n, sum, squares = count - missing, 0, 0
  if n == 0 then low, high = 0, 0 end
  for i = 0, count - 1 do
    local v = data[i]
    if numbers.is_finite(v) then sum, squares = sum + v, squares + v * v end
  end
  local counts, limits = {}, {}
  if low < high then
    counts = histogram.count(data, count, low, high, bins)
    for i = 1, bins do limits[i] = low + (high - low) * i / bins end
    limits[bins] = high
  else
    counts[1], limits[1] = n, high
  end
  return summary(tag, wire.message(5, wire.double(1, low), wire.double(2, high), wire.double(3, n),
                                   wire.double(4, sum), wire.double(5, squares),
                                   wire.doubles(6, limits), wire.doubles(7, counts)))
end

function M.image(tag, picture)
  return summary(tag, wire.message(4, wire.integer(1, picture.height),
                                   wire.integer(2, picture.width),
                                   wire.integer(3, picture.channels),
                                   wire.bytes(4, files.encode_png(pixels.tensor(picture)))))
end

local DT_STRING = 7

-- Text is a tensor of one string, which TensorBoard reads as Markdown.
function M.text(tag, text)
  return summary(tag .. "/text_summary",
                 wire.message(8, wire.integer(1, DT_STRING),
                              wire.message(2, wire.message(2, wire.integer(1, 1))),
                              wire.bytes(8, text)),
                 plugin("text", ""))
end

-- ---- hyperparameters ----

local STRING, BOOL, FLOAT64 = 1, 2, 3 -- api.proto: DataType
local SUCCESS = 1                     -- api.proto: Status

-- google.protobuf.Value, and the DataType of it.
local function value_of(value)
  if type(value) == "number" then return wire.double(2, value), FLOAT64 end
  if type(value) == "boolean" then return wire.integer(4, value and 1 or 0), BOOL end
  return wire.bytes(3, value), STRING
end

local function hparams(tag, field, ...)
  return summary("_hparams_/" .. tag, plugin("hparams", wire.message(field, ...)))
end

-- The three fields that a set of hyperparameters is made of. `values` and `metrics` are lists of
-- { name, value }.
function M.hparams(time, values, metrics)
  local experiment, start = { wire.double(3, time) }, {}
  for _, entry in ipairs(values) do
    local value, kind = value_of(entry[2])
    experiment[#experiment + 1] = wire.message(4, wire.bytes(1, entry[1]), wire.integer(4, kind))
    start[#start + 1] = wire.message(1, wire.bytes(1, entry[1]), wire.bytes(2, value))
  end
  for _, entry in ipairs(metrics) do
    experiment[#experiment + 1] = wire.message(5, wire.message(1, wire.bytes(2, entry[1])))
  end
  start[#start + 1] = wire.double(5, time)
  return hparams("experiment", 2, unpack(experiment)),
         hparams("session_start_info", 3, unpack(start)),
         hparams("session_end_info", 4, wire.integer(1, SUCCESS), wire.double(2, time))
end

return M
