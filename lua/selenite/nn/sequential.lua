-- nn.sequential(a, b, ...): modules one behind the other. seq[1] is the first, #seq their number;
-- in names they count from 0, as in PyTorch's model files.

local errors = require "selenite.errors"
local module = require "selenite.nn.module"

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

function sequential:forward(x)
  for i = 1, #self do x = self[i](x) end
  return x
end

return sequential
