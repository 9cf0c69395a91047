-- sel.metrics.top_k: the part of the examples whose class is among the k highest scores.

local errors = require "selenite.errors"
local metric = require "selenite.metrics.metric"

local methods = {}

function methods:init(options) -- luacheck: no self
  metric.whole_option("top_k", "k", options.k, 1)
end

function methods.empty() return { right = 0, count = 0 } end

-- m:update(outputs, targets): scores [N, classes, ...] and class ids [N, ...].
function methods:update(outputs, targets)
  metric.check_scores("top_k", outputs, targets)
  local k = self.options.k
  if k > outputs:size(2) then
    errors.raise(("top_k: k is %d, but there are %d classes"):format(k, outputs:size(2)))
  end
  local _, best = outputs:detach():topk(k, 2)
  local found = best:eq(metric.ids(targets):unsqueeze(2))
  self.counts.right = self.counts.right + found:sum():item()
  self.counts.count = self.counts.count + targets:numel()
end

function methods:compute() return self.counts.right / self.counts.count end

local make = metric.define("top_k", { k = 5 }, "max", methods)

-- sel.metrics.top_k{k = 5}: the part of the examples whose class is among the k highest scores.
return function(options) return make(options) end
