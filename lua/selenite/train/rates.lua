-- When a run's schedule takes its steps, and what a schedule that watches a score is given.

local errors = require "selenite.errors"
local score = require "selenite.train.score"

local M = {}

-- What leaves no choice; other schedules count what their options are meant for.
local only = { one_cycle_lr = "step", reduce_lr_on_plateau = "epoch" }

-- Completes and checks the options schedule_every and schedule_score.
function M.read(run)
  local o = run.options
  if not o.schedule then
    if o.schedule_every or o.schedule_score then
      errors.raise "train: options 'schedule_every' and 'schedule_score' go with 'schedule'"
    end
    return
  end
  local name = o.schedule.class_name
  o.schedule_every = o.schedule_every or only[name]
  if not o.schedule_every then
    errors.raise(("train: option 'schedule_every' is required with %s: 'step' or 'epoch'")
                 :format(name or "this schedule"))
  end
  if only[name] and o.schedule_every ~= only[name] then
    errors.raise(("train: option 'schedule_every': expected '%s' for %s, got '%s'")
                 :format(only[name], name, o.schedule_every))
  end
  if o.schedule_score or name == "reduce_lr_on_plateau" then
    local mode = o.schedule.options and o.schedule.options.mode or "min"
    o.schedule_score = score.new("train: schedule_score", o.schedule_score, run, mode).name
  end
end

function M.after_step(o)
  if o.schedule_every == "step" then o.schedule:step() end
end

function M.after_epoch(o, record)
  if o.schedule_every == "epoch" then o.schedule:step(record[o.schedule_score]) end
end

-- The learning rate in force, nil for an optimizer without one.
function M.current(o) return o.optimizer.get and o.optimizer:get "lr" end

return M
