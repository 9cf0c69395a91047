-- sel.metrics.mae: how far numbers are off, on average.

local errors = require "selenite.errors"
local metric = require "selenite.metrics.metric"

local methods = {}

function methods.empty() return { sum = 0, count = 0 } end

-- m:update(outputs, targets): tensors of one shape.
function methods:update(outputs, targets)
  metric.check_tensors("mae", outputs, targets)
  if not metric.same_shape(outputs, targets) then
    errors.raise(("mae: expected outputs and targets of one shape, got %s and %s")
                 :format(errors.describe(outputs), errors.describe(targets)))
  end
  local difference = outputs:detach():to "f64" - targets:to "f64"
  self.counts.sum = self.counts.sum + difference:abs():sum():item()
  self.counts.count = self.counts.count + targets:numel()
end

function methods:compute() return self.counts.sum / self.counts.count end

local make = metric.define("mae", {}, "min", methods)

-- sel.metrics.mae(): the mean absolute error.
return function(options) return make(options) end
