-- sel.nn: modules, layers, losses, initialisers, gradient clipping, generation.
--
-- Names that are not here are looked for among the layer types that plugins registered, so that a
-- plugin loaded later is found as well.

local ffi = require "ffi"
local errors = require "selenite.errors"
local suggest = require "selenite.suggest"
local module = require "selenite.nn.module"
local layer = require "selenite.nn.layer"
local clip = require "selenite.nn.clip"
require "selenite.nn.state"

local nn = {
  module = require "selenite.nn.description".module,
  parameter = module.parameter,
  is_module = module.is_module,
  sequential = require "selenite.nn.sequential",
  init = require "selenite.nn.initialize",
  generate = require "selenite.nn.generate".generate,
  clip_grad_norm_ = clip.clip_grad_norm_,
  clip_grad_value_ = clip.clip_grad_value_,
}
for name, class in pairs(require "selenite.nn.loss") do nn[name] = class end

local function all_names()
  local names = {}
  for name in pairs(nn) do names[name] = true end
  layer.each_type(function(t) names[ffi.string(t.name)] = true end)
  return names
end

return setmetatable(nn, {
  __index = function(_, name)
    local class = type(name) == "string" and layer.find(name)
    if class then return class end
    name = tostring(name)
    local suggestion = suggest(name, all_names())
    if suggestion == "" then
      suggestion = ", and no loaded plugin brings a layer type of that name; sel.help() lists the "
        .. "layer types"
    end
    errors.raise(("nn has no '%s'%s"):format(name, suggestion))
  end,
})
