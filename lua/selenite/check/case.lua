-- A layer and its inputs, taken from the example in the description of its type, and what can be
-- done with them: run, compared, differentiated.

local ffi = require "ffi"
local sel = require "selenite"
local errors = require "selenite.errors"

local M = {}

local function pack(...) return { n = select("#", ...), ... } end

-- Raises a text without a position: it is about the plugin, not about this file.
local function fail(...) error((...):format(select(2, ...)), 0) end
M.fail = fail

local function is_float(x)
  return sel.is_tensor(x) and (x:dtype() == "f32" or x:dtype() == "f64")
end
M.is_float = is_float

-- Inputs by position; a last table gives them by name.
local function by_position(descriptor, inputs)
  local named = inputs[inputs.n]
  if type(named) ~= "table" then return inputs end
  inputs[inputs.n] = nil
  for i = 1, descriptor.n_inputs do
    local name = ffi.string(descriptor.inputs[i - 1].name)
    inputs[i] = inputs[i] or named[name]
  end
  inputs.n = descriptor.n_inputs
  return inputs
end

-- Runs the example of class; returns { layer =, inputs = } of the first run of a layer of that
-- type. The same numbers each time.
function M.record(class)
  local descriptor, forward, case = class.descriptor, class.forward, nil
  class.forward = function(self, ...)
    case = case or { layer = self, inputs = by_position(descriptor, pack(...)), forward = forward }
    return forward(self, ...)
  end
  local text = "local sel, nn = ... " .. ffi.string(descriptor.example)
  sel.manual_seed(1)
  local chunk, problem = loadstring(text, "=example")
  local ok = chunk ~= nil
  if ok then ok, problem = errors.protect(chunk, sel, sel.nn) end
  class.forward = forward
  if not ok then fail("the example fails: %s", tostring(problem)) end
  if not case then fail "the example makes no layer of this type and runs it" end
  return case
end

-- Runs the case's layer on these inputs; returns a table of the outputs. Random numbers are the
-- same each time.
function M.run(case, inputs)
  sel.manual_seed(2)
  return pack(case.forward(case.layer, unpack(inputs, 1, inputs.n)))
end

function M.map(inputs, fn)
  local result = { n = inputs.n }
  for i = 1, inputs.n do result[i] = inputs[i] ~= nil and fn(inputs[i], i) or inputs[i] end
  return result
end

-- Sum of all float outputs that have a gradient, nil where there is none.
function M.total_of(outputs, weigh)
  local total
  for i = 1, outputs.n do
    local y = outputs[i]
    if is_float(y) and y.requires_grad then
      local part = (weigh and weigh(y) or y):sum()
      total = total and total + part or part
    end
  end
  return total
end

-- Raises unless both lists of tensors agree; tolerance relative to the largest element.
function M.same(what, got, expected, tolerance)
  if got.n ~= expected.n then fail("%s: %d tensors instead of %d", what, got.n, expected.n) end
  for i = 1, expected.n do
    local a, b = got[i], expected[i]
    if (a == nil) ~= (b == nil) then fail("%s: tensor %d is there only once", what, i) end
    if a ~= nil then
      local shapes = { table.concat(a:shape(), "x"), table.concat(b:shape(), "x") }
      if shapes[1] ~= shapes[2] then
        fail("%s: tensor %d is %s instead of %s", what, i, shapes[1], shapes[2])
      end
      if a:numel() > 0 then
        a, b = a:detach():to("cpu", "f64"), b:detach():to("cpu", "f64")
        local off, largest = (a - b):abs():max():item(), math.max(1, b:abs():max():item())
        if off > tolerance * largest or off ~= off then
          fail("%s: tensor %d differs by %.3g where the largest element is %.3g", what, i, off,
               b:abs():max():item())
        end
      end
    end
  end
end

-- Gradients of the float inputs and all parameters for the gradient `weigh` makes of an output.
function M.gradients(case, inputs, weigh)
  local leaves = {}
  inputs = M.map(inputs, function(x)
    if not is_float(x) then return x end
    x = x:detach():requires_grad_()
    leaves[#leaves + 1] = x
    return x
  end)
  for _, p in ipairs(case.layer:parameters()) do leaves[#leaves + 1] = p end
  local total = M.total_of(M.run(case, inputs), weigh)
  if not total or #leaves == 0 then return nil end
  local list = sel.grad(total, leaves, { allow_unused = true })
  list.n = #leaves
  return list
end

return M
