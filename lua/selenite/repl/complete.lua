-- What Tab does: the text before the cursor -> text to insert and, where there is a choice, a list
-- to show. Names come from names.lua, which runs nobody's code; inside quotes and behind commands
-- that take files, names of files are completed.

local ffi = require "ffi"
local names = require "selenite.repl.names"
local tokens = require "selenite.repl.lexer"
local commands = require "selenite.repl.commands"

ffi.cdef [[
typedef struct { size_t count; char **paths; size_t offset; char rest[120]; } sel_repl_glob;
int sel_repl_glob_(const char *pattern, int flags, void *on_error, sel_repl_glob *out)
  __asm__("glob");
void sel_repl_globfree(sel_repl_glob *found) __asm__("globfree");
]]
local GLOB_MARK = 2 -- a slash behind folders; glibc's and musl's number

local WIDTH = 80

local M = {}

local keywords = [[and break do else elseif end false for function goto if in local nil not or
  repeat return then true until while]]

-- Paths that begin with `start`.
local function files(start)
  local found = ffi.new "sel_repl_glob"
  local list = {}
  local pattern = start:gsub("[%[%]*?\\]", "\\%0") .. "*"
  if ffi.C.sel_repl_glob_(pattern, GLOB_MARK, nil, found) == 0 then
    for i = 0, tonumber(found.count) - 1 do list[#list + 1] = ffi.string(found.paths[i]) end
  end
  ffi.C.sel_repl_globfree(found)
  return list
end

local function loaded_modules(start)
  local list = {}
  for _, known in ipairs { package.loaded, package.preload } do
    for name in next, known do
      if name:sub(1, #start) == start then list[#list + 1] = name end
    end
  end
  return list
end

-- Names that `value` has and that begin with `start`; only functions behind a colon.
local function fields(value, start, only_functions)
  local list, seen = {}, {}
  names.each(value, function(name, field)
    local suits = type(name) == "string" and name:sub(1, #start) == start and not seen[name]
      and name:find "^[%a_][%w_]*$" and (start ~= "" or name:sub(1, 1) ~= "_")
    if suits and (not only_functions or type(field) == "function") then
      seen[name] = true
      list[#list + 1] = name
    end
  end)
  return list
end

-- The path `a.b:c` that a text ends with: a.b, the last sign, c.
local function split_path(text)
  local path = text:match "[%w_.:%[%]\"']*$"
  while path ~= "" and not path:find "^[%a_]" do -- (a.b -> a.b, but not f().b
    if path:find "^[.:%d]" then return nil end
    path = path:sub(2)
  end
  local owner, sign, last = path:match "^(.-)([.:]?)([%w_]*)$"
  if sign == "" then return nil, nil, path end
  return owner, sign, last
end

local function path_candidates(environment, text)
  local owner, sign, start = split_path(text)
  if not start then return {}, "" end
  if owner then
    local value = names.find(environment, owner)
    return value == nil and {} or fields(value, start, sign == ":"), start
  end
  local list = fields(environment, start)
  if start ~= "" then
    for word in keywords:gmatch "%l+" do
      if word:sub(1, #start) == start then list[#list + 1] = word end
    end
  end
  return list, start
end

-- The inside of the string that the text ends in, and what stands before it.
local function open_string(text)
  for kind, first in tokens(text) do
    if kind == "open" and text:find("^[\"']", first) then
      return text:sub(first + 1), text:sub(1, first - 1)
    end
  end
end

-- Candidates, and the part of the text that they begin with.
local function candidates(environment, text)
  local command = text:match "^%%(%S*)$"
  if command then return commands.names_from(command), command end
  local name, rest = text:match "^%%(%S+)%s+(.*)$"
  local word = (rest or text:match "^!(.*)$" or ""):match "%S*$"
  local takes = name and commands.takes(name)
  if takes == "file" or text:find "^!" then return files(word), word end
  if takes == "module" then return loaded_modules(word), word end
  local inside, before = open_string(text)
  if inside and before:find "require%s*%(?%s*$" then return loaded_modules(inside), inside end
  if inside then return files(inside), inside end
  return path_candidates(environment, text)
end

-- The longest text that all begin with.
local function shared(list)
  local text = list[1]
  for _, other in ipairs(list) do
    while other:sub(1, #text) ~= text do text = text:sub(1, -2) end
  end
  return text
end

-- Texts in columns; of paths, only what follows the last slash.
local function in_columns(list)
  local width, texts = 0, {}
  for i, text in ipairs(list) do
    texts[i] = text:match "[^/]+/?$"
    width = math.max(width, #texts[i] + 2)
  end
  local per_line = math.max(math.floor(WIDTH / width), 1)
  local pieces = {}
  for i, text in ipairs(texts) do
    local last = i % per_line == 0 or i == #texts
    pieces[i] = last and text .. (i < #texts and "\n" or "") or text .. (" "):rep(width - #text)
  end
  return table.concat(pieces)
end

-- complete(environment, text): text to insert behind `text`, and a list to show or nil.
function M.complete(environment, text)
  local list, start = candidates(environment, text)
  if #list == 0 then return "" end
  table.sort(list)
  local insert = shared(list):sub(#start + 1)
  return insert, #list > 1 and insert == "" and in_columns(list) or nil
end

return M
