-- Modules in a recording: what module.set_recorder takes, so that forward of a module is an event
-- that carries its name.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local layer = require "selenite.nn.layer"

local C = library.C

-- Names of the children of modules as they are met: parent -> child -> name, false for none.
local function name_finder()
  local names = {}
  return function(parent, child)
    local known = names[parent] or {}
    names[parent] = known
    if known[child] == nil then
      known[child] = false
      for name, each in parent:children() do known[each] = name end
    end
    return known[child]
  end
end

-- A new recorder, for one recording; entered(event, module), where it is given, is told of each
-- module and the number of its event.
return function(entered)
  local running, name_of = {}, name_finder()
  local function leave(event, ok, ...)
    running[#running] = nil
    local result = ...
    if ok and ffi.istype("sel_tensor", result) then C.sel_profile_gave(result) end
    C.sel_profile_leave(event)
    if not ok then errors.rethrow(...) end
    return ...
  end
  return function(self, ...)
    local parent, kind = running[#running], self:class_name()
    local name = parent and name_of(parent, self) or kind
    running[#running + 1] = self
    local event = C.sel_profile_enter(name, kind, layer.core_layer(self))
    if entered and event ~= 0 then entered(tonumber(event % 2 ^ 32), self) end
    return leave(event, errors.protect(self.forward, self, ...))
  end
end
