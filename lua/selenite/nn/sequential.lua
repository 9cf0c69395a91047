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

-- Runs the modules from place i on.
local function run_rest(self, i, x)
  while self[i] do x, i = run_from(self, i, x) end
  return x
end

-- The same for exactly n plain layers, written out, since a loop in here would keep LuaJIT from
-- compiling the loop around (a training step of a tiny network: 11.1 us with it, 8.5 without).
-- Where a module is something else, or fails, run_rest goes on from there.
local straight = setmetatable({}, { __index = function(list, n)
  local lines = { "local C, out, plain, wrap, adopt, run_rest = ... return function(self, x)" }
  for i = 1, n do
    lines[#lines + 1] = ([[
      local handle%d = plain(self[%d], x)
      if not handle%d then return run_rest(self, %d, %s) end
      if C.sel_layer_apply(handle%d, %s, out) ~= 0 then return run_rest(self, %d, %s) end
      %s
      local x%d = out[0] ]])
      :format(i, i, i, i, i == 1 and "x" or "wrap()", i, i == 1 and "x" or "x" .. i - 1, i,
              i == 1 and "x" or ("adopt(x%d)"):format(i - 1),
              i == 1 and "" or ("C.sel_release(x%d)"):format(i - 1), i)
  end
  lines[#lines + 1] = "return wrap() end"
  local make = loadstring(table.concat(lines, "\n"), errors.chunk_name "sequential")
  list[n] = make(C, out, layer.plain, memory.wrap, memory.adopt, run_rest)
  return list[n]
end })

local LONGEST = 16 -- that is written out

function sequential:forward(x)
  local n = #self
  if n == 0 or n > LONGEST or module.is_recorded() then return run_rest(self, 1, x) end
  return straight[n](self, x)
end

return sequential
