-- A small GPT that learns to write like the King James Bible, and writes with a key-value cache.
--
--   selenite examples/09_king_james_gpt.lua --steps 7000
--
-- Options: --steps N, --limit N (characters to use), --context N (characters it sees), --width N,
-- --layers N, --batch N, --lr X, --device NAME, --seed N, --out FOLDER (for gpt.safetensors).

local sel = require "selenite"
local nn, optim, data = sel.nn, sel.optim, sel.data

local options = sel.options { steps = 7000, limit = 1e9, context = 256, width = 192, layers = 4,
                              batch = 8, lr = 0.003, device = sel.default_device(), seed = 1,
                              out = "." }
sel.set_default_device(options.device)
sel.manual_seed(options.seed)

-- The text as ids; the last tenth is held out.
local text = data.king_james():sub(1, options.limit)
local characters = data.characters(text)
local ids = characters:encode(text):to(options.device)
local n_train = math.floor(#ids * 0.9)

-- Positions are told apart by rotation, and weights begin larger than GPT-2's: so narrow a network
-- learns to look back in a tenth of the steps that it takes otherwise.
local model = nn.gpt { vocab_size = characters.size, n_positions = options.context,
                       n_embd = options.width, n_head = options.width / 32,
                       n_layer = options.layers, position = "rotary", initializer_range = 0.06,
                       dropout = 0 }
print(("%d parameters, %d characters to train on"):format(model:num_parameters(), n_train))

-- Mean cross-entropy of the characters that follow, in bits.
local function bits_of(logits, following)
  return sel.cross_entropy(logits:flatten(1, 2), following:flatten()) / math.log(2)
end

-- Windows of the training text from random places: `context` characters and one more.
local window = sel.arange(options.context + 1)
local function draw_batch()
  local starts = sel.randint(0, n_train - options.context, { options.batch, 1 })
  local rows = ids:index_select(1, (starts + window):flatten()):reshape(options.batch, -1)
  return rows:narrow(2, 1, options.context), rows:narrow(2, 2, options.context)
end

-- Mean bits a character of the held-out text. Windows overlap by half, and only their second half
-- counts: so each character is judged once, with half a window or more before it.
local function held_out_bits()
  local half = math.floor(options.context / 2)
  local n = math.floor((#ids - n_train - 1) / half) - 1
  local total = 0
  model:eval()
  sel.no_grad(function()
    for first = 0, n - 1, 16 do
      local starts = n_train + sel.arange(first, math.min(first + 16, n)):unsqueeze(2) * half
      local rows = ids:index_select(1, (starts + window):flatten()):reshape(#starts, -1)
      local logits = model(rows:narrow(2, 1, 2 * half)):narrow(2, half + 1, half)
      total = total + bits_of(logits, rows:narrow(2, half + 2, half)):item() * #starts
    end
  end)
  model:train()
  return total / n
end

-- Matrices decay, biases and norms don't.
local matrices, rest = {}, {}
for _, p in ipairs(model:parameters()) do
  table.insert(p:dim() == 2 and matrices or rest, p)
end
local optimizer = optim.adamw({ { params = matrices, weight_decay = 0.1 },
                                { params = rest, weight_decay = 0 } },
                              { lr = options.lr, betas = { 0.9, 0.99 } })
local schedule = optim.one_cycle_lr(optimizer, { max_lr = options.lr, total_steps = options.steps,
                                                 pct_start = 0.05, cycle_momentum = false })

local report = math.max(1, math.floor(options.steps / 16)) -- steps between two lines
local progress = sel.progress { epochs = math.ceil(options.steps / report), batches = report,
                                unit = "characters", values = { "bits" } }
local total = 0
for step = 1, options.steps do
  local seen, following = draw_batch()
  local loss = bits_of(model(seen), following)
  optimizer:zero_grad()
  loss:backward()
  nn.clip_grad_norm_(model:parameters(), 1)
  optimizer:step()
  schedule:step()
  total = total + loss:item()
  progress:step(options.batch * options.context, { bits = loss:item() })
  if step % report == 0 then
    progress:finish_epoch { bits = total / report }
    total = 0
  end
end
print(("held-out text: %.3f bits a character after %.0f s")
      :format(held_out_bits(), progress:seconds()))
sel.save(options.out .. "/gpt.safetensors", model:state_dict())

-- Writing: nn.generate keeps the keys and values of what was read, so that each new character costs
-- one position instead of all of them.
model:eval()
local prompt = "\n  1 And it came to pass"
io.write(prompt)
nn.generate(model, characters:encode(prompt):to(options.device), {
  max_new_tokens = 600, temperature = 0.8, context = options.context,
  on_ids = function(new) io.write(characters:decode(new)) io.flush() end })
print()
