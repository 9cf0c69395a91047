-- sel.metrics.confusion: which class was taken for which.

local errors = require "selenite.errors"
local metric = require "selenite.metrics.metric"

local methods = {}

function methods:init(options) -- luacheck: no self
  metric.whole_option("confusion", "classes", options.classes, 2)
end

function methods:empty()
  local rows, n = {}, self.options.classes
  for actual = 1, n do
    rows[actual] = {}
    for predicted = 1, n do rows[actual][predicted] = 0 end
  end
  return { rows = rows }
end

-- m:update(outputs, targets): as for accuracy.
function methods:update(outputs, targets)
  local n, threshold = self.options.classes, self.options.threshold
  local predicted = metric.predicted("confusion", outputs, targets, threshold):flatten()
  local actual = metric.ids(targets):flatten()
  for what, ids in pairs { targets = actual, outputs = predicted } do
    local low, high = ids:min():item(), ids:max():item()
    if low < 0 or high >= n then
      errors.raise(("confusion: %s: expected class ids from 0 to %d, got %d")
                   :format(what, n - 1, low < 0 and low or high))
    end
  end
  -- In f64: whole numbers are exact.
  local counts = actual:one_hot(n):to "f64":t():matmul(predicted:one_hot(n):to "f64"):totable()
  for i, row in ipairs(self.counts.rows) do
    for j = 1, n do row[j] = row[j] + counts[i][j] end
  end
end

-- m:compute(): the counts as rows, one an actual class, with a column for each predicted class;
-- what sel.plot.confusion draws.
function methods:compute() return self:state_dict().rows end

local make = metric.define("confusion", { classes = "required", threshold = 0 }, nil, methods)

-- sel.metrics.confusion{classes = 10, threshold = 0}: threshold as for accuracy.
return function(options) return make(options) end
