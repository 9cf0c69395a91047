-- NaN and infinity end a run before they reach a parameter.

local errors = require "selenite.errors"

local M = {}

-- Whether a number is neither NaN nor infinite.
function M.is(value) return value - value == 0 end

local function where(run)
  return ("train: step %d (epoch %d, batch %d)"):format(run.step + 1, run.epoch, run.batch)
end

-- Raises: the loss of this batch isn't finite.
function M.explain_loss(run, value)
  errors.raise(("%s: the loss is %s"):format(where(run), tostring(value)))
end

-- Raises: the loss of this batch is finite, the norm of the gradients isn't.
function M.explain_gradient(run, norm)
  errors.raise(("%s: the norm of the gradients is %s"):format(where(run), tostring(norm)))
end

return M
