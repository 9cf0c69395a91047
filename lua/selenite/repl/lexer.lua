-- Cuts Lua text into tokens: as much of the language as is needed to find local statements at the
-- top level and strings that a cursor is in.
--
-- Returns a function text -> iterator of kind, first, last: positions of each token. Kinds: "name"
-- (keywords too), "string", "number", "comment", "symbol", and "open" for a string or long comment
-- that the text doesn't end. Never fails: what is no token of Lua comes as a symbol of one byte, as
-- do operators except "::", ".." and "...".

-- Position behind the long bracket that opens at `first` ("[[", "[==["), nil where none opens,
-- false where it isn't closed.
local function long_bracket_end(text, first)
  local level = text:match("^%[(=*)%[", first)
  if not level then return nil end
  local _, last = text:find("]" .. level .. "]", first + #level + 2, true)
  return last or false
end

-- Position of the quote that ends the string that begins at `first`, nil where none does.
local function string_end(text, first)
  local quote, position = text:sub(first, first), first + 1
  while true do
    local at = text:find("[\\\n" .. quote .. "]", position)
    if not at then return nil end
    local byte = text:sub(at, at)
    if byte == quote then return at end
    if byte == "\n" then return nil end
    position = at + 2
  end
end

local function next_token(text, position)
  local first = text:find("%S", position)
  if not first then return nil end
  local byte = text:sub(first, first)
  if byte:find "[%a_\128-\255]" then
    return "name", first, (select(2, text:find("^[%w_\128-\255]+", first)))
  elseif byte:find "%d" or text:find("^%.%d", first) then
    local last = select(2, text:find("^[%w%.]+", first))
    while text:sub(last, last):find "[eEpP]" and text:find("^[+-]%w", last + 1) do
      last = select(2, text:find("^[+-][%w%.]+", last + 1))
    end
    return "number", first, last
  elseif byte == '"' or byte == "'" then
    local last = string_end(text, first)
    return last and "string" or "open", first, last or #text
  elseif byte == "[" then
    local last = long_bracket_end(text, first)
    if last then return "string", first, last end
    if last == false then return "open", first, #text end
  elseif text:sub(first, first + 1) == "--" then
    local last = long_bracket_end(text, first + 2)
    if last == false then return "open", first, #text end
    return "comment", first, last or (text:find("\n", first, true) or #text + 1) - 1
  end
  local last = select(2, text:find("^::", first)) or select(2, text:find("^%.%.%.?", first))
  return "symbol", first, last or first
end

return function(text)
  local position = 1
  return function()
    local kind, first, last = next_token(text, position)
    if kind then position = last + 1 end
    return kind, first, last
  end
end
