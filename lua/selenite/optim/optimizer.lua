-- Optimizers: parameters in groups with settings, updated by core in one pass.
--
-- Kinds, settings and defaults are core's (optim.h); this file gives them names and checks.
-- Settings may be changed at any time; schedules do.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local arguments = require "selenite.arguments"
local module = require "selenite.nn.module"

local C = library.C
local check = errors.check
local optimizer = {}
optimizer.__index = optimizer

local optimizer_out, group_out = ffi.new "sel_optimizer *[1]", ffi.new "int[1]"
local number_out = ffi.new "double[1]"

-- Names of the settings, as a list and as keys; `betas` stands for beta1 and beta2.
local function settings_of(handle)
  local list, known, i = {}, {}, 0
  local name = C.sel_optimizer_setting_at(handle, 0)
  while name ~= nil do
    list[#list + 1] = ffi.string(name)
    known[list[#list]] = true
    i = i + 1
    name = C.sel_optimizer_setting_at(handle, i)
  end
  if known.beta1 then known.betas = true end
  return list, known
end

local function apply_settings(self, group, settings)
  for name, value in pairs(settings) do
    if name == "betas" then
      if type(value) ~= "table" or #value ~= 2 then
        errors.option(self.kind, "betas", "two numbers", value)
      end
      self:set("beta1", value[1], group)
      self:set("beta2", value[2], group)
    elseif name ~= "params" then
      self:set(name, value, group)
    end
  end
end

-- optimizer:add_group{ params = list, lr = 0.1, ... }: more parameters with settings of their own;
-- what is not given is as the optimizer was made. Returns the group's number.
function optimizer:add_group(group)
  errors.expect("table", self.kind, 1, "group", group)
  local params = group.params
  if arguments.is_tensor(params) then params = { params } end
  if module.is_module(params) then
    errors.raise(self.kind .. ": expected a list of parameters, as model:parameters() gives it, "
                 .. "got a module")
  end
  if type(params) ~= "table" or #params == 0 then
    errors.raise(self.kind .. ": expected a list of at least one parameter, got "
                 .. (type(params) == "table" and "an empty table" or errors.describe(params)))
  end
  local known = { params = true }
  for name in pairs(self.known) do known[name] = true end
  errors.check_options(self.kind, group, known)
  for i = 1, #params do
    if not arguments.is_tensor(params[i]) then
      errors.raise(("%s: parameter %d: expected a tensor, got %s")
                   :format(self.kind, i, errors.describe(params[i])))
    end
  end
  local list = ffi.new("sel_tensor *[?]", #params, params)
  check(C.sel_optimizer_add_group(self.handle, #params, list, group_out))
  local number = group_out[0] + 1
  apply_settings(self, number, self.defaults)
  apply_settings(self, number, group)
  return number
end

-- The name of a setting and the number of a group (or none), checked.
local function check_setting(self, name, group)
  errors.expect("string", self.kind, 1, "name", name)
  local n = self:group_count()
  if group ~= nil and (type(group) ~= "number" or group % 1 ~= 0 or group < 1 or group > n) then
    errors.raise(("%s: expected a group from 1 to %d, got %s")
                 :format(self.kind, n, errors.describe(group)))
  end
  return name, group
end

-- optimizer:set(name, value, group): changes a setting of a group, of all groups without one.
function optimizer:set(name, value, group)
  name, group = check_setting(self, name, group)
  if type(value) == "boolean" then value = value and 1 or 0 end
  if type(value) ~= "number" then errors.option(self.kind, name, "a number", value) end
  for g = group or 1, group or self:group_count() do
    check(C.sel_optimizer_set(self.handle, g - 1, name, value))
  end
end

-- optimizer:get(name, group): a setting of a group, of the first without one.
function optimizer:get(name, group)
  name, group = check_setting(self, name, group)
  check(C.sel_optimizer_get(self.handle, (group or 1) - 1, name, number_out))
  return number_out[0]
end

-- optimizer:group_count(): number of groups.
function optimizer:group_count() return C.sel_optimizer_group_count(self.handle) end

-- optimizer:step(): updates every parameter that has a gradient.
function optimizer:step()
  local status = C.sel_optimizer_step(self.handle)
  if status ~= 0 then check(status) end
end

-- optimizer:zero_grad(): clears the gradients of all parameters.
function optimizer:zero_grad() C.sel_optimizer_zero_grad(self.handle) end

local function each_state(self, visit)
  for i = 0, C.sel_optimizer_parameter_count(self.handle) - 1 do
    local k = 0
    local name = C.sel_optimizer_state_name(self.handle, 0)
    while name ~= nil do
      visit(i, ffi.string(name))
      k = k + 1
      name = C.sel_optimizer_state_name(self.handle, k)
    end
  end
end

-- optimizer:state_dict(): { tensors = name -> tensor, steps = list, groups = list of settings },
-- a copy. A name is the parameter's number (from 0, over all groups) and the state's: "0.exp_avg".
function optimizer:state_dict()
  local tensors, steps, groups = {}, {}, {}
  each_state(self, function(i, name)
    local t = memory.borrow(C.sel_optimizer_state(self.handle, i, name))
    if t then tensors[i .. "." .. name] = t:detach():clone() end
  end)
  for i = 1, C.sel_optimizer_parameter_count(self.handle) do
    steps[i] = tonumber(C.sel_optimizer_steps(self.handle, i - 1))
  end
  for g = 1, self:group_count() do
    groups[g] = {}
    for _, name in ipairs(self.settings) do groups[g][name] = self:get(name, g) end
  end
  return { tensors = tensors, steps = steps, groups = groups }
end

-- optimizer:load_state_dict(state): continues where state_dict was taken; parameters and groups
-- must be as many.
function optimizer:load_state_dict(state)
  errors.expect("table", self.kind, 1, "state", state)
  for _, part in ipairs { "tensors", "steps", "groups" } do
    errors.expect("table", self.kind, 1, "state." .. part, state[part])
  end
  local count, n = C.sel_optimizer_parameter_count(self.handle), self:group_count()
  if #state.steps ~= count or #state.groups ~= n then
    errors.raise(("%s: the state is of %d parameters in %d groups, the optimizer has %d in %d")
                 :format(self.kind, #state.steps, #state.groups, count, n))
  end
  for g = 1, n do apply_settings(self, g, state.groups[g]) end
  for i = 1, count do check(C.sel_optimizer_set_steps(self.handle, i - 1, state.steps[i])) end
  each_state(self, function(i, name)
    local t = state.tensors[i .. "." .. name]
    if t then check(C.sel_optimizer_set_state(self.handle, i, name, t)) end
  end)
end

-- optim.sgd(parameters, settings), optim.adam(...), optim.adamw(...), optim.rmsprop(...),
-- optim.adagrad(...): the optimizer of that name. parameters: a list of tensors, or of groups
-- { params = list, ... } with settings of their own; settings: { lr = 1e-3 }, see docs/optim.md.
return function(kind)
  return function(parameters, settings)
    check(C.sel_optimizer_new(kind, optimizer_out))
    local handle = ffi.gc(optimizer_out[0], C.sel_optimizer_release)
    local self = setmetatable({ kind = kind, handle = handle, defaults = settings or {},
                                initial_lr = {} }, optimizer) -- initial_lr: see schedule.lua
    self.settings, self.known = settings_of(handle)
    errors.check_options(kind, self.defaults, self.known)
    local first = type(parameters) == "table" and parameters[1]
    if type(first) == "table" and first.params then
      for _, group in ipairs(parameters) do self:add_group(group) end
    else
      self:add_group { params = parameters }
    end
    return self
  end
end
