-- Ends a run whose score hasn't improved for `patience` epochs.

local options_of = require "selenite.train.options"
local score = require "selenite.train.score"

local early_stopping = {}
early_stopping.__index = early_stopping

-- After an epoch.
function early_stopping:update(record)
  self.waited = self.score:update(record) and 0 or self.waited + 1
end

function early_stopping:is_due() return self.waited >= self.patience end

function early_stopping:state_dict()
  return { waited = self.waited, score = self.score:state_dict() }
end
function early_stopping:load_state_dict(state)
  self.waited = state.waited
  self.score:load_state_dict(state.score)
end

-- From the option early_stopping = { score =, mode =, patience =, min_delta = }.
return function(run, given)
  local o = options_of.read("train: early_stopping", given, options_of.early_stopping)
  return setmetatable({
    waited = 0, patience = o.patience,
    score = score.new("train: early_stopping", o.score, run, o.mode, o.min_delta),
  }, early_stopping)
end
