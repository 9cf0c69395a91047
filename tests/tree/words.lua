-- House rules that can be read off the text: a head comment in every source file, names that say
-- something, no unfinished business, no paths of somebody's machine, examples that stay short.
package.path = arg[0]:match("^.*/") .. "?.lua"
local tree = require "tree"

local sources = tree.files("%.[ch]$", "%.inc$", "%.lua$", "%.sh$", "%.cmake$", "%.cl$", "^setup$",
  "^%.ci/run$")
local comment_starts = { "^/%*", "^//", "^%-%-", "^#" }
for _, path in ipairs(sources) do
  local text = tree.text(path):gsub("^#![^\n]*\n", "")
  local commented = false
  for _, start in ipairs(comment_starts) do commented = commented or text:find(start) end
  if not commented or text:find("^#%s*include") then
    tree.complain(path, 1, "says at its head neither what it is nor what it leaves to others")
  end
  for _, vague in ipairs { "utils?", "misc", "common", "helpers?" } do
    if ("/" .. path):find("/" .. vague .. "%.%a+$") then
      tree.complain(path, nil, "a name that says nothing")
    end
  end
end

-- Written in two pieces, so that this file passes its own check.
local unwanted = { "TO" .. "DO", "FIX" .. "ME", "XX" .. "X", "/" .. "tmp/", "/" .. "work/",
  "/" .. "home/", "/" .. "root/" }
local texts = tree.files("%.[ch]$", "%.inc$", "%.lua$", "%.sh$", "%.cmake$", "%.cl$", "%.md$",
  "%.txt$", "%.py$", "^setup$", "^%.ci/run$")
for _, path in ipairs(texts) do
  for number, line in tree.lines(path) do
    for _, word in ipairs(unwanted) do
      if line:find(word, 1, true) then tree.complain(path, number, "has '%s'", word) end
    end
    if line:find("[ \t\r]$") or line:find("\t") then
      tree.complain(path, number, "has a tab or space that nobody sees")
    end
  end
  if not tree.text(path):find("[^\n]\n$") then
    tree.complain(path, nil, "must end with one newline")
  end
end

local limits = { ["examples/03_fashion_mnist_fc.lua"] = 100 }
for _, path in ipairs(tree.files("^examples/.*%.lua$")) do
  if not path:find("^examples/%d%d_[%l%d_]+%.lua$") then
    tree.complain(path, nil, "examples are numbered: NN_name.lua")
  end
  local count = 0
  for _ in tree.lines(path) do count = count + 1 end
  local limit = limits[path] or 150
  if count > limit then
    tree.complain(path, nil, "%d lines; an example of one idea fits into %d", count - 1, limit - 1)
  end
end

tree.finish()
