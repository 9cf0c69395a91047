-- sel.metrics.mean: the mean of numbers that each stand for several examples, such as losses.

local errors = require "selenite.errors"
local metric = require "selenite.metrics.metric"

local methods = {}

function methods.empty() return { sum = 0, count = 0 } end

-- m:update(value, n): value is the mean over n examples (1 unless given).
function methods:update(value, n)
  errors.expect("number", "mean", 1, "value", value)
  n = errors.expect("number", "mean", 2, "n", n or 1)
  local counts = self.counts
  counts.sum, counts.count = counts.sum + value * n, counts.count + n
end

-- m:compute(): NaN where nothing was seen.
function methods:compute() return self.counts.sum / self.counts.count end

local make = metric.define("mean", {}, nil, methods)

-- sel.metrics.mean(): of numbers that each stand for several examples.
return function(options) return make(options) end
