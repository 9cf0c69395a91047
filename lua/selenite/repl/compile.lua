-- From the text of a block to a function: an expression's values are what it returns, statements
-- may be followed by an expression in lines of its own, top-level locals last (locals.lua).

local persist = require "selenite.repl.locals"

local M = {}

-- Whether a syntax error says that the text ended too early. Nothing else asks for more lines.
local function ends_early(message) return message:find "near '?<eof>'?$" ~= nil end

-- As "return f(x)" the call would be a tail call, and an error's traceback would lack this line:
-- hence the nil, which is dropped again.
local function load_expression(head, text, name, environment)
  local chunk, message = loadstring(head .. "return nil, " .. text, name)
  if not chunk then return nil, message end
  setfenv(chunk, environment)
  return function() return select(2, chunk()) end
end

-- Statements, and behind them lines that are an expression: a block whose last lines are
-- "x + 1" gives that value.
local function with_last_expression(text, name, environment)
  local starts = {}
  for position in text:gmatch "\n()." do starts[#starts + 1] = position end
  for i = #starts, 1, -1 do
    local head, tail = text:sub(1, starts[i] - 1), text:sub(starts[i])
    if tail:find "%S" and loadstring(head, name) then
      local chunk = load_expression(persist(head), tail, name, environment)
      if chunk then return chunk end
    end
  end
end

-- compile(text, name, environment): a function that runs the block in that environment; or nil, the
-- message of the syntax error, and whether more lines could mend it. `name` is the chunk's, as for
-- loadstring.
function M.compile(text, name, environment)
  text = text .. "\n" -- a string that isn't closed ends here, and more lines don't mend it
  local expression, first_message = load_expression("", text, name, environment)
  if expression then return expression end
  local chunk, message = loadstring(text, name)
  if chunk then return setfenv(assert(loadstring(persist(text), name)), environment) end
  expression = with_last_expression(text, name, environment)
  if expression then return expression end
  return nil, message, ends_early(message) or ends_early(first_message)
end

return M
