-- nn.sequential(a, b, ...): modules one behind the other. seq[1] is the first, #seq their number;
-- in names they count from 0, as in PyTorch's model files.

local library = require "selenite.library"
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local module = require "selenite.nn.module"
local layer = require "selenite.nn.layer"

local C = library.C
local out = memory.out

local sequential = module.new_class "sequential"

function sequential:init(...)
  for i = 1, select("#", ...) do self:append((select(i, ...))) end
end

-- seq:append(module): puts a module at the end; returns seq.
function sequential:append(m)
  if not module.is_module(m) then
    errors.argument("sequential", #self + 1, "module", "a module", m)
  end
  self[#self + 1] = m
  return self
end

-- Writes the result of `handle`, the core layer at i, to out; returns the status.
local function apply(self, i, handle, x)
  if not module.is_recorded() then return C.sel_layer_apply(handle, x, out) end
  local event = C.sel_profile_enter(tostring(i - 1), self[i]:class_name(), handle)
  local status = C.sel_layer_apply(handle, x, out)
  C.sel_profile_leave(event)
  return status
end

-- Runs the module at i and, as long as they are plain plugin layers, those behind it, without
-- handles for what lies between (a handle costs 0.3 us). Returns the result and the next place. A
-- layer that fails is run again by itself, which raises the error with its path.
local function run_from(self, i, x)
  local handle = layer.plain(self[i], x)
  if not handle or apply(self, i, handle, x) ~= 0 then return self[i](x), i + 1 end
  i = i + 1
  handle = layer.plain(self[i], x)
  while handle do
    local between = out[0]
    if apply(self, i, handle, between) ~= 0 then
      return self[i](memory.adopt(between)), i + 1
    end
    C.sel_release(between)
    i = i + 1
    handle = layer.plain(self[i], x)
  end
  return memory.wrap(), i
end

function sequential:forward(x)
  local i = 1
  while self[i] do x, i = run_from(self, i, x) end
  return x
end

return sequential
