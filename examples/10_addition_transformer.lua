-- A transformer that reads a sum written as text, "347+85", and writes the result.
--
--   selenite examples/10_addition_transformer.lua --steps 3000
--
-- The result is written from the last digit to the first, as one adds by hand. Of all pairs of
-- numbers one in eleven is kept out of training; the model is judged by those.
--
-- Options: --steps N, --digits N, --width N, --batch N, --lr X, --device NAME, --seed N.

local sel = require "selenite"
local nn, optim, data = sel.nn, sel.optim, sel.data

local options = sel.options { steps = 3000, digits = 3, width = 64, batch = 256, lr = 0.002,
                              device = sel.default_device(), seed = 1 }
sel.set_default_device(options.device)
sel.manual_seed(options.seed)

-- "_" fills up, ">" begins a result, "." ends it.
local characters = data.characters "_>.+0123456789"
local filler = characters:encode "_":item()
local source_length, target_length = 2 * options.digits + 1, options.digits + 3

local function padded(text, length) return text .. ("_"):rep(length - #text) end
local function is_held_out(a, b) return (5 * a + 3 * b) % 11 == 0 end

-- Pairs of numbers as ids: sources "347+85_" and targets ">234._", [n, length] each.
local function draw_pairs(n, held_out)
  local sources, targets = {}, {}
  while #sources < n do
    local numbers = sel.randint(0, 10 ^ options.digits, { 2 * n }, { device = "cpu" }):totable()
    for i = 1, 2 * n, 2 do
      local a, b = numbers[i], numbers[i + 1]
      if #sources < n and is_held_out(a, b) == held_out then
        sources[#sources + 1] = padded(("%d+%d"):format(a, b), source_length)
        targets[#targets + 1] = padded(">" .. tostring(a + b):reverse() .. ".", target_length)
      end
    end
  end
  local function ids(texts, length)
    return characters:encode(table.concat(texts)):reshape(n, length):to(options.device)
  end
  return ids(sources, source_length), ids(targets, target_length)
end

local Adder = nn.module "Adder"

function Adder:init(width)
  self.source = nn.embedding(characters.size, width)
  self.target = nn.embedding(characters.size, width)
  self.source_places = nn.learned_encoding { d_model = width, max_len = source_length,
                                             batch_first = true }
  self.target_places = nn.learned_encoding { d_model = width, max_len = target_length,
                                             batch_first = true }
  self.transformer = nn.transformer {
    d_model = width, nhead = 4, num_encoder_layers = 2, num_decoder_layers = 2,
    dim_feedforward = 4 * width, dropout = 0, activation = "gelu", norm_first = true,
    batch_first = true, causal = true }
  self.head = nn.linear(width, characters.size)
end

-- Logits of what follows each place of `target`.
function Adder:forward(source, target)
  local padding = source:eq(filler)
  local y = self.transformer(
    self.source_places(self.source(source)), self.target_places(self.target(target)),
    { src_key_padding_mask = padding, memory_key_padding_mask = padding })
  return self.head(y)
end

local model = Adder(options.width)
print(model:num_parameters() .. " parameters")

-- What the model writes, each time the likeliest character: [n, target_length].
local function answer(source)
  local target = characters:encode ">":expand(#source, 1):to(options.device)
  for _ = 2, target_length do
    local logits = model(source, target)
    target = sel.cat({ target, logits:select(2, -1):argmax(2, true) }, 2)
  end
  return target
end

-- Up to the sign that ends a text.
local function result_of(row) return characters:decode(row):match "^>(%d+)%." end

local optimizer = optim.adamw(model:parameters(), { lr = options.lr, weight_decay = 0.01 })
local schedule = optim.one_cycle_lr(optimizer, { max_lr = options.lr, total_steps = options.steps,
                                                 pct_start = 0.1, cycle_momentum = false })
local report = math.max(1, math.floor(options.steps / 10))
local progress = sel.progress { epochs = math.ceil(options.steps / report), batches = report,
                                unit = "sums" }
local total = 0
for step = 1, options.steps do
  local source, target = draw_pairs(options.batch, false)
  local logits = model(source, target:narrow(2, 1, target_length - 1))
  local loss = sel.cross_entropy(logits:flatten(1, 2),
                                 target:narrow(2, 2, target_length - 1):flatten(),
                                 { ignore_index = filler })
  optimizer:zero_grad()
  loss:backward()
  nn.clip_grad_norm_(model:parameters(), 1)
  optimizer:step()
  schedule:step()
  total = total + loss:item()
  progress:step(options.batch, { loss = loss:item() })
  if step % report == 0 then
    progress:finish_epoch { loss = total / report }
    total = 0
  end
end

model:eval()
sel.no_grad(function()
  local source, target = draw_pairs(2000, true)
  local written, right = answer(source), 0
  for i = 1, #source do
    local expected, got = result_of(target[i]), result_of(written[i])
    if got == expected then right = right + 1 end
    if i <= 5 then
      print(("%s = %s"):format(characters:decode(source[i]):gsub("_", ""), (got or "?"):reverse()))
    end
  end
  print(("%.4f of %d sums not seen before are exactly right, after %.0f s")
        :format(right / #source, #source, progress:seconds()))
end)
