-- The networks of the workloads as Selenite has them; networks.py has the same with PyTorch.
--
-- An entry makes the model, its inputs (x, and the target of training), and counts the
-- multiplications and additions of the matrix products and convolutions of one forward pass. The
-- second count is of those whose input needs no gradient, which makes a training step 3 times the
-- first less the second. Attention with a causal mask counts what the mask leaves.

local sel = require "selenite"
local nn = sel.nn

local networks = {}

local function classes(spec, count, ...)
  local n = spec.batch
  for _, extent in ipairs { ... } do n = n * extent end
  return sel.randint(0, count, { n })
end

-- ---- fully connected ----

local function sizes_of(spec)
  local sizes = {}
  for size in spec.sizes:gmatch "%d+" do sizes[#sizes + 1] = tonumber(size) end
  return sizes
end

networks.mlp = {
  make = function(spec)
    local sizes, layers = sizes_of(spec), {}
    for i = 2, #sizes do
      if i > 2 then layers[#layers + 1] = nn[spec.activation]() end
      layers[#layers + 1] = nn.linear(sizes[i - 1], sizes[i])
    end
    return nn.sequential(unpack(layers))
  end,
  inputs = function(spec)
    local sizes = sizes_of(spec)
    local last = sizes[#sizes]
    return sel.randn(spec.batch, sizes[1]),
           spec.loss == "mse" and sel.randn(spec.batch, last) or classes(spec, last)
  end,
  flops = function(spec)
    local sizes, total = sizes_of(spec), 0
    for i = 2, #sizes do total = total + 2 * spec.batch * sizes[i - 1] * sizes[i] end
    return total, 2 * spec.batch * sizes[1] * sizes[2]
  end,
}

-- ---- for images ----

local function convolution(spec, extent, from, to, kernel)
  return 2 * spec.batch * extent * extent * kernel * kernel * from * to
end

networks.cnn = {
  make = function()
    return nn.sequential(
      nn.conv2d(1, 32, 3, { padding = 1 }), nn.relu(), nn.max_pool2d(2),
      nn.conv2d(32, 64, 3, { padding = 1 }), nn.relu(), nn.max_pool2d(2),
      nn.flatten(), nn.linear(64 * 7 * 7, 128), nn.relu(), nn.linear(128, 10))
  end,
  inputs = function(spec) return sel.randn(spec.batch, 1, 28, 28), classes(spec, 10) end,
  flops = function(spec)
    local first = convolution(spec, 28, 1, 32, 3)
    return first + convolution(spec, 14, 32, 64, 3)
      + 2 * spec.batch * (64 * 7 * 7 * 128 + 128 * 10), first
  end,
}

networks.resnet = {
  make = function(spec)
    if spec.depth == 18 then return nn.resnet18 { num_classes = 10, stem = "small" } end
    return nn["resnet" .. spec.depth]()
  end,
  inputs = function(spec) return sel.randn(spec.batch, 3, 32, 32), classes(spec, 10) end,
  flops = function(spec)
    local stages, blocks = 3, (spec.depth - 2) / 6
    if spec.depth == 18 then stages, blocks = 4, 2 end
    local first = convolution(spec, 32, 3, spec.width, 3)
    local total, extent, from = first, 32, spec.width
    for stage = 1, stages do
      local to = spec.width * 2 ^ (stage - 1)
      for block = 1, blocks do
        if stage > 1 and block == 1 then
          extent = extent / 2
          total = total + convolution(spec, extent, from, to, 1)
        end
        total = total + convolution(spec, extent, from, to, 3)
          + convolution(spec, extent, to, to, 3)
        from = to
      end
    end
    return total + 2 * spec.batch * from * 10, first
  end,
}

-- ---- recurrent ----

local Lstm = nn.module "Lstm"

function Lstm:init(spec)
  self.embedding = nn.embedding(spec.vocabulary, spec.hidden)
  self.lstm = nn.lstm(spec.hidden, spec.hidden, spec.layers)
  self.head = nn.linear(spec.hidden, spec.vocabulary)
end

function Lstm:forward(ids)
  local y = self.lstm(self.embedding(ids))
  return self.head(y)
end

networks.lstm = {
  make = Lstm,
  inputs = function(spec)
    return sel.randint(0, spec.vocabulary, { spec.length, spec.batch }),
           classes(spec, spec.vocabulary, spec.length)
  end,
  flops = function(spec)
    return 2 * spec.length * spec.batch
      * (spec.layers * 8 * spec.hidden ^ 2 + spec.hidden * spec.vocabulary), 0
  end,
}

local Gru = nn.module "Gru"

function Gru:init(spec)
  self.gru = nn.gru(spec.features, spec.hidden)
  self.head = nn.linear(spec.hidden, spec.classes)
end

function Gru:forward(x)
  local y = self.gru(x)
  return self.head(y:select(1, -1))
end

networks.gru = {
  make = Gru,
  inputs = function(spec)
    return sel.randn(spec.length, spec.batch, spec.features), classes(spec, spec.classes)
  end,
  flops = function(spec)
    local inputs = 2 * spec.length * spec.batch * 3 * spec.hidden * spec.features
    return inputs + 2 * spec.batch
      * (spec.length * 3 * spec.hidden ^ 2 + spec.hidden * spec.classes), inputs
  end,
}

-- ---- transformers ----

networks.gpt = {
  make = function(spec)
    return nn.gpt { vocab_size = spec.vocabulary, n_positions = spec.length, n_embd = spec.width,
                    n_layer = spec.layers, n_head = spec.heads, dropout = 0 }
  end,
  inputs = function(spec)
    return sel.randint(0, spec.vocabulary, { spec.batch, spec.length }),
           classes(spec, spec.vocabulary, spec.length)
  end,
  flops = function(spec)
    local attention = 2 * spec.width * (spec.length + 1)
    return spec.batch * spec.length * (spec.layers * (24 * spec.width ^ 2 + attention)
      + 2 * spec.width * spec.vocabulary), 0
  end,
}

networks.encoder = {
  make = function(spec)
    return nn.transformer_encoder_layer { d_model = spec.width, nhead = spec.heads,
      dim_feedforward = spec.inner, dropout = 0, batch_first = true }
  end,
  inputs = function(spec)
    return sel.randn(spec.batch, spec.length, spec.width),
           sel.randn(spec.batch, spec.length, spec.width)
  end,
  flops = function(spec)
    local rows, width = spec.batch * spec.length, spec.width
    return rows * (8 * width ^ 2 + 4 * width * spec.inner + 4 * width * spec.length),
           rows * 6 * width ^ 2
  end,
}

return networks
