-- One cycle: the rate rises to max_lr and falls far below its start, momentum the other way round.
-- Smith and Topin, "Super-convergence", 2019; PyTorch's OneCycleLR.

local errors = require "selenite.errors"
local schedule = require "selenite.optim.schedule"

local anneal = {
  cos = function(first, last, part)
    return last + (first - last) / 2 * (1 + math.cos(math.pi * part))
  end,
  linear = function(first, last, part) return first + (last - first) * part end,
}

-- Each phase: { step at its end, rate at its start, at its end, momentum at its start, at its end
-- }.
local function phases_of(o)
  local first = o.max_lr / o.div_factor
  local final = first / o.final_div_factor
  local rise, last = o.pct_start * o.total_steps - 1, o.total_steps - 1
  local high, low = o.max_momentum, o.base_momentum
  if o.three_phase then
    return { { rise, first, o.max_lr, high, low }, { 2 * rise, o.max_lr, first, low, high },
             { last, first, final, high, high } }
  end
  return { { rise, first, o.max_lr, high, low }, { last, o.max_lr, final, low, high } }
end

-- Rate and momentum at a step.
local function values_at(self, steps)
  if steps > self.options.total_steps then
    errors.raise(("one_cycle_lr: step %d of %d"):format(steps, self.options.total_steps))
  end
  local start = 0
  for i, phase in ipairs(self.phases) do
    if steps <= phase[1] or i == #self.phases then
      local part = (steps - start) / (phase[1] - start)
      return self.anneal(phase[2], phase[3], part), self.anneal(phase[4], phase[5], part)
    end
    start = phase[1]
  end
end

local known = {
  max_lr = "required", total_steps = "required", pct_start = 0.3, anneal_strategy = "cos",
  cycle_momentum = true, base_momentum = 0.85, max_momentum = 0.95, div_factor = 25,
  final_div_factor = 1e4, three_phase = false,
}

local methods = {}

function methods:init()
  self.anneal = anneal[self.options.anneal_strategy]
  if not self.anneal then
    errors.option("one_cycle_lr", "anneal_strategy", "'cos' or 'linear'",
                  self.options.anneal_strategy)
  end
  self.phases = phases_of(self.options)
  local settings = self.optimizer.known
  self.momentum = settings.beta1 and "beta1" or settings.momentum and "momentum"
end

function methods:apply()
  local rate, momentum = values_at(self, self.steps)
  self.optimizer:set("lr", rate)
  if self.options.cycle_momentum and self.momentum then
    self.optimizer:set(self.momentum, momentum)
  end
end

-- optim.one_cycle_lr(optimizer, {max_lr = 0.1, total_steps = 1000}): step once a batch. Options
-- as in PyTorch: pct_start, anneal_strategy ("cos", "linear"), cycle_momentum, base_momentum,
-- max_momentum, div_factor, final_div_factor, three_phase.
return schedule.define("one_cycle_lr", known, function(self, _, steps)
  return (values_at(self, steps))
end, methods)
