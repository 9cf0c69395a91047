-- Lowers the rate when a measured value stops improving: PyTorch's ReduceLROnPlateau.

local errors = require "selenite.errors"
local schedule = require "selenite.optim.schedule"

local known = {
  mode = "min", factor = 0.1, patience = 10, threshold = 1e-4, threshold_mode = "rel",
  cooldown = 0, min_lr = 0, eps = 1e-8,
}

local methods = {}

function methods:init()
  local o = self.options
  if o.mode ~= "min" and o.mode ~= "max" then
    errors.option("reduce_lr_on_plateau", "mode", "'min' or 'max'", o.mode)
  end
  if o.threshold_mode ~= "rel" and o.threshold_mode ~= "abs" then
    errors.option("reduce_lr_on_plateau", "threshold_mode", "'rel' or 'abs'", o.threshold_mode)
  end
  self.best = o.mode == "min" and math.huge or -math.huge
  self.bad, self.cooling = 0, 0
end

function methods.apply() end

local function is_better(self, value)
  local o = self.options
  local sign = o.mode == "min" and -1 or 1
  if o.threshold_mode == "rel" then
    return sign * value > sign * self.best * (1 + sign * o.threshold)
  end
  return sign * value > sign * (self.best + sign * o.threshold)
end

-- schedule:step(value): the value measured this epoch.
function methods:step(value)
  if type(value) ~= "number" then
    errors.argument("reduce_lr_on_plateau", 1, "value", "a number", value)
  end
  local o = self.options
  self.steps = self.steps + 1
  if is_better(self, value) then
    self.best, self.bad = value, 0
  else
    self.bad = self.bad + 1
  end
  if self.cooling > 0 then self.cooling, self.bad = self.cooling - 1, 0 end
  if self.bad <= o.patience then return end
  for group = 1, self.optimizer:group_count() do
    local old = self.optimizer:get("lr", group)
    local new = math.max(old * o.factor, o.min_lr)
    if old - new > o.eps then self.optimizer:set("lr", new, group) end
  end
  self.cooling, self.bad = o.cooldown, 0
end

function methods:state_dict()
  local rates = {}
  for group = 1, self.optimizer:group_count() do rates[group] = self.optimizer:get("lr", group) end
  return { steps = self.steps, best = self.best, bad = self.bad, cooling = self.cooling,
           rates = rates }
end

function methods:load_state_dict(state)
  self.steps, self.best, self.bad, self.cooling = state.steps, state.best, state.bad, state.cooling
  for group, rate in ipairs(state.rates) do self.optimizer:set("lr", rate, group) end
end

-- optim.reduce_lr_on_plateau(optimizer, {factor = 0.1, patience = 10}): options as in PyTorch:
-- mode, factor, patience, threshold, threshold_mode, cooldown, min_lr, eps.
return schedule.define("reduce_lr_on_plateau", known, function(self, _, _, group)
  return self.optimizer:get("lr", group)
end, methods)
