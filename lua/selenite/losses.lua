-- Loss functions: sel.cross_entropy(logits, target, options) and so on, and their descriptions,
-- from which nn makes the loss modules. Options have PyTorch's names and defaults.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local arguments = require "selenite.arguments"

local C = library.C
local out, wrap, check, retry = memory.out, memory.wrap, errors.check, memory.retry
local M = {}

-- name -> { doc =, options = { name -> default (or "none" for an optional tensor) },
--           call = function(input, target, options, reduction) -> status }
local list = {
  cross_entropy = {
    doc = "from logits [N, classes, ...] and class ids [N, ...] or probabilities",
    options = { weight = "none", ignore_index = -100, label_smoothing = 0 },
    call = function(x, target, o, reduction)
      return C.sel_cross_entropy(x, target, o.weight, o.ignore_index, o.label_smoothing,
                                 reduction, out)
    end },
  nll_loss = {
    doc = "from log-probabilities [N, classes, ...] and class ids [N, ...]",
    options = { weight = "none", ignore_index = -100 },
    call = function(x, target, o, reduction)
      return C.sel_nll_loss(x, target, o.weight, o.ignore_index, reduction, out)
    end },
  mse_loss = {
    doc = "squared difference", options = {},
    call = function(x, target, _, reduction) return C.sel_mse_loss(x, target, reduction, out) end },
  l1_loss = {
    doc = "absolute difference", options = {},
    call = function(x, target, _, reduction) return C.sel_l1_loss(x, target, reduction, out) end },
  smooth_l1_loss = {
    doc = "squared below beta, absolute above", options = { beta = 1 },
    call = function(x, target, o, reduction)
      return C.sel_smooth_l1_loss(x, target, o.beta, reduction, out)
    end },
  huber_loss = {
    doc = "squared below delta, absolute above", options = { delta = 1 },
    call = function(x, target, o, reduction)
      return C.sel_huber_loss(x, target, o.delta, reduction, out)
    end },
  bce_loss = {
    doc = "binary cross-entropy from probabilities", options = {},
    call = function(x, target, _, reduction) return C.sel_bce_loss(x, target, reduction, out) end },
  bce_with_logits_loss = {
    doc = "binary cross-entropy from logits", options = { pos_weight = "none" },
    call = function(x, target, o, reduction)
      return C.sel_bce_with_logits_loss(x, target, o.pos_weight, reduction, out)
    end },
  kl_div_loss = {
    doc = "from log-probabilities and target probabilities; reduction may be 'batchmean'",
    options = {},
    call = function(x, target, o, reduction)
      return C.sel_kl_div_loss(x, target, o.reduction == "batchmean", reduction, out)
    end },
}
M.list = list

local function reduction_of(name, reduction)
  if name == "kl_div_loss" and reduction == "batchmean" then return C.SEL_REDUCE_SUM end
  return arguments.reduction(name, reduction)
end

-- What a loss is and takes, from its description.
function M.explain(name)
  local options = {}
  for option, default in pairs(list[name].options) do
    options[#options + 1] = default == "none" and option .. " (a tensor)"
      or ("%s = %s"):format(option, default)
  end
  table.sort(options)
  options[#options + 1] = "reduction = 'mean' ('sum', 'none')"
  return ("A loss: %s. Options: %s."):format(list[name].doc, table.concat(options, ", "))
end

-- Checks options against a loss's description and completes them with the defaults.
function M.complete(name, options)
  if type(options) ~= "table" then
    errors.raise(("%s: expected a table of options, got %s"):format(name, errors.describe(options)))
  end
  local known = list[name].options
  for option, value in pairs(options) do
    local default = known[option]
    if option ~= "reduction" then
      if default == nil then
        local allowed = { reduction = true }
        for k in pairs(known) do allowed[k] = true end
        errors.check_options(name, options, allowed)
      elseif default == "none" then
        if not arguments.is_tensor(value) then errors.option(name, option, "a tensor", value) end
      elseif type(value) ~= "number" then
        errors.option(name, option, "a number", value)
      end
    end
  end
  local complete = { reduction = options.reduction }
  for option, default in pairs(known) do
    if options[option] ~= nil then
      complete[option] = options[option]
    elseif default ~= "none" then
      complete[option] = default
    end
  end
  return complete, reduction_of(name, options.reduction)
end

-- The function for one loss. options: as described, plus reduction = "mean", "sum" or "none".
local function make(name, loss)
  local defaults, default_reduction = M.complete(name, {})
  return function(input, target, options)
    if not ffi.istype("sel_tensor", input) then
      errors.argument(name, 1, "input", "a tensor", input)
    end
    if not ffi.istype("sel_tensor", target) then
      errors.argument(name, 2, "target", "a tensor", target)
    end
    local o, reduction = defaults, default_reduction
    if options ~= nil then o, reduction = M.complete(name, options) end
    local status = loss.call(input, target, o, reduction)
    if status ~= 0 then
      if retry(status) then status = loss.call(input, target, o, reduction) end
      check(status)
    end
    return wrap()
  end
end

M.functions = {}
for name, loss in pairs(list) do M.functions[name] = make(name, loss) end

return M
