-- The single operations of the benchmark as Selenite has them; operations.py has the same with
-- PyTorch. One or more for each family of kernels, at three sizes.
--
--   axes, sizes   what the numbers of a size are called, and three of them
--   modes         as in workloads.lua
--   make          gives what is measured, a function or module of x and a second input
--   inputs        gives both; the second may be nil
--   random        results differ from side to side
--   flops         of one forward pass, where products are what it does

local sel = require "selenite"
local nn = sel.nn

local forward, both = { "forward" }, { "forward", "gradient" }
local vectors = { { 1000 }, { 100000 }, { 10000000 } }
local matrices = { { 64, 64 }, { 1024, 512 }, { 4096, 2048 } }
local images = { { 8, 16, 32 }, { 8, 64, 32 }, { 8, 256, 16 } } -- batch, channels, extent

local function vector(spec) return sel.randn(spec.n) end
local function matrix(spec) return sel.randn(spec.rows, spec.columns) end
local function image(spec) return sel.randn(spec.batch, spec.channels, spec.extent, spec.extent) end

-- fn(x, other) as make wants it.
local function plain(fn) return function() return fn end end

local function row_ids(spec) return sel.randint(0, spec.rows, { spec.ids }) end

local Parameters = nn.module "Parameters"
function Parameters:init(spec)
  self.weights = {}
  for i = 1, spec.tensors do self.weights[i] = nn.parameter(sel.randn(spec.n)) end
end

local list = {
  -- pointwise
  { "add", axes = { "n" }, sizes = vectors, modes = forward,
    make = plain(function(x, y) return x + y end),
    inputs = function(spec) return vector(spec), vector(spec) end },
  { "gelu", axes = { "n" }, sizes = vectors, modes = both, inputs = vector,
    make = plain(function(x) return x:gelu() end) },
  -- reduce, scan
  { "sum", axes = { "rows", "columns" }, sizes = matrices, modes = forward, inputs = matrix,
    make = plain(function(x) return x:sum(2) end) },
  { "sum_columns", axes = { "rows", "columns" }, sizes = matrices, modes = forward,
    inputs = matrix, make = plain(function(x) return x:sum(1) end) },
  { "cumsum", axes = { "rows", "columns" }, sizes = matrices, modes = forward, inputs = matrix,
    make = plain(function(x) return x:cumsum(2) end) },
  -- products
  { "matmul", axes = { "m", "k", "n" }, modes = both,
    sizes = { { 64, 64, 64 }, { 256, 256, 256 }, { 1024, 1024, 1024 } },
    make = plain(function(x, y) return x:matmul(y) end),
    inputs = function(spec) return sel.randn(spec.m, spec.k), sel.randn(spec.k, spec.n) end,
    flops = function(spec) return 2 * spec.m * spec.k * spec.n end },
  { "batched_matmul", axes = { "batch", "m", "k", "n" }, modes = both,
    sizes = { { 16, 16, 16, 16 }, { 64, 64, 32, 64 }, { 64, 256, 64, 256 } },
    make = plain(function(x, y) return x:matmul(y) end),
    inputs = function(spec)
      return sel.randn(spec.batch, spec.m, spec.k), sel.randn(spec.batch, spec.k, spec.n)
    end,
    flops = function(spec) return 2 * spec.batch * spec.m * spec.k * spec.n end },
  -- convolution, pooling, resampling
  { "conv2d_3x3", axes = { "batch", "channels", "extent" }, sizes = images, modes = both,
    inputs = image,
    make = function(spec) return nn.conv2d(spec.channels, spec.channels, 3, { padding = 1 }) end,
    flops = function(spec) return 18 * spec.batch * spec.channels ^ 2 * spec.extent ^ 2 end },
  { "conv2d_1x1", axes = { "batch", "channels", "extent" }, sizes = images, modes = both,
    inputs = image,
    make = function(spec) return nn.conv2d(spec.channels, spec.channels, 1) end,
    flops = function(spec) return 2 * spec.batch * spec.channels ^ 2 * spec.extent ^ 2 end },
  { "conv2d_depthwise", axes = { "batch", "channels", "extent" }, sizes = images, modes = both,
    inputs = image,
    make = function(spec)
      return nn.conv2d(spec.channels, spec.channels, 3, { padding = 1, groups = spec.channels })
    end },
  { "conv_transpose2d", axes = { "batch", "channels", "extent" }, sizes = images, modes = both,
    inputs = image,
    make = function(spec)
      return nn.conv_transpose2d(spec.channels, spec.channels, 4, { stride = 2, padding = 1 })
    end,
    flops = function(spec) return 32 * spec.batch * spec.channels ^ 2 * spec.extent ^ 2 end },
  { "max_pool2d", axes = { "batch", "channels", "extent" }, sizes = images, modes = both,
    inputs = image, make = function() return nn.max_pool2d(2) end },
  { "avg_pool2d", axes = { "batch", "channels", "extent" }, sizes = images, modes = both,
    inputs = image, make = function() return nn.avg_pool2d(2) end },
  { "upsample", axes = { "batch", "channels", "extent" }, sizes = images, modes = both,
    inputs = image,
    make = function() return nn.upsample { scale_factor = 2, mode = "bilinear" } end },
  -- normalisation
  { "batch_norm2d", axes = { "batch", "channels", "extent" }, sizes = images, modes = both,
    inputs = image, make = function(spec) return nn.batch_norm2d(spec.channels) end },
  { "layer_norm", axes = { "rows", "columns" }, sizes = matrices, modes = both, inputs = matrix,
    make = function(spec) return nn.layer_norm(spec.columns) end },
  -- softmax, cross-entropy, attention
  { "softmax", axes = { "rows", "columns" }, sizes = matrices, modes = both, inputs = matrix,
    make = plain(function(x) return x:softmax(2) end) },
  { "cross_entropy", axes = { "rows", "columns" }, sizes = matrices, modes = both,
    make = plain(function(x, y) return sel.cross_entropy(x, y) end),
    inputs = function(spec) return matrix(spec), sel.randint(0, spec.columns, { spec.rows }) end },
  { "attention", axes = { "batch", "heads", "length", "size" }, modes = both,
    sizes = { { 1, 4, 32, 32 }, { 16, 4, 64, 32 }, { 4, 6, 512, 64 } },
    make = plain(function(x) return sel.attention(x, x, x, nil, true) end),
    inputs = function(spec) return sel.randn(spec.batch, spec.heads, spec.length, spec.size) end,
    flops = function(spec)
      return 2 * spec.batch * spec.heads * spec.length * (spec.length + 1) * spec.size
    end },
  -- recurrence
  { "lstm", axes = { "length", "batch", "features" }, modes = both,
    sizes = { { 16, 1, 32 }, { 32, 16, 128 }, { 64, 32, 512 } },
    make = function(spec)
      local lstm = nn.lstm(spec.features, spec.features)
      local layer = nn.module "First" ()
      layer.lstm = lstm
      function layer:forward(x) return (self.lstm(x)) end
      return layer
    end,
    inputs = function(spec) return sel.randn(spec.length, spec.batch, spec.features) end,
    flops = function(spec) return 16 * spec.length * spec.batch * spec.features ^ 2 end },
  -- gather, scatter
  { "embedding", axes = { "rows", "features", "ids" }, modes = both,
    sizes = { { 100, 32, 64 }, { 1000, 128, 1024 }, { 50000, 512, 4096 } },
    make = function(spec) return nn.embedding(spec.rows, spec.features) end,
    inputs = row_ids },
  { "index_add", axes = { "rows", "features", "ids" }, modes = forward,
    sizes = { { 100, 32, 64 }, { 1000, 128, 1024 }, { 10000, 512, 4096 } },
    make = function(spec)
      local source = sel.ones(spec.ids, spec.features)
      return function(x, ids) return x:index_add(1, ids, source) end
    end,
    inputs = function(spec) return sel.randn(spec.rows, spec.features), row_ids(spec) end },
  -- order
  { "sort", axes = { "rows", "columns" }, sizes = matrices, modes = forward, inputs = matrix,
    make = plain(function(x) return (x:sort(2)) end) },
  { "topk", axes = { "rows", "columns" }, sizes = matrices, modes = forward, inputs = matrix,
    make = plain(function(x) return (x:topk(10, 2)) end) },
  -- copies
  { "transpose", axes = { "rows", "columns" }, sizes = matrices, modes = forward, inputs = matrix,
    make = plain(function(x) return x:t():contiguous() end) },
  { "cat", axes = { "rows", "columns" }, sizes = matrices, modes = forward, inputs = matrix,
    make = plain(function(x) return sel.cat({ x, x }, 2) end) },
  { "cast_f16", axes = { "n" }, sizes = vectors, modes = forward, inputs = vector,
    make = plain(function(x) return x:half() end) },
  -- random numbers
  { "normal", axes = { "n" }, sizes = vectors, modes = forward, inputs = vector, random = true,
    make = plain(function(x) return sel.randn(x:numel()) end) },
  { "dropout", axes = { "n" }, sizes = vectors, modes = both, inputs = vector, random = true,
    make = function() return nn.dropout(0.5) end },
  -- optimizer
  { "adam", axes = { "tensors", "n" }, modes = { "update" }, make = Parameters,
    sizes = { { 4, 1000 }, { 16, 65536 }, { 16, 1048576 } },
    inputs = function() return sel.zeros(1) end },
}

local operations = { by_name = {} }
for _, operation in ipairs(list) do operations.by_name[operation[1]] = operation end

-- Iterates over name, operation in their order.
function operations.each()
  local i = 0
  return function()
    i = i + 1
    if list[i] then return list[i][1], list[i] end
  end
end

return operations
