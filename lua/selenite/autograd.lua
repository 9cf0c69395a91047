-- Gradients: grad mode, backward, sel.grad, and the fields x.grad and x.requires_grad.
--
-- Backward runs in one call of core, unless host functions or hooks are recorded (host.lua): then
-- it goes in steps and Lua does its part between them. C never calls into Lua.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local arguments = require "selenite.arguments"
local tensor = require "selenite.tensor"
local host = require "selenite.host"

local C = library.C
local out, wrap, check = memory.out, memory.wrap, errors.check
local is_tensor = arguments.is_tensor
local define, fields, setters = tensor.define, tensor.fields, tensor.setters
local M = {}

-- ---- grad mode ----

local function restore(previous, ok, ...)
  C.sel_set_grad_enabled(previous)
  if not ok then errors.rethrow(...) end
  return ...
end

-- sel.no_grad(fn, ...): fn(...) without recording; returns its results.
function M.no_grad(fn, ...)
  return restore(C.sel_set_grad_enabled(false), errors.protect(fn, ...))
end

-- sel.enable_grad(fn, ...): fn(...) with recording, also inside no_grad.
function M.enable_grad(fn, ...)
  return restore(C.sel_set_grad_enabled(true), errors.protect(fn, ...))
end

-- sel.grad_enabled(): whether operations are recorded.
function M.grad_enabled() return C.sel_grad_enabled() end

-- sel.set_grad_enabled(on): switches recording; returns the previous state.
function M.set_grad_enabled(on)
  if type(on) ~= "boolean" then errors.argument("set_grad_enabled", 1, "on", "a boolean", on) end
  return C.sel_set_grad_enabled(on)
end

-- ---- fields and methods of tensors ----

-- x.grad: the gradient accumulated by backward, or nil. Can be set, also to nil.
function fields.grad(x) return memory.borrow(C.sel_grad_of(x)) end
function setters.grad(x, grad)
  if grad ~= nil and not is_tensor(grad) then
    errors.raise("grad: expected a tensor or nil, got " .. errors.describe(grad))
  end
  check(C.sel_set_grad(x, grad))
end

-- x.requires_grad: whether x takes part in gradients. Can be set on leaves.
function fields.requires_grad(x) return C.sel_requires_grad(x) end
function setters.requires_grad(x, on)
  if type(on) ~= "boolean" then
    errors.raise("requires_grad: expected a boolean, got " .. errors.describe(on))
  end
  check(C.sel_set_requires_grad(x, on))
end

-- x.is_leaf: whether no recorded operation made x.
function fields.is_leaf(x) return C.sel_is_leaf(x) end

-- x.grad_fn: name of the operation that made x, nil for a leaf.
function fields.grad_fn(x)
  local name = C.sel_grad_fn(x)
  return name ~= nil and ffi.string(name) or nil
end

-- x:requires_grad_(on): asks for x's gradient (or stops asking); returns x.
define("requires_grad_", function(x, on)
  if on == nil then on = true end
  setters.requires_grad(x, on)
  return x
end)

-- x:retain_grad(): keeps the gradient of a tensor that is no leaf; returns x.
define("retain_grad", function(x)
  check(C.sel_retain_grad(x))
  return x
end)

-- x:register_hook(fn): fn(gradient) sees each gradient of x that backward computes and may return
-- another in its place. Returns a function that takes the hook away.
define("register_hook", function(x, fn)
  if type(fn) ~= "function" then errors.argument("register_hook", 2, "fn", "a function", fn) end
  return host.register_hook(x, fn)
end)

-- ---- backward ----

-- Adds the gradients of all roots (tensors), times grads, to .grad of leaves.
local function accumulate(n, roots, grads, keep, create)
  if host.active() then
    host.run(n, roots, grads, 0, nil, keep, create)
    return
  end
  local status = C.sel_backward(n, roots, grads, keep, create)
  if status == C.SEL_E_MEMORY then memory.collect() end -- not repeated: gradients were added to
  check(status)
end

local known = { retain_graph = true, create_graph = true }
local known_grad = { grad_outputs = true, retain_graph = true, create_graph = true,
                     allow_unused = true }
local one_root, one_grad = ffi.new "sel_tensor *[1]", ffi.new "sel_tensor *[1]"
local none = {}

-- x:backward(gradient, options): adds the gradient of x (times `gradient`; 1 where x has one
-- element) to .grad of all leaves. Options: retain_graph = true keeps the tape for another walk;
-- create_graph = true records the gradients themselves.
define("backward", function(x, gradient, options)
  if type(gradient) == "table" then gradient, options = nil, gradient end
  if gradient ~= nil and not is_tensor(gradient) then
    errors.argument("backward", 2, "gradient", "a tensor", gradient)
  end
  if options then errors.check_options("backward", options, known) end
  options = options or none
  local create = options.create_graph or false
  local keep = options.retain_graph or create
  one_root[0], one_grad[0] = x, gradient
  accumulate(1, one_root, one_grad, keep, create)
end)

local function list_of(operation, position, name, value)
  if is_tensor(value) then value = { value } end
  if type(value) ~= "table" then
    errors.argument(operation, position, name, "a tensor or a table of tensors", value)
  end
  local list = ffi.new("sel_tensor *[?]", math.max(#value, 1))
  for i = 1, #value do
    if not is_tensor(value[i]) then
      errors.argument(operation, position, name, "tensors", value[i])
    end
    list[i - 1] = value[i]
  end
  return #value, list
end

-- sel.grad(outputs, inputs, options): the gradients of the sum of outputs with respect to inputs,
-- each a tensor or a table of them; returns the same form. Leaves .grad alone. Options:
-- grad_outputs, retain_graph, create_graph, allow_unused (an input that has no part in the
-- outputs gives nil instead of an error).
function M.grad(outputs, inputs, options)
  errors.check_options("grad", options, known_grad)
  options = options or none
  local n, roots = list_of("grad", 1, "outputs", outputs)
  local n_inputs, wanted = list_of("grad", 2, "inputs", inputs)
  local grads
  if options.grad_outputs then
    local n_grads
    n_grads, grads = list_of("grad", 3, "grad_outputs", options.grad_outputs)
    if n_grads ~= n then
      errors.raise(("grad: expected %d grad_outputs, one for each output, got %d")
                   :format(n, n_grads))
    end
  end
  local create = options.create_graph or false
  local keep = options.retain_graph or create
  local results
  if host.active() then
    results = host.run(n, roots, grads, n_inputs, wanted, keep, create)
    for i = 1, n_inputs do
      if not results[i] and not options.allow_unused then
        errors.raise(("grad: input %d has no part in the outputs; allow_unused = true gives nil")
                     :format(i))
      end
    end
  else
    local outs = ffi.new("sel_tensor *[?]", math.max(n_inputs, 1))
    check(C.sel_grad(n, roots, grads, n_inputs, wanted, keep, create,
                     options.allow_unused or false, outs))
    results = {}
    for i = 1, n_inputs do results[i] = memory.adopt(outs[i - 1]) end
  end
  if is_tensor(inputs) then return results[1] end
  return results
end

-- M.backward(roots, grads): as x:backward for several roots at once, with a gradient for each.
function M.backward(roots, grads)
  local n, c_roots = list_of("backward", 1, "roots", roots)
  local _, c_grads = list_of("backward", 2, "grads", grads)
  if n > 0 then accumulate(n, c_roots, c_grads, false, false) end
end

-- x:detach(): the same memory without tape.
define("detach", function(x)
  check(C.sel_detach(x, out))
  return wrap()
end)

return M
