-- Learning rates that change with the number of steps: PyTorch's schedules in their closed forms.
--
-- A schedule sets the rate of step 0 when it is made and that of the next step each time step() is
-- called. The rate of a group depends on its rate before the schedule (base), on the step number
-- and on the schedule's options alone.

local errors = require "selenite.errors"

local M = {}
local schedule = {}
schedule.__index = schedule

-- Writes the settings of the present step into the optimizer.
function schedule:apply()
  for group = 1, #self.base do
    self.optimizer:set("lr", self:rate(self.base[group], self.steps, group), group)
  end
end

-- schedule:step(): on to the next rate; once an epoch or once a batch, as the options are meant.
function schedule:step()
  self.steps = self.steps + 1
  self:apply()
end

-- schedule:last_lr(group): the rate in force.
function schedule:last_lr(group) return self.optimizer:get("lr", group) end

-- schedule:state_dict(), schedule:load_state_dict(state): the step number and base rates.
function schedule:state_dict()
  return { steps = self.steps, base = { unpack(self.base) } }
end
function schedule:load_state_dict(state)
  self.steps, self.base = state.steps, { unpack(state.base) }
  self:apply()
end

-- Makes a constructor: known maps option names to defaults ("required" for none); rate(self, base,
-- steps, group) gives the rate; methods may replace those above.
function M.define(name, known, rate, methods)
  local class = setmetatable({ rate = rate }, { __index = schedule })
  for key, method in pairs(methods or {}) do class[key] = method end
  class.__index = class
  return function(optimizer, options)
    if type(optimizer) ~= "table" or not optimizer.group_count then
      errors.argument(name, 1, "optimizer", "an optimizer", optimizer)
    end
    local self = { optimizer = optimizer, steps = 0, base = {}, class_name = name,
                   options = errors.all_options(name, options, known) }
    -- the rates before the first schedule: a second one is not to start from what that one set
    local initial = optimizer.initial_lr
    for group = 1, optimizer:group_count() do
      initial[group] = initial[group] or optimizer:get("lr", group)
      self.base[group] = initial[group]
    end
    setmetatable(self, class)
    if self.init then self:init() end
    self:apply()
    return self
  end
end

-- optim.lambda_lr(optimizer, {fn = function(step) return factor end}): times fn(step).
M.lambda_lr = M.define("lambda_lr", { fn = "required" }, function(self, base, steps)
  return base * self.options.fn(steps)
end)

-- optim.step_lr(optimizer, {step_size = 30, gamma = 0.1}): times gamma every step_size steps.
M.step_lr = M.define("step_lr", { step_size = "required", gamma = 0.1 }, function(self, base, steps)
  return base * self.options.gamma ^ math.floor(steps / self.options.step_size)
end)

-- optim.multi_step_lr(optimizer, {milestones = {30, 80}, gamma = 0.1}): times gamma at each
-- milestone.
M.multi_step_lr = M.define("multi_step_lr", { milestones = "required", gamma = 0.1 },
  function(self, base, steps)
    local passed = 0
    for _, milestone in ipairs(self.options.milestones) do
      if milestone <= steps then passed = passed + 1 end
    end
    return base * self.options.gamma ^ passed
  end)

-- optim.exponential_lr(optimizer, {gamma = 0.9}): times gamma each step.
M.exponential_lr = M.define("exponential_lr", { gamma = "required" }, function(self, base, steps)
  return base * self.options.gamma ^ steps
end)

-- optim.linear_lr(optimizer, {start_factor = 1/3, end_factor = 1, total_iters = 5}): warm-up.
M.linear_lr = M.define("linear_lr", { start_factor = 1 / 3, end_factor = 1, total_iters = 5 },
  function(self, base, steps)
    local o = self.options
    local part = math.min(steps, o.total_iters) / o.total_iters
    return base * (o.start_factor + (o.end_factor - o.start_factor) * part)
  end)

-- optim.cosine_annealing_lr(optimizer, {t_max = 50, eta_min = 0}): half a cosine over t_max steps
-- (Loshchilov and Hutter 2017, without restarts).
M.cosine_annealing_lr = M.define("cosine_annealing_lr", { t_max = "required", eta_min = 0 },
  function(self, base, steps)
    local o = self.options
    return o.eta_min + (base - o.eta_min) * (1 + math.cos(math.pi * steps / o.t_max)) / 2
  end)

-- optim.sequential_lr(optimizer, {schedules = {warm_up, decay}, milestones = {5}}): one schedule
-- up to each milestone, the next one from there; each counts its own steps from 0. All are made
-- on the same optimizer.
M.sequential_lr = M.define("sequential_lr", { schedules = "required", milestones = "required" },
  function(self, base, steps, group)
    local o = self.options
    local index, start = 1, 0
    for i, milestone in ipairs(o.milestones) do
      if steps >= milestone then index, start = i + 1, milestone end
    end
    return o.schedules[index]:rate(base, steps - start, group)
  end,
  { init = function(self)
    local o = self.options
    if #o.schedules ~= #o.milestones + 1 then
      errors.raise(("sequential_lr: %d schedules need %d milestones, got %d")
                   :format(#o.schedules, #o.schedules - 1, #o.milestones))
    end
  end })

return M
