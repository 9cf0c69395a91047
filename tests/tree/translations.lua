-- A page in another language, docs/NAME.LANGUAGE.md, stays what docs/NAME.md is: headings of the
-- same levels and blocks of the same languages in the same order, the code of each block the same.
-- Comments may differ, except for the output behind `-->`.
--
-- usage: luajit translations.lua SOURCE
package.path = arg[0]:match("^.*/") .. "?.lua"
local tree = require "tree"

-- What of a line of code both pages must share.
local function code_of(line, language)
  local comment = language == "lua" and "%-%-" or "#"
  local before, after = line:match("^(.-)%s*" .. comment .. "(.*)$")
  if not before or language == "lua" and after:find("^>") then return line end
  return before
end

-- The skeleton of a page: a list of { text =, line = } for headings and the lines of blocks. A line
-- of comment alone counts for nothing.
local function skeleton(page)
  local list, language = {}, nil
  for number, line in tree.lines(page) do
    local fence = line:match("^%s*```(%w*)")
    local text
    if fence then
      language = not language and fence or nil
      text = line
    elseif not language then
      text = line:match("^#+ ") and line:match("^#+")
    elseif language == "text" then
      text = nil -- pictures and outputs hold words
    else
      text = code_of(line, language)
      if text == "" and line ~= "" then text = nil end
    end
    if text then list[#list + 1] = { text = text, line = number } end
  end
  return list
end

local pages = tree.files("^docs/[^/]+%.%l%l%.md$")
for _, page in ipairs(pages) do
  local original = page:gsub("%.%l%l%.md$", ".md")
  local ours, theirs = skeleton(page), skeleton(original)
  for i = 1, math.max(#ours, #theirs) do
    local a, b = ours[i] or { text = "the end" }, theirs[i] or { text = "the end" }
    if a.text ~= b.text then
      tree.complain(page, a.line, "'%s', but %s:%s has '%s'", a.text, original,
                    b.line or "end", b.text)
      break -- what follows is shifted
    end
  end
end

tree.finish()
