-- sel.metrics.f1: the harmonic mean of precision and recall.
--
-- For a class, F1 = 2 TP / (2 TP + FP + FN). "macro" is the mean over the classes that occur among
-- targets or predictions, "micro" takes the counts of all classes together (where each example has
-- one class, that is the accuracy), "none" gives a list with nan for classes that don't occur. As
-- scikit-learn's f1_score.

local errors = require "selenite.errors"
local metric = require "selenite.metrics.metric"
local confusion = require "selenite.metrics.confusion"

local methods = {}
local averages = { macro = true, micro = true, none = true }

function methods:init(options)
  if not averages[options.average] then
    errors.option("f1", "average", "'macro', 'micro' or 'none'", options.average)
  end
  metric.whole_option("f1", "classes", options.classes, 2)
  self.better = options.average ~= "none" and "max" or nil
  self.confusion = confusion { classes = options.classes, threshold = options.threshold }
end

function methods:empty()
  self.confusion:reset()
  return self.confusion.counts
end

-- m:update(outputs, targets): as for accuracy.
function methods:update(outputs, targets)
  self.confusion.counts = self.counts
  self.confusion:update(outputs, targets)
end

function methods:compute()
  local rows, n = self.counts.rows, self.options.classes
  local scores, sum, occurring, right, all = {}, 0, 0, 0, 0
  for class = 1, n do
    local actual, predicted = 0, 0
    for other = 1, n do
      actual, predicted = actual + rows[class][other], predicted + rows[other][class]
    end
    local hits = rows[class][class]
    scores[class] = 2 * hits / (actual + predicted)
    if actual + predicted > 0 then sum, occurring = sum + scores[class], occurring + 1 end
    right, all = right + hits, all + actual
  end
  if self.options.average == "none" then return scores end
  if self.options.average == "micro" then return right / all end
  return sum / occurring
end

local make = metric.define("f1", { classes = "required", average = "macro", threshold = 0 },
                           "max", methods)

-- sel.metrics.f1{classes = 10, average = "macro", threshold = 0}: average may be "micro" or "none";
-- threshold as for accuracy.
return function(options) return make(options) end
