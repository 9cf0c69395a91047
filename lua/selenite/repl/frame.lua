-- The variables of the function that opened a prompt: sel.repl() in the middle of a script.

local errors = require "selenite.errors"

local frame = {}
frame.__index = frame

-- Level of the innermost function of the user's, as seen by the caller; nil where there is none.
local function user_level()
  for level = 2, math.huge do
    local info = debug.getinfo(level, "S")
    if not info then return nil end
    if info.what ~= "C" and not errors.is_library(info.source) then return level - 1 end
  end
end

-- Calls visit(name, value, index) for the locals at a level as seen by the caller; of several of
-- one name the last is the visible one.
local function each_local(level, visit)
  for index = 1, math.huge do
    local name, value = debug.getlocal(level + 1, index)
    if not name then return end
    if name:find "^[%a_]" then visit(name, value, index) end
  end
end

-- Copies the variables that are visible where the user's code called the library into `target`,
-- and remembers where they belong. Returns an object with write_back(), and the environment of that
-- code; nil where no code of the user's runs.
local function capture(target)
  local level = user_level()
  if not level then return nil end
  local fn = debug.getinfo(level, "f").func
  local self = setmetatable({ target = target, fn = fn, locals = {}, upvalues = {} }, frame)
  for index = 1, math.huge do
    local name, value = debug.getupvalue(fn, index)
    if not name then break end
    self.upvalues[name], target[name] = index, value
  end
  each_local(level, function(name, value, index)
    self.locals[name], target[name], self.upvalues[name] = index, value, nil
  end)
  return self, getfenv(fn)
end

-- Gives the locals and upvalues the values that their variables have now. To be called while the
-- user's code still waits.
function frame:write_back()
  local level = user_level()
  for name, index in pairs(self.locals) do debug.setlocal(level, index, self.target[name]) end
  for name, index in pairs(self.upvalues) do debug.setupvalue(self.fn, index, self.target[name]) end
end

return { capture = capture }
