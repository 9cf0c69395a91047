-- The papers name real things: links lead to files, paths and functions in `backticks` exist,
-- commands in ```sh blocks can be typed. ```c blocks that are whole programs compile, run, and
-- print what a comment `/*--> text */` says; other whole files compile; the rest, and ```cmake
-- blocks, are quotations and stand somewhere in the sources. Lua is page.lua's. Blocks that nothing
-- looks at are listed.
--
-- usage: luajit papers.lua SOURCE CC BUILD
package.path = arg[0]:match("^.*/") .. "?.lua"
local tree = require "tree"
local compiler, build = arg[2] or "cc", arg[3] or "build"

-- Everything that is written in the C sources, to find names in.
local code = {}
for _, path in ipairs(tree.files("%.[ch]$", "%.inc$", "%.lua$", "CMakeLists%.txt$")) do
  code[#code + 1] = tree.text(path)
end
code = table.concat(code, "\n")
local known = setmetatable({}, { __index = function(self, name)
  self[name] = code:find("%f[%w_]" .. name .. "%f[^%w_]") ~= nil
  return self[name]
end })

-- Pointwise functions are made by macros from the list's rows: sel_add_scalar_ is row "add".
local function function_exists(name)
  if known[name] then return true end
  local row = name:gsub("^sel_", ""):gsub("^scalar_", ""):gsub("_$", ""):gsub("_scalar$", "")
  return code:find("X%(%u+%d?,%s+" .. row .. ",") ~= nil
end

local function succeeds(command)
  local status = os.execute(command)
  return status == 0 or status == true -- LuaJIT can be built either way
end

local function check_link(page, number, target)
  if target:find("^%a+:") or target:find("^#") then return end
  target = target:gsub("#.*", "")
  local folder = page:match("^(.*/)") or ""
  if not tree.exists(target:find("^/") and target or folder .. target) then
    tree.complain(page, number, "links to %s, which isn't there", target)
  end
end

local function check_name(page, number, text)
  for path in text:gmatch("[%w_%-%./]+") do
    local first = path:match("^(%w+)/")
    local ours = first and ({ core = 1, backends = 1, plugins = 1, lua = 1, examples = 1, tests = 1,
      docs = 1, cmake = 1 })[first]
    if ours and not path:find("NAME")
        and not succeeds(("test -e '%s/%s'"):format(tree.root, path)) then
      tree.complain(page, number, "names %s, which isn't there", path)
    end
  end
  for name in text:gmatch("%f[%w_]sel__?[%l][%w_]*") do
    if not function_exists(name) then
      tree.complain(page, number, "names %s, which isn't there", name)
    end
  end
end

local setup = tree.text("setup")
local made_by_build = { ["build/selenite"] = true, selenite = true } -- the latter installed
local function check_command(page, number, line)
  local words = {}
  for word in line:gsub("#.*", ""):gmatch("%S+") do words[#words + 1] = word end
  while words[1] and words[1]:find("^[%u_]+=") do table.remove(words, 1) end
  local command = words[1]
  if not command then return end
  if command == "./setup" then
    local name = words[2]
    if name and not setup:find("\n  [%l |-]*%f[%l]" .. name .. "%f[%L][^\n]*%)") then
      tree.complain(page, number, "./setup has no command %s", name)
    end
  elseif not made_by_build[command] and not tree.exists(command)
      and not succeeds(("command -v '%s' >/dev/null 2>&1"):format(command)) then
    tree.complain(page, number, "there is no command %s", command)
  end
  for i = 2, #words do
    if words[i]:find("^examples/") and not tree.exists(words[i]) then
      tree.complain(page, number, "there is no %s", words[i])
    end
  end
end

local function squeeze(text) return (text:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")) end
local squeezed_code = squeeze(code)
local function check_quotation(page, number, text)
  if not squeezed_code:find(squeeze(text), 1, true) then
    tree.complain(page, number, "quotes code that is nowhere in the sources")
  end
end

-- Links the program in block.c with the library of the build, runs it and looks at what it prints.
local function run_c(page, number, text)
  if not succeeds(("'%s' -std=c11 -I '%s/core/include' block.c -o block -L '%s/lib' -lselenite "
      .. "-Wl,-rpath,'%s/lib'"):format(compiler, tree.root, build, build))
    or not succeeds("./block >block.out") then
    return tree.complain(page, number, "this C program doesn't run")
  end
  local expected = text:match("/%*%-%-> (.-) %*/")
  local output = assert(io.open("block.out")):read("*a")
  if expected and squeeze(output) ~= expected then
    tree.complain(page, number, "prints '%s', the page says '%s'", squeeze(output), expected)
  end
end

local function check_c(page, number, text)
  if not text:find("#include") then return check_quotation(page, number, text) end
  local file = assert(io.open("block.c", "w"))
  file:write(text)
  file:close()
  if not succeeds(("'%s' -std=c11 -Wall -Wextra -Werror -Wno-unused -fsyntax-only "
      .. "-I '%s/core/include' block.c"):format(compiler, tree.root)) then
    return tree.complain(page, number, "this C doesn't compile")
  end
  if text:find("int main(", 1, true) then run_c(page, number, text) end
end

-- What is done with blocks of a language; Lua runs in page.lua, commands are looked at by line.
local checks = { c = check_c, cmake = check_quotation, lua = true, sh = true }
local unchecked = {}
local function note_unchecked(page, number, language)
  unchecked[#unchecked + 1] = ("%s:%d %s"):format(page, number, language):gsub(" $", "")
end

for _, page in ipairs(tree.files("^[^/]*%.md$", "^docs/.*%.md$")) do
  local fence, block, start
  for number, line in tree.lines(page) do
    local mark = line:match("^%s*```(%w*)")
    if mark then
      local check = checks[fence]
      if fence and not check then note_unchecked(page, start, fence) end
      if type(check) == "function" then
        check(page, start, table.concat(block, "\n") .. "\n")
      end
      fence = not fence and mark or nil
      block, start = {}, number
    elseif fence then
      block[#block + 1] = line
      if fence == "sh" then check_command(page, number, line) end
    else
      for target in line:gmatch("%]%(([^)%s]+)%)") do check_link(page, number, target) end
      for text in line:gmatch("`([^`]+)`") do check_name(page, number, text) end
    end
  end
  if fence then tree.complain(page, start, "this block has no end") end
end

local readme = tree.text("README.md")
for _, page in ipairs(tree.files("^docs/.*%.md$")) do
  if not readme:find(page, 1, true) then
    tree.complain("README.md", nil, "doesn't link to %s", page)
  end
end

print("only to be read: " .. table.concat(unchecked, ", "))
tree.finish()
