-- A module in evaluation mode for a while: every part gets back the mode it had.

local errors = require "selenite.errors"

local function put_back(parts, modes, ok, ...)
  for i, part in ipairs(parts) do part:set_training(modes[i]) end -- parts before what they hold
  if not ok then errors.rethrow(...) end
  return ...
end

-- evaluation(m, fn, ...): fn(...) with m in evaluation mode; returns its results.
return function(m, fn, ...)
  local parts, modes = m:modules(), {}
  for i, part in ipairs(parts) do modes[i] = part.training end
  m:eval()
  return put_back(parts, modes, errors.protect(fn, ...))
end
