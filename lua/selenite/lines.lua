-- Reads lines from a terminal, runs them, and prints what expressions give. `sel`, `nn`, `optim`
-- and `data` are there; locals live for their line only.

local errors = require "selenite.errors"
local C = require("selenite.library").C

-- An expression, or a statement; nil and a message where it is neither. Globals go to
-- `environment`.
local function compile(text, environment)
  local chunk = loadstring("return " .. text, "=stdin")
  local message
  if not chunk then chunk, message = loadstring(text, "=stdin") end
  return chunk and setfenv(chunk, environment), message
end

local function show(ok, ...)
  if not ok then
    print((...))
  elseif select("#", ...) > 0 then
    print(...)
  end
end

-- Runs until the end of input.
return function()
  local sel = require "selenite"
  local environment = setmetatable({ sel = sel, nn = sel.nn, optim = sel.optim, data = sel.data },
                                   { __index = _G })
  print(("Selenite %s; end with Ctrl-D"):format(sel._VERSION))
  while true do
    io.stdout:write "> "
    local line = io.read()
    if not line and C.sel_interrupted() then -- Ctrl-C at the prompt
      errors.clear_interruption()
      print()
    elseif not line then
      return print()
    else
      local chunk, message = compile(line, environment)
      if chunk then show(errors.protect(chunk)) else print(message) end
    end
  end
end
