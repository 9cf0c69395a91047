-- Samplers: which rows an epoch has, and in what order.
--
-- A sampler is a function: sampler(epoch) gives the rows of that epoch as an i64 tensor of rows
-- from 0, or as a table of positions from 1. A loader calls it with the generator started from its
-- seed and the epoch, and puts the generator back afterwards: what a sampler draws depends on these
-- two alone, so that a run that is resumed sees the rows it would have seen.

local errors = require "selenite.errors"
local arguments = require "selenite.arguments"
local creation = require "selenite.creation"

local M = {}

local function number_of(operation, position, n)
  arguments.integer(operation, position, "n", n)
  if n < 0 then errors.argument(operation, position, "n", "a number of rows", n) end
  return n
end

local function replacement_of(operation, options, default)
  errors.check_options(operation, options, { replacement = true })
  local value = options and options.replacement
  if value == nil then return default end
  if type(value) ~= "boolean" then
    errors.option(operation, "replacement", "true or false", value)
  end
  return value
end

-- data.sequential_sampler(n): rows 1 to n in their order.
function M.sequential_sampler(n)
  number_of("sequential_sampler", 1, n)
  return function() return creation.arange(n, { device = "cpu" }) end
end

-- data.random_sampler(n, draws, { replacement = false }): draws of n rows, all of them unless
-- given; with replacement a row may come again.
function M.random_sampler(n, draws, options)
  number_of("random_sampler", 1, n)
  draws = number_of("random_sampler", 2, draws or n)
  local replacement = replacement_of("random_sampler", options, false)
  if draws > n and not replacement then
    errors.raise(("random_sampler: %d rows can't be drawn of %d without replacement")
                 :format(draws, n))
  end
  if draws > 0 and n == 0 then errors.raise "random_sampler: there are no rows to draw from" end
  return function()
    if replacement then return creation.randint(0, n, { draws }, { device = "cpu" }) end
    return creation.randperm(n, { device = "cpu" }):narrow(1, 1, draws)
  end
end

local function weights_of(weights)
  if type(weights) == "table" then weights = creation.tensor(weights, { dtype = "f64" }) end
  if not arguments.is_tensor(weights) or weights:dim() ~= 1 then
    errors.argument("weighted_random_sampler", 1, "weights", "numbers, one a row", weights)
  end
  weights = weights:detach():to("cpu"):to("f64")
  local bad = weights:ge(0):logical_and(weights:lt(math.huge)):logical_not()
  if bad:any():item() then
    local at = bad:int():argmax(1):item()
    errors.raise(("weighted_random_sampler: expected finite weights of at least 0, got %g for row "
                  .. "%d"):format(weights[at + 1]:item(), at + 1))
  end
  return weights
end

-- data.weighted_random_sampler(weights, draws, { replacement = true }): rows with chances in
-- proportion to their weights (numbers, one a row; they needn't sum to 1). Without replacement, a
-- row comes at most once, and one of weight 0 never.
function M.weighted_random_sampler(weights, draws, options)
  weights = weights_of(weights)
  number_of("weighted_random_sampler", 2, draws)
  local replacement = replacement_of("weighted_random_sampler", options, true)
  local possible = weights:gt(0):long():sum():item()
  if draws > (replacement and possible > 0 and math.huge or possible) then
    errors.raise(("weighted_random_sampler: %d rows can't be drawn of the %d whose weight isn't "
                  .. "0%s"):format(draws, possible, replacement and "" or ", without replacement"))
  end
  if replacement then return function() return weights:multinomial(draws) end end
  -- The smallest of -log(u) / weight: Efraimidis and Spirakis 2006.
  return function()
    local u = creation.rand(#weights, { dtype = "f64", device = "cpu" })
    local _, ids = ((1 - u):log():neg() / weights):topk(draws, 1, false)
    return ids
  end
end

return M
