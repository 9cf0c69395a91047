-- A score that is watched: a number of each epoch's record, which way is better, the best so far.

local errors = require "selenite.errors"

local score = {}
score.__index = score

-- score:update(record): whether this epoch's value is the best so far, by more than min_delta.
function score:update(record)
  local value = record[self.name]
  if type(value) ~= "number" then
    errors.raise(("%s: the score '%s': expected a number, got %s")
                 :format(self.operation, self.name, errors.describe(value)))
  end
  local gain = self.mode == "max" and value - self.best or self.best - value
  local better = gain > self.min_delta
  if better then self.best, self.epoch = value, record.epoch end
  return better
end

function score:state_dict() return { best = self.best, epoch = self.epoch } end
function score:load_state_dict(state) self.best, self.epoch = state.best, state.epoch end

local function mode_of(operation, name, mode, metrics)
  local plain = name:gsub("^val_", "")
  mode = mode or plain == "loss" and "min" or metrics[plain].better
  if not mode then
    errors.raise(("%s: option 'mode' is needed for the score '%s': 'min' or 'max'")
                 :format(operation, name))
  end
  return mode
end

-- The names a record has for scores, in order: of training, then of validation.
local function names_of(metrics, validates)
  local plain = {}
  for name in pairs(metrics) do plain[#plain + 1] = name end
  table.sort(plain)
  table.insert(plain, 1, "loss")
  local names = { unpack(plain) }
  if validates then
    for _, name in ipairs(plain) do names[#names + 1] = "val_" .. name end
  end
  return names
end

-- new(operation, name, run, mode, min_delta): name nil stands for the validation loss, or the loss
-- where nothing is validated.
local function new(operation, name, run, mode, min_delta)
  local metrics, validates = run.options.metrics, run.options.validation
  name = name or validates and "val_loss" or "loss"
  local names, known = names_of(metrics, validates), false
  for _, each in ipairs(names) do known = known or each == name end
  if not known then
    errors.raise(("%s: no score '%s'; there are: %s")
                 :format(operation, name, table.concat(names, ", ")))
  end
  mode = mode_of(operation, name, mode, metrics)
  return setmetatable({ operation = operation, name = name, mode = mode, min_delta = min_delta or 0,
                        best = mode == "max" and -math.huge or math.huge, epoch = 0 }, score)
end

return { new = new, names_of = names_of }
