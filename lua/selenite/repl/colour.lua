-- Colours for what the prompt writes: red("text") and so on, which leave the text alone unless
-- switched on.

local M = {}

local codes = { red = "31", green = "32", yellow = "33", cyan = "36", grey = "90", bold = "1" }
local on = false

-- Whether the texts that follow get colours.
function M.switch(is_on) on = is_on end

for name, code in pairs(codes) do
  M[name] = function(text)
    return on and ("\27[%sm%s\27[0m"):format(code, text) or text
  end
end

-- The same for a prompt: the line editor must know what takes no columns.
function M.prompt(text) return on and ("\1\27[1m\1%s\1\27[0m\1"):format(text) or text end

return M
