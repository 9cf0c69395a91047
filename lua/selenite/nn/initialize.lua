-- nn.init: fills a parameter in place, without recording, and returns it. Names, formulas and
-- defaults are torch.nn.init's.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local arguments = require "selenite.arguments"

local C = library.C
local check = errors.check
local M = {}

local function tensor(operation, t)
  if not arguments.is_tensor(t) then errors.argument(operation, 1, "t", "a tensor", t) end
  return t
end

local function number(operation, position, name, value, default)
  if value == nil then value = default end
  if type(value) ~= "number" then errors.argument(operation, position, name, "a number", value) end
  return value
end

-- init.uniform_(t, low, high): uniform in [low, high), [0, 1) unless given.
function M.uniform_(t, low, high)
  tensor("uniform_", t):detach():uniform_(low, high)
  return t
end

-- init.normal_(t, mean, std): 0 and 1 unless given.
function M.normal_(t, mean, std)
  tensor("normal_", t):detach():normal_(mean, std)
  return t
end

-- init.constant_(t, value), init.zeros_(t), init.ones_(t): the same number everywhere.
function M.constant_(t, value)
  tensor("constant_", t):detach():fill_(value)
  return t
end
function M.zeros_(t) return M.constant_(t, 0) end
function M.ones_(t) return M.constant_(t, 1) end

local modes = { fan_in = C.SEL_FAN_IN, fan_out = C.SEL_FAN_OUT }
local known = { a = true, mode = true, nonlinearity = true }

local function kaiming(operation, core)
  return function(t, options)
    tensor(operation, t)
    errors.check_options(operation, options, known)
    options = options or {}
    local mode = modes[options.mode or "fan_in"]
    if not mode then errors.option(operation, "mode", "'fan_in' or 'fan_out'", options.mode) end
    local nonlinearity = options.nonlinearity or "leaky_relu"
    if type(nonlinearity) ~= "string" then
      errors.option(operation, "nonlinearity", "a string", nonlinearity)
    end
    check(core(t, number(operation, 2, "a", options.a, 0), mode, nonlinearity))
    return t
  end
end

-- init.kaiming_uniform_(t, {a = 0, mode = "fan_in", nonlinearity = "leaky_relu"}): uniform, so that
-- the variance stays from layer to layer (He et al. 2015).
M.kaiming_uniform_ = kaiming("kaiming_uniform_", C.sel_init_kaiming_uniform_)
-- init.kaiming_normal_(t, options): the same from a normal distribution.
M.kaiming_normal_ = kaiming("kaiming_normal_", C.sel_init_kaiming_normal_)

local function with_gain(operation, core)
  return function(t, gain)
    tensor(operation, t)
    check(core(t, number(operation, 2, "gain", gain, 1)))
    return t
  end
end

-- init.xavier_uniform_(t, gain), init.xavier_normal_(t, gain), init.orthogonal_(t, gain): gain 1
-- unless given.
M.xavier_uniform_ = with_gain("xavier_uniform_", C.sel_init_xavier_uniform_)
M.xavier_normal_ = with_gain("xavier_normal_", C.sel_init_xavier_normal_)
M.orthogonal_ = with_gain("orthogonal_", C.sel_init_orthogonal_)

-- init.trunc_normal_(t, mean, std, low, high): normal, redrawn outside [low, high]; 0, 1, -2, 2
-- unless given.
function M.trunc_normal_(t, mean, std, low, high)
  local operation = "trunc_normal_"
  tensor(operation, t)
  check(C.sel_init_trunc_normal_(t, number(operation, 2, "mean", mean, 0),
                                 number(operation, 3, "std", std, 1),
                                 number(operation, 4, "low", low, -2),
                                 number(operation, 5, "high", high, 2)))
  return t
end

local gain_out = ffi.new "double[1]"

-- init.calculate_gain(nonlinearity, slope): "linear", "sigmoid", "tanh", "relu", "selu",
-- "leaky_relu" (slope 0.01 unless given).
function M.calculate_gain(nonlinearity, slope)
  if type(nonlinearity) ~= "string" then
    errors.argument("calculate_gain", 1, "nonlinearity", "a string", nonlinearity)
  end
  check(C.sel_init_gain(nonlinearity, number("calculate_gain", 2, "slope", slope, 0.01), gain_out))
  return gain_out[0]
end

return M
