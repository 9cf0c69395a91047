-- nn.generate: ids from a language model, one by one, each drawn given all before it.
--
-- The model is anything that is called as `logits, present = model(ids, past)`: ids [N, T], past
-- what the call before gave as present, or an empty vector at the beginning; logits [N, T,
-- classes]. nn.gpt is one. It is used as it is: switch dropout off with model:eval() before. A past
-- that was read is freed: dead caches that wait for the collector would make each step ask the
-- system for memory.

local errors = require "selenite.errors"
local arguments = require "selenite.arguments"
local autograd = require "selenite.autograd"
local creation = require "selenite.creation"
local memory = require "selenite.memory"
local cat = require "selenite.tensor".methods.cat

local M = {}

-- What the options must be: a whole number or any number, from `low`.
local known = {
  max_new_tokens = { whole = true, low = 0, required = true },
  temperature = { low = 0, default = 1 },
  top_k = { whole = true, low = 1 },
  top_p = { low = 0 },
  stop = { whole = true, low = 0 },
  context = { whole = true, low = 2 },
  on_ids = {},
}

local function read_options(given)
  errors.check_options("generate", given, known)
  local options = {}
  for name, rule in pairs(known) do
    local value = given and given[name]
    if value == nil then value = rule.default end
    if name == "on_ids" then
      if value ~= nil then errors.expect("function", "generate", 3, name, value) end
    elseif value ~= nil or rule.required then
      if type(value) ~= "number" or value < rule.low or rule.whole and value % 1 ~= 0 then
        errors.option("generate", name, ("a %snumber from %d on")
                      :format(rule.whole and "whole " or "", rule.low), value)
      end
    end
    options[name] = value
  end
  return options
end

-- ---- drawing ----

local function without(logits, lowest) return logits:masked_fill(logits:lt(lowest), -math.huge) end

-- The k largest of each row.
local function keep_top_k(logits, k)
  local values = logits:topk(math.min(k, logits:size(-1)))
  return without(logits, values:narrow(-1, -1, 1))
end

-- The fewest whose probabilities sum to at least p (Holtzman et al. 2020).
local function keep_top_p(logits, p)
  local sorted = logits:sort(-1, true)
  local probabilities = sorted:softmax(-1)
  local before = probabilities:cumsum(-1) - probabilities
  local kept = before:lt(math.max(p, 1e-30)) -- the first has 0 before it
  return without(logits, kept:where(sorted, math.huge):amin(-1, true))
end

-- Ids [N, 1] from logits [N, classes].
local function draw(logits, options)
  if options.temperature == 0 then return logits:argmax(-1, true) end
  logits = logits / options.temperature
  if options.top_k then logits = keep_top_k(logits, options.top_k) end
  if options.top_p then logits = keep_top_p(logits, options.top_p) end
  return logits:softmax(-1):multinomial(1)
end

-- ---- generating ----

-- Rows that have ended go on with `stop`; `ended` holds which they are. Returns the ids, and
-- whether all rows have ended.
local function apply_stop(ids, stop, ended)
  local rows, all = ids:totable(), true
  for i, row in ipairs(rows) do
    if ended[i] then row[1] = stop end
    ended[i] = row[1] == stop
    all = all and ended[i]
  end
  return creation.tensor(rows, { dtype = "i64", device = ids:device() }), all
end

-- Logits and present of one call.
local function call(model, ids, past)
  local logits, present = model(ids, past)
  if not arguments.is_tensor(logits) or not arguments.is_tensor(present) then
    errors.raise(("generate: expected the model to give logits and present, got %s and %s")
                 :format(errors.describe(logits), errors.describe(present)))
  end
  if memory.identity(present) ~= memory.identity(past) then past:free() end
  return logits, present
end

local function run(model, ids, options)
  local ended = {}
  local unread, past, read = ids, creation.zeros(0), 0 -- read: positions that past holds
  for _ = 1, options.max_new_tokens do
    if options.context and read + unread:size(2) > options.context then
      local keep = math.floor(options.context / 2)
      unread, past, read = ids:narrow(2, -keep, keep), creation.zeros(0), 0
    end
    local logits
    logits, past = call(model, unread, past)
    read = read + unread:size(2)
    local finished
    unread = draw(logits:select(2, -1), options)
    if options.stop then unread, finished = apply_stop(unread, options.stop, ended) end
    ids = cat({ ids, unread }, 2)
    if options.on_ids then options.on_ids(unread) end
    if finished then break end
  end
  return ids
end

-- nn.generate(model, ids, options): ids [N, T], or [T], followed by what the model adds.
--   max_new_tokens   how many ids at most (required)
--   temperature      1 unless given: logits are divided by it; 0 takes the likeliest id
--   top_k, top_p     draw among the k likeliest, or among the likeliest that sum to p
--   stop             an id that ends a row; a row that ended repeats it while others go on
--   context          positions the model has: when they are full, generation goes on from the last
--                    half of them, read again. Otherwise the model's own error ends it.
--   on_ids           called with each step's ids [N, 1]
function M.generate(model, ids, options)
  if not arguments.is_tensor(ids) then errors.argument("generate", 2, "ids", "a tensor", ids) end
  options = read_options(options)
  local single = ids:dim() == 1
  if not single and ids:dim() ~= 2 or ids:size(-1) == 0 then
    errors.argument("generate", 2, "ids", "[N, T] or [T] with T at least 1", ids)
  end
  if single then ids = ids:unsqueeze(1) end
  local result = autograd.no_grad(run, model, ids, options)
  return single and result:squeeze(1) or result
end

return M
