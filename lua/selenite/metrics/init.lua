-- sel.metrics: what is measured beside the loss, over as many batches as come.
--
--   local accuracy = sel.metrics.accuracy()
--   for x, y in loader:batches() do accuracy:update(model(x), y) end
--   print(accuracy:compute())
--   accuracy:reset()
--
-- Every metric counts over examples (or tokens), so that a last batch that isn't full weighs what
-- it holds. state_dict() gives all it has counted, as plain numbers, and load_state_dict takes it
-- back.

return {
  mean = require "selenite.metrics.mean",
  mae = require "selenite.metrics.mae",
  accuracy = require "selenite.metrics.accuracy",
  top_k = require "selenite.metrics.top_k",
  perplexity = require "selenite.metrics.perplexity",
  confusion = require "selenite.metrics.confusion",
  f1 = require "selenite.metrics.f1",
}
