-- Gradient clipping, as torch.nn.utils.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local arguments = require "selenite.arguments"

local C = library.C
local M = {}
local norm_out = ffi.new "double[1]"

local function list_of(operation, parameters)
  if arguments.is_tensor(parameters) then parameters = { parameters } end
  if type(parameters) ~= "table" then
    errors.argument(operation, 1, "parameters", "a table of tensors", parameters)
  end
  for i = 1, #parameters do
    if not arguments.is_tensor(parameters[i]) then
      errors.argument(operation, 1, "parameters", "tensors", parameters[i])
    end
  end
  return #parameters, ffi.new("sel_tensor *[?]", math.max(#parameters, 1), parameters)
end

-- nn.clip_grad_norm_(parameters, max_norm, p): scales all gradients so that their joint p-norm (2
-- unless given; math.huge for the largest) is at most max_norm; returns the norm before.
function M.clip_grad_norm_(parameters, max_norm, p)
  errors.expect("number", "clip_grad_norm_", 2, "max_norm", max_norm)
  p = errors.expect("number", "clip_grad_norm_", 3, "p", p or 2)
  local n, list = list_of("clip_grad_norm_", parameters)
  errors.check(C.sel_clip_grad_norm_(n, list, max_norm, p, norm_out))
  return norm_out[0]
end

-- nn.clip_grad_value_(parameters, limit): cuts every gradient to [-limit, limit].
function M.clip_grad_value_(parameters, limit)
  errors.expect("number", "clip_grad_value_", 2, "limit", limit)
  local n, list = list_of("clip_grad_value_", parameters)
  errors.check(C.sel_clip_grad_value_(n, list, limit))
end

return M
