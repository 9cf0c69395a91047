-- Losses as modules: nn.cross_entropy_loss{label_smoothing = 0.1}, called with input and target.
-- One for each function of losses.lua, under PyTorch's name.

local losses = require "selenite.losses"
local module = require "selenite.nn.module"

local classes = {}
for name, loss in pairs(losses.list) do
  local class_name = name:find "_loss$" and name or name .. "_loss"
  local class = module.new_class(class_name)
  local compute = losses.functions[name]

  function class:init(options)
    self.options = options or {}
    losses.complete(name, self.options)
    for option, default in pairs(loss.options) do
      local value = self.options[option]
      if default == "none" and value then self:register_buffer(option, value) end
    end
  end

  -- A weight is read from the buffer, which moves with the module.
  function class:forward(input, target)
    local options = self.options
    if self.weight then options.weight = self.weight end
    if self.pos_weight then options.pos_weight = self.pos_weight end
    return compute(input, target, options)
  end

  function class:describe()
    local parts = {}
    for option, value in pairs(self.options) do
      if type(value) ~= "cdata" then parts[#parts + 1] = option .. "=" .. tostring(value) end
    end
    table.sort(parts)
    return table.concat(parts, ", ")
  end

  classes[class_name] = class
end

return classes
