-- Makes the top-level locals of a block last: `local x = 1` becomes `x = 1`, which in the prompt's
-- environment is a variable of its own, visible to all later lines.
--
--   local a, b = f()        ->        a, b = f()
--   local x                 ->        x = nil;
--   local function f() end  ->        function f() end
--
-- What is inside functions, loops and do-blocks stays as it is, lines keep their numbers. The one
-- difference: functions that used such a variable see what a later `local` of that name sets.

local tokens = require "selenite.repl.lexer"

-- Words that open a block, and those that close it. `while` and `for` open theirs with `do`.
local deeper = { ["function"] = 1, ["if"] = 1, ["do"] = 1, ["repeat"] = 1,
                 ["end"] = -1, ["until"] = -1 }

local function read(text)
  local list = {}
  for kind, first, last in tokens(text) do
    if kind ~= "comment" then
      list[#list + 1] = { kind = kind, text = text:sub(first, last), first = first, last = last }
    end
  end
  return list
end

-- Index of the last token of the names `a, b, c` that begin at index i; nil where there are none.
local function names_end(list, i)
  if not list[i] or list[i].kind ~= "name" then return nil end
  while list[i + 1] and list[i + 1].text == ","
    and list[i + 2] and list[i + 2].kind == "name" do i = i + 2 end
  return i
end

return function(text)
  local list, pieces, copied, depth = read(text), {}, 0, 0
  local function copy_to(last)
    pieces[#pieces + 1] = text:sub(copied + 1, last)
    copied = last
  end
  for i, token in ipairs(list) do
    local field = list[i - 1] and list[i - 1].text:find "^[.:]$" -- t.end is no Lua, t.local neither
    if token.kind == "name" and not field then
      if token.text == "local" and depth == 0 then
        copy_to(token.first - 1)
        pieces[#pieces + 1] = "     "
        copied = token.last
        local last = names_end(list, i + 1)
        local is_function = list[i + 1] and list[i + 1].text == "function"
        if last and not is_function and not (list[last + 1] and list[last + 1].text == "=") then
          copy_to(list[last].last)
          pieces[#pieces + 1] = " = nil;"
        end
      end
      depth = depth + (deeper[token.text] or 0)
    end
  end
  copy_to(#text)
  return table.concat(pieces)
end
