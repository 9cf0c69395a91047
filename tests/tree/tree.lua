-- The source tree as the checks of this folder see it: its files, their text, and a list of
-- complaints that ends the check.
local tree = { root = arg[1] or "." }

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

-- Paths below the root, sorted, whose name matches one of the Lua patterns; build folders left out.
function tree.files(...)
  local patterns, found = { ... }, {}
  local pipe = io.popen("cd '" .. tree.root .. "' && "
    .. "find . \\( -name 'build*' -o -name .git \\) -prune -o -type f -print")
  for line in pipe:lines() do
    local path = line:sub(3)
    for _, pattern in ipairs(patterns) do
      if path:find(pattern) then
        found[#found + 1] = path
        break
      end
    end
  end
  pipe:close()
  assert(#found > 0, "no files below " .. tree.root .. " match " .. table.concat(patterns, ", "))
  table.sort(found)
  return found
end

function tree.text(path) return read(tree.root .. "/" .. path) end

function tree.exists(path)
  local file = io.open(tree.root .. "/" .. path, "rb")
  if file then file:close() end
  return file ~= nil
end

-- Iterates over the lines of a file with their numbers.
function tree.lines(path)
  local number = 0
  local next_line = (tree.text(path) .. "\n"):gmatch("(.-)\n")
  return function()
    local line = next_line()
    number = number + 1
    if line then return number, line end
  end
end

local complaints = 0
function tree.complain(path, number, ...)
  complaints = complaints + 1
  io.stderr:write(path, number and ":" .. number or "", ": ", string.format(...), "\n")
end

function tree.finish()
  if complaints > 0 then
    io.stderr:write(complaints, " complaints\n")
    os.exit(1)
  end
end

return tree
