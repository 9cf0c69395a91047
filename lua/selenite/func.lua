-- Differentiable functions written in Lua: sel.func{...} with a backward of its own, and
-- sel.checkpoint, which computes a part of the network again instead of keeping it.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local arguments = require "selenite.arguments"
local autograd = require "selenite.autograd"
local creation = require "selenite.creation"
local host = require "selenite.host"

local C = library.C
local is_tensor = arguments.is_tensor
local M = {}

local function pack(...) return { n = select("#", ...), ... } end

-- The tensors among args, and for each its position there.
local function tensors_of(args)
  local tensors, positions = {}, {}
  for i = 1, args.n do
    if is_tensor(args[i]) then
      tensors[#tensors + 1] = args[i]
      positions[#tensors] = i
    end
  end
  return tensors, positions
end

-- Checks that results are tensors, and copies those that are inputs: a recorded output is fresh.
local function fresh_outputs(name, results, inputs)
  if results.n == 0 then errors.raise(name .. ": the function returned nothing") end
  for i = 1, results.n do
    if not is_tensor(results[i]) then
      errors.raise(("%s: result %d: expected a tensor, got %s")
                   :format(name, i, errors.describe(results[i])))
    end
    for _, input in ipairs(inputs) do
      if results[i] == input then results[i] = input:detach():clone() end
    end
  end
end

local context = {}
context.__index = context

-- ctx:save_for_backward(...): keeps tensors (inputs or results) for backward.
function context:save_for_backward(...)
  self.saved = pack(...)
  self.versions = {}
  for i = 1, self.saved.n do
    -- without tape: a result that held its own node alive would never be freed
    self.saved[i] = self.saved[i]:detach()
    self.versions[i] = self.saved[i]:version()
  end
end

-- ctx:saved_tensors(): what was saved, as multiple results.
function context:saved_tensors()
  for i = 1, self.saved.n do
    if self.saved[i]:version() ~= self.versions[i] then
      errors.raise(("%s: saved tensor %d was changed in place after the function ran")
                   :format(self.name, i))
    end
  end
  return unpack(self.saved, 1, self.saved.n)
end

-- sel.func{ name = "clip", forward = function(ctx, x, ...) return y end,
--           backward = function(ctx, grad_y) return grad_x end }: a function of tensors with this
-- gradient. forward runs without recording; backward returns a gradient (or nil) for each
-- argument of forward. Keep tensors with ctx:save_for_backward, other values as fields of ctx.
function M.func(definition)
  errors.expect("table", "func", 1, "definition", definition)
  errors.check_options("func", definition, { name = true, forward = true, backward = true })
  for _, part in ipairs { "forward", "backward" } do
    if type(definition[part]) ~= "function" then
      errors.option("func", part, "a function", definition[part])
    end
  end
  local forward, backward = definition.forward, definition.backward
  local name = errors.expect("string", "func", 1, "name", definition.name or "func")
  return function(...)
    local args = pack(...)
    local inputs, positions = tensors_of(args)
    local ctx = setmetatable({ name = name }, context)
    local results = pack(autograd.no_grad(forward, ctx, ...))
    fresh_outputs(name, results, inputs)
    local n_results = results.n -- all that the entry may know of the results
    host.record(name, function(grads, n_inputs)
      local given = pack(backward(ctx, unpack(grads, 1, n_results)))
      local gradients = {}
      for i = 1, n_inputs do gradients[i] = given[positions[i]] end
      return gradients
    end, inputs, results)
    return unpack(results, 1, n_results)
  end
end

-- Runs fn on leaves in place of args and backward through it; returns the leaves' gradients.
local function recompute(fn, args, generator, grads)
  local leaves, wanted = pack(unpack(args, 1, args.n)), {}
  for i = 1, args.n do
    if is_tensor(args[i]) then
      leaves[i] = args[i]:detach()
      if args[i].requires_grad then leaves[i]:requires_grad_() end
      wanted[#wanted + 1] = leaves[i]
    end
  end
  local present = ffi.new "sel_generator"
  C.sel_generator_get(present)
  C.sel_generator_set(generator)
  local results = pack(errors.protect(autograd.enable_grad, fn, unpack(leaves, 1, leaves.n)))
  C.sel_generator_set(present)
  if not table.remove(results, 1) then errors.rethrow(results[1]) end
  results.n = results.n - 1

  local roots, root_grads = {}, {}
  for i = 1, results.n do
    if grads[i] and results[i].requires_grad then
      roots[#roots + 1], root_grads[#root_grads + 1] = results[i], grads[i]
    end
  end
  autograd.backward(roots, root_grads)
  for i = 1, #wanted do wanted[i] = wanted[i].grad or false end
  return wanted
end

-- sel.checkpoint(fn, ...): fn(...) without keeping what it makes on its way; backward calls fn
-- again, with the same random numbers. fn is a function or a module; gradients reach the tensors
-- among the arguments and every parameter fn uses. For x:backward(): sel.grad and create_graph
-- refuse it.
function M.checkpoint(fn, ...)
  if type(fn) ~= "function" and type(fn) ~= "table" then
    errors.argument("checkpoint", 1, "fn", "a function or a module", fn)
  end
  if not autograd.grad_enabled() then return fn(...) end
  local args = pack(...)
  local generator = ffi.new "sel_generator"
  C.sel_generator_get(generator)
  local results = pack(autograd.no_grad(fn, ...))
  local inputs = tensors_of(args)
  fresh_outputs("checkpoint", results, inputs)
  -- what fn uses beside its arguments may require gradients too, so that it always has to be
  -- recorded
  local n = #inputs
  inputs[n + 1] = creation.zeros { requires_grad = true }
  host.record("checkpoint", function(grads, _, collects, create_graph)
    if collects or create_graph then
      errors.raise("checkpoint: only x:backward() without create_graph goes through a checkpoint; "
                   .. "sel.grad can't see which tensors the function uses")
    end
    local gradients = recompute(fn, args, generator, grads)
    for i = 1, n do gradients[i] = gradients[i] or nil end
    return gradients
  end, inputs, results)
  return unpack(results, 1, results.n)
end

return M
