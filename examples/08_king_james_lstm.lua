-- An LSTM that learns to write like the King James Bible, one character after the other.
--
--   selenite examples/08_king_james_lstm.lua --epochs 5
--
-- Options: --epochs N, --limit N (characters to use), --hidden N, --batch N (streams of text that
-- are read side by side), --steps N (characters between two updates), --lr X, --device NAME,
-- --seed N.

local sel = require "selenite"
local nn, optim, data = sel.nn, sel.optim, sel.data

local options = sel.options { epochs = 5, limit = 1e9, hidden = 512, batch = 64, steps = 128,
                              lr = 0.004, device = sel.default_device(), seed = 1 }
sel.set_default_device(options.device)
sel.manual_seed(options.seed)

-- The text as ids; the last tenth is held out.
local text = data.king_james():sub(1, options.limit)
local characters = data.characters(text)
local ids = characters:encode(text)
local n_train = math.floor(#ids * 0.9)

local CharLSTM = nn.module "CharLSTM"

function CharLSTM:init(n_characters, hidden)
  self.embedding = nn.embedding(n_characters, 64)
  self.lstm = nn.lstm { input_size = 64, hidden_size = hidden, batch_first = true }
  self.head = nn.linear(hidden, n_characters)
end

function CharLSTM:forward(x, h, c)
  local y
  y, h, c = self.lstm(self.embedding(x), h, c)
  return self.head(y), h, c
end

local model = CharLSTM(characters.size, options.hidden)
print(model)
print(("%d parameters, %d characters to train on"):format(model:num_parameters(), n_train))

-- Cuts a part of the text into `streams` rows and goes along them in pieces: each piece with the
-- characters that come next. The state at the end of one piece is where the next begins.
local function pieces(part, streams, steps)
  local length = math.floor((#part - 1) / streams)
  local x = part[{ { 1, streams * length } }]:reshape(streams, length)
  local y = part[{ { 2, streams * length + 1 } }]:reshape(streams, length)
  local at = 1
  return function()
    if at > length then return nil end
    local n = math.min(steps, length - at + 1)
    at = at + n
    return x:narrow(2, at - n, n):to(options.device), y:narrow(2, at - n, n):to(options.device)
  end, math.ceil(length / steps)
end

-- Mean bits a character of the held-out text.
local function held_out_bits()
  local held_out, total, count = ids[{ { n_train + 1, #ids } }], 0, 0
  model:eval()
  sel.no_grad(function()
    local h, c, logits
    for x, y in pieces(held_out, 32, options.steps) do
      logits, h, c = model(x, h, c)
      total = total + sel.cross_entropy(logits:flatten(1, 2), y:flatten()):item() * y:numel()
      count = count + y:numel()
    end
  end)
  model:train()
  return total / count / math.log(2)
end

local train = ids[{ { 1, n_train } }]
local _, updates = pieces(train, options.batch, options.steps)
local optimizer = optim.adamw(model:parameters(), { lr = options.lr, weight_decay = 0.01 })
local schedule = optim.one_cycle_lr(optimizer, { max_lr = options.lr, pct_start = 0.1,
                                                 total_steps = options.epochs * updates })
local progress = sel.progress { epochs = options.epochs, batches = updates, unit = "characters",
                                values = { "bits", "held_out" } }
local bits
for _ = 1, options.epochs do
  local total, count = 0, 0
  local logits, h, c
  for x, y in pieces(train, options.batch, options.steps) do
    logits, h, c = model(x, h, c)
    local loss = sel.cross_entropy(logits:flatten(1, 2), y:flatten())
    optimizer:zero_grad()
    loss:backward()
    nn.clip_grad_norm_(model:parameters(), 1)
    optimizer:step()
    schedule:step()
    h, c = h:detach(), c:detach() -- gradients go back to the begin of a piece, no further
    total, count = total + loss:item() * y:numel(), count + y:numel()
    progress:step(y:numel(), { bits = loss:item() / math.log(2) })
  end
  bits = held_out_bits()
  progress:finish_epoch { bits = total / count / math.log(2), held_out = bits }
end
print(("held-out text: %.3f bits a character after %.0f s"):format(bits, progress:seconds()))

-- Writing: each character is drawn from what the model expects, and is its next input.
model:eval()
local prompt = "\n  1 And it came to pass"
local written = { prompt }
sel.no_grad(function()
  local x = characters:encode(prompt):unsqueeze(1):to(options.device)
  local logits, h, c
  for _ = 1, 500 do
    logits, h, c = model(x, h, c)
    local scores = logits[{ 1, -1 }] / 0.8 -- below 1: fewer surprises
    -- The largest score plus Gumbel noise is a draw from their softmax (Gumbel 1954).
    local noise = sel.rand(characters.size):clamp(1e-9, 1):log():neg():log():neg()
    x = (scores + noise):argmax():reshape(1, 1)
    written[#written + 1] = characters:decode(x)
  end
end)
print(table.concat(written))
