-- sel.metrics.accuracy: the part of the examples whose class was found.

local metric = require "selenite.metrics.metric"

local methods = {}

function methods.empty() return { right = 0, count = 0 } end

-- m:update(outputs, targets): scores [N, classes, ...] or class ids [N, ...], and class ids
-- [N, ...]; for two classes also one score an example, of the targets' shape.
function methods:update(outputs, targets)
  local predicted = metric.predicted("accuracy", outputs, targets, self.options.threshold)
  local ids = metric.ids(targets)
  local right, counted = predicted:eq(ids), targets:numel()
  local ignored = self.options.ignore_index
  if ignored then
    local valid = ids:ne(ignored)
    right, counted = right:logical_and(valid), valid:sum():item()
  end
  self.counts.right = self.counts.right + right:sum():item()
  self.counts.count = self.counts.count + counted
end

function methods:compute() return self.counts.right / self.counts.count end

local make = metric.define("accuracy", { threshold = 0, ignore_index = false }, "max", methods)

-- sel.metrics.accuracy{threshold = 0, ignore_index = none}: threshold is for one score an example
-- (0 for logits, 0.5 for probabilities); targets of ignore_index don't count.
return function(options) return make(options) end
