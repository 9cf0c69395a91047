-- What all metrics share: a class with numbers that can be put to 0, read and restored.
--
-- An object keeps all it has counted in self.counts, a table of numbers or of lists of numbers,
-- made by empty().

local errors = require "selenite.errors"
local arguments = require "selenite.arguments"

local M = {}
local metric = {}

-- m:reset(): as if nothing had been seen.
function metric:reset() self.counts = self:empty() end

-- m:state_dict(), m:load_state_dict(state): what was counted so far, a copy.
local function copy(value)
  if type(value) ~= "table" then return value end
  local result = {}
  for key, each in pairs(value) do result[key] = copy(each) end
  return result
end
function metric:state_dict() return copy(self.counts) end
function metric:load_state_dict(state)
  errors.expect("table", self.name, 1, "state", state)
  for key, value in pairs(self:empty()) do
    if type(state[key]) ~= type(value) then
      errors.raise(("%s: state.%s: expected a %s, got %s")
                   :format(self.name, key, type(value), errors.describe(state[key])))
    end
  end
  self.counts = copy(state)
end

-- A constructor: known maps options to defaults ("required" for none), better says which values of
-- compute() are: "max", "min", or nil where that depends. methods: empty, update, compute, and
-- init(options), which may check them.
function M.define(name, known, better, methods)
  local class = setmetatable(methods, { __index = metric })
  class.__index = class
  return function(options)
    local self = setmetatable({ name = name, better = better }, class)
    self.options = errors.all_options(name, options, known)
    if self.init then self:init(self.options) end
    self:reset()
    return self
  end
end

-- Raises unless value is a whole number of at least `least`.
function M.whole_option(name, option, value, least)
  if type(value) ~= "number" or value % 1 ~= 0 or value < least then
    errors.option(name, option, "a whole number of at least " .. least, value)
  end
end

-- Raises unless outputs and targets are tensors.
function M.check_tensors(name, outputs, targets)
  if not arguments.is_tensor(outputs) then
    errors.argument(name, 1, "outputs", "a tensor", outputs)
  end
  if not arguments.is_tensor(targets) then
    errors.argument(name, 2, "targets", "a tensor", targets)
  end
end

local function same_shape(a, b)
  if a:dim() ~= b:dim() then return false end
  for d = 1, a:dim() do
    if a:size(d) ~= b:size(d) then return false end
  end
  return true
end
M.same_shape = same_shape

-- Raises unless scores are [N, classes, ...] for targets [N, ...].
function M.check_scores(name, outputs, targets)
  M.check_tensors(name, outputs, targets)
  local fits = outputs:dim() == targets:dim() + 1
  for d = 1, targets:dim() do
    fits = fits and targets:size(d) == outputs:size(d == 1 and 1 or d + 1)
  end
  if not fits then
    errors.raise(("%s: expected outputs [N, classes, ...] and class ids [N, ...], got %s and %s")
                 :format(name, errors.describe(outputs), errors.describe(targets)))
  end
end

-- Class ids that outputs stand for: the ids themselves where they are whole numbers; the highest
-- scores of [N, classes, ...]; for floats of the targets' shape 1 where they are above `threshold`.
function M.predicted(name, outputs, targets, threshold)
  M.check_tensors(name, outputs, targets)
  if same_shape(outputs, targets) then
    if not outputs:is_floating_point() then return outputs:to "i64" end
    return outputs:gt(threshold):to "i64"
  end
  M.check_scores(name, outputs, targets)
  return outputs:argmax(2)
end

-- Class ids as i64, also where the data keep them as floats 0 and 1.
function M.ids(targets) return targets:to "i64" end

return M
