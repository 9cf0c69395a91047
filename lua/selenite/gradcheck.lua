-- sel.gradcheck: the gradients that backward gives, held against differences of the function.
--
-- With outputs y and fixed random weights v of the same shapes, the gradient of sum(v * y) with
-- respect to an element x is (loss(x + eps) - loss(x - eps)) / (2 eps) up to eps^2: two runs of the
-- function for each element that is looked at. Differences of f32 numbers have too few digits for
-- that, so everything is f64.

local arguments = require "selenite.arguments"
local autograd = require "selenite.autograd"
local creation = require "selenite.creation"
local errors = require "selenite.errors"

local is_tensor = arguments.is_tensor
local M = {}

local known = { eps = true, atol = true, rtol = true, max_elements = true, names = true,
                raise_exception = true }

-- The float tensors among the results of fn: those that can have a gradient.
local function outputs_of(fn, inputs)
  local results, outputs = { fn(unpack(inputs)) }, {}
  for i = 1, table.maxn(results) do
    local y = results[i]
    if is_tensor(y) and y:dtype() == "f64" then
      outputs[#outputs + 1] = y
    elseif is_tensor(y) and (y:dtype() == "f32" or y.requires_grad) then
      errors.raise(("gradcheck: result %d of the function is %s, f64 is expected")
                   :format(i, y:dtype()))
    end
  end
  if #outputs == 0 then errors.raise "gradcheck: the function gave no f64 tensor" end
  return outputs
end

-- sum over outputs of sum(weights * output); makes the weights when they are not there yet.
local function weighted_sum(outputs, weights)
  local total
  for i, y in ipairs(outputs) do
    weights[i] = weights[i] or creation.rand(y:shape(), { dtype = "f64" }) + 0.5
    local part = (y * weights[i]):sum()
    total = total and total + part or part
  end
  return total
end

-- Position number `n` (from 0, in C order) of a tensor as text: "[2, 3]".
local function place(x, n)
  local shape, parts = x:shape(), {}
  for d = #shape, 1, -1 do
    parts[d] = n % shape[d] + 1
    n = math.floor(n / shape[d])
  end
  return "[" .. table.concat(parts, ", ") .. "]"
end

-- Compares one input's gradient with differences; returns a description of the first that is off.
local function compare(name, x, gradient, loss, options)
  local n = x:numel()
  local flat, backward = x:detach():reshape(-1), gradient and gradient:flatten():totable()
  local step = math.max(1, n / options.max_elements)
  for at = 0, n - 1, step do
    local k = math.floor(at)
    local element = flat:narrow(1, k + 1, 1)
    local start = element:item()
    element:fill_(start + options.eps)
    local above = loss()
    element:fill_(start - options.eps)
    local below = loss()
    element:fill_(start)
    local expected, got = (above - below) / (2 * options.eps), backward and backward[k + 1] or 0
    local off = math.abs(got - expected)
    if off > options.atol + options.rtol * math.abs(expected) or off ~= off then
      return ("%s, element %s of %s: backward gives %.9g, differences give %.9g%s")
             :format(name, place(x, k), errors.describe(x), got, expected,
                     gradient and "" or " (the input got no gradient at all)")
    end
  end
end

local function check_inputs(inputs)
  local wanted = {}
  for i = 1, table.maxn(inputs) do
    local x = inputs[i]
    if is_tensor(x) and x.requires_grad then
      if x:dtype() ~= "f64" or not x.is_leaf or not x:is_contiguous() then
        errors.raise(("gradcheck: input %d: a contiguous f64 leaf is expected, got %s%s: write "
                      .. "x:to('f64'):detach():requires_grad_()")
                     :format(i, x:dtype(), x.is_leaf and "" or " made by " .. x.grad_fn))
      end
      wanted[#wanted + 1] = i
    end
  end
  if #wanted == 0 then errors.raise "gradcheck: none of the inputs requires a gradient" end
  return wanted
end

-- sel.gradcheck(fn, inputs, options): whether the gradients of fn(unpack(inputs)) with respect to
-- those inputs that require one are those of differences. inputs: a tensor or a table of values;
-- what shall be checked is contiguous, f64 and a leaf. fn must give the same each time it is called
-- (call sel.manual_seed in it where it draws numbers). A parameter that fn uses by itself is
-- checked by naming it among the inputs too. Returns true. Options:
--   eps (1e-6), atol (1e-5), rtol (1e-3)   size of the step, allowed difference
--   max_elements                           looked at in each input, evenly spread; all
--   names                                  of the inputs, for messages
--   raise_exception (true)                 false: a difference returns false and what it is
function M.gradcheck(fn, inputs, options)
  if type(fn) ~= "function" and type(fn) ~= "table" then
    errors.argument("gradcheck", 1, "fn", "a function or a module", fn)
  end
  if is_tensor(inputs) then inputs = { inputs } end
  errors.expect("table", "gradcheck", 2, "inputs", inputs)
  errors.check_options("gradcheck", options, known)
  options = options or {}
  local chosen = { eps = options.eps or 1e-6, atol = options.atol or 1e-5,
                   rtol = options.rtol or 1e-3, max_elements = options.max_elements or math.huge }
  local names = options.names or {}
  local wanted = check_inputs(inputs)

  local leaves, weights = {}, {}
  for i, position in ipairs(wanted) do leaves[i] = inputs[position] end
  local total = autograd.enable_grad(function()
    return weighted_sum(outputs_of(fn, inputs), weights)
  end)
  if not total.requires_grad then
    errors.raise "gradcheck: the results don't depend on the inputs"
  end
  local gradients = autograd.grad(total, leaves, { allow_unused = true })

  local function loss() return weighted_sum(outputs_of(fn, inputs), weights):item() end
  local problem
  autograd.no_grad(function()
    for i, position in ipairs(wanted) do
      local name = names[position] or "input " .. position
      problem = problem or compare(name, leaves[i], gradients[i], loss, chosen)
    end
  end)
  if not problem then return true end
  if options.raise_exception == false then return false, problem end
  errors.raise("gradcheck: " .. problem)
end

return M
