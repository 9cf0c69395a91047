-- One batch through model and loss, and what is measured of it.

local errors = require "selenite.errors"
local arguments = require "selenite.arguments"
local autograd = require "selenite.autograd"
local mean = require "selenite.metrics.mean"

local M = {}

-- The fields of a batch as a list, with how many there are as n.
function M.pack(...) return { n = select("#", ...), ... } end

-- M.run(options, batch): the loss (a tensor of one element), outputs and targets.
function M.run(options, batch)
  local outputs, targets
  if options.forward then
    outputs, targets = options.forward(options.model, unpack(batch, 1, batch.n))
  else
    outputs = options.model(batch[1])
  end
  if targets == nil then targets = batch[2] end
  local loss = options.loss(outputs, targets)
  if not arguments.is_tensor(loss) or loss:numel() ~= 1 then
    errors.raise("loss: expected a tensor of one element, got "
                 .. errors.describe(loss))
  end
  return loss, outputs, targets
end

-- Examples in a batch: the extent of dimension 1 of its first field.
function M.rows(batch)
  if not arguments.is_tensor(batch[1]) or batch[1]:dim() == 0 then
    errors.raise("data: expected tensors with one example a row, got "
                 .. errors.describe(batch[1]))
  end
  return batch[1]:size(1)
end

-- ---- measuring ----

-- A function(outputs, targets) that gives the mean of a batch, as a metric.
local function metric_of(fn)
  local metric = mean()
  local add = metric.update
  function metric.update(self, outputs, targets, n)
    local value = fn(outputs, targets)
    add(self, arguments.is_tensor(value) and value:item() or value, n)
  end
  return metric
end

local taken = { epoch = true, step = true, lr = true, loss = true } -- what else a record holds

-- The option `metrics`, checked: functions become metrics.
function M.read_metrics(operation, given)
  local metrics = {}
  for name, metric in pairs(given) do
    local fits = type(metric) == "table" and type(metric.update) == "function"
      and type(metric.compute) == "function" and type(metric.reset) == "function"
    if type(metric) == "function" then metric, fits = metric_of(metric), true end
    if type(name) ~= "string" or not fits then
      errors.raise(("%s: option 'metrics': expected names with metrics such as "
                    .. "sel.metrics.accuracy(), or functions; got %s under %s")
                   :format(operation, errors.describe(metric), errors.describe(name)))
    end
    if taken[name] then
      errors.raise(("%s: option 'metrics': '%s' has a meaning already"):format(operation, name))
    end
    metrics[name] = metric
  end
  return metrics
end

local function update_metrics(metrics, outputs, targets, n)
  if arguments.is_tensor(outputs) then outputs = outputs:detach() end
  for _, metric in pairs(metrics) do metric:update(outputs, targets, n) end
end

-- M.measure(meter, metrics, value, n, outputs, targets): adds a batch of n examples to the mean
-- loss and all metrics.
function M.measure(meter, metrics, value, n, outputs, targets)
  meter:update(value, n)
  if next(metrics) then autograd.no_grad(update_metrics, metrics, outputs, targets, n) end
end

-- M.collect(record, prefix, meter, metrics): writes what was measured into a record and begins
-- anew.
function M.collect(record, prefix, meter, metrics)
  record[prefix .. "loss"] = meter:compute()
  meter:reset()
  for name, metric in pairs(metrics) do
    record[prefix .. name] = metric:compute()
    metric:reset()
  end
end

return M
