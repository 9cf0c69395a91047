-- sel.metrics.perplexity: e to the mean cross-entropy of tokens; as many equally likely tokens
-- would leave a model as uncertain.

local losses = require "selenite.losses"
local metric = require "selenite.metrics.metric"

local methods = {}

function methods.empty() return { sum = 0, count = 0 } end

-- m:update(outputs, targets): logits [N, tokens, ...] and token ids [N, ...], as cross_entropy
-- takes them.
function methods:update(outputs, targets)
  metric.check_scores("perplexity", outputs, targets)
  local ignored = self.options.ignore_index
  local sum = losses.functions.cross_entropy(outputs:detach(), targets,
    { reduction = "sum", ignore_index = ignored })
  self.counts.sum = self.counts.sum + sum:item()
  self.counts.count = self.counts.count + targets:ne(ignored):sum():item()
end

function methods:compute() return math.exp(self.counts.sum / self.counts.count) end

local make = metric.define("perplexity", { ignore_index = -100 }, "min", methods)

-- sel.metrics.perplexity{ignore_index = -100}: targets of ignore_index don't count.
return function(options) return make(options) end
