-- NaN and infinity end a run before they reach a parameter; the error says where they came from.
--
-- Only loss and gradients' norm are looked at in each step. When one isn't finite, the batch is
-- computed once more from the same random numbers while every result is looked at (anomaly.lua).

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local anomaly = require "selenite.anomaly"
local inspect = require "selenite.profile.inspection"
local pass = require "selenite.train.pass"

local C = library.C
local M = {}

local generator = ffi.new "sel_generator"

-- M.mark(): where the generator stands before a batch.
function M.mark() C.sel_generator_get(generator) end

-- Whether a number is neither NaN nor infinite.
function M.is(value) return value - value == 0 end

local function is_finite(t) return t:isfinite():all():item() end

local function raise(run, what, why)
  errors.raise(("train: step %d (epoch %d, batch %d): %s%s")
               :format(run.step + 1, run.epoch, run.batch, what, why and ": " .. why or ""))
end

-- What held NaN or infinity before the step: a batch, a parameter or a buffer; nil for none.
local function found_before(run, batch)
  for i = 1, batch.n do
    if ffi.istype("sel_tensor", batch[i]) and batch[i]:is_floating_point()
      and not is_finite(batch[i]) then
      return ("field %d of the batch isn't finite"):format(i)
    end
  end
  for name, t in pairs(run.model:state_dict()) do
    if t:is_floating_point() and not is_finite(t) then
      return name .. " wasn't finite before this step"
    end
  end
end

-- Computes the batch once more while results are looked at; ask() then gives the event to explain.
-- Leaves generator and gradients as before the batch. Returns the explanation, or nil.
local function compute_again(run, batch, ask)
  local before = found_before(run, batch)
  if before then return before end
  C.sel_generator_set(generator)
  local event
  local recording, ok = inspect(nil, function() event = ask() end)
  C.sel_generator_set(generator)
  run.optimizer:zero_grad()
  if not recording or not ok then return nil end
  return event and anomaly.explain(recording, event) or "computed again, the same batch was finite"
end

-- Raises: the loss of this batch isn't finite.
function M.explain_loss(run, batch, value)
  local why = compute_again(run, batch, function()
    return anomaly.maker((pass.run(run.options, batch)))
  end)
  raise(run, ("the loss is %s"):format(tostring(value)), why)
end

-- Raises: the loss of this batch is finite, its gradients aren't.
function M.explain_gradient(run, batch, norm)
  local name
  local why = compute_again(run, batch, function()
    run.optimizer:zero_grad()
    local loss = pass.run(run.options, batch)
    loss:backward()
    local first
    for each, parameter in run.model:named_parameters() do
      local event = parameter.grad and anomaly.maker(parameter.grad)
      if event and not (first and first <= event) then name, first = each, event end
    end
    return first
  end)
  raise(run, name and ("the gradient of %s isn't finite"):format(name)
             or ("the norm of the gradients is %s"):format(tostring(norm)), why)
end

return M
