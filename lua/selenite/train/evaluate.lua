-- sel.evaluate: loss and metrics over data, without learning from it.

local autograd = require "selenite.autograd"
local mean = require "selenite.metrics.mean"
local evaluation = require "selenite.nn.evaluation"
local options_of = require "selenite.train.options"
local pass = require "selenite.train.pass"

local M = {}

local function measure_all(options, data, metrics)
  local meter = mean()
  for _, metric in pairs(metrics) do metric:reset() end
  local next_batch, state, last = data:batches(1)
  while true do
    local batch = pass.pack(next_batch(state, last))
    last = batch[1]
    if last == nil then break end
    local loss, outputs, targets = pass.run(options, batch)
    pass.measure(meter, metrics, loss:item(), pass.rows(batch), outputs, targets)
  end
  return meter
end

-- Writes loss and metrics over `data` into record, under names with this prefix.
function M.into(record, prefix, options, data, metrics)
  local meter = evaluation(options.model, autograd.no_grad, measure_all, options, data, metrics)
  pass.collect(record, prefix, meter, metrics)
end

-- sel.evaluate{ model =, loss =, data =, metrics =, forward = }: the mean loss and all metrics over
-- data, as a table name -> value. The model computes as in evaluation mode (no dropout, batch
-- statistics as they are) and is left as it was. Options are those of sel.train.
function M.evaluate(options)
  local o = options_of.read("evaluate", options, options_of.evaluate)
  local record, metrics = {}, pass.read_metrics("evaluate", o.metrics)
  M.into(record, "", o, o.data, metrics)
  return record
end

return M
