-- Runs the Lua of one page of the papers, its ```lua blocks in order as one script, so that a block
-- may use what an earlier one made. A print whose line ends in a comment `--> text`, or is followed
-- by lines of such comments alone, must print that text, spaces apart, the first time it runs.
-- Below a line `<!-- column 2 runs -->`, each piece of code in that column of the table runs, too,
-- where it stands, as a statement or an expression.
--
-- usage: selenite page.lua PAGE     in an empty folder; errors carry the page's line numbers
local path = assert(arg[1], "usage: page.lua PAGE")

-- The code in a column of a table's row as one line of Lua; titles and the line below have none.
local function code_of_row(row, column)
  local cells = {}
  for cell in row:gmatch("|([^|]*)") do cells[#cells + 1] = cell end
  local parts = {}
  for code in (cells[column] or ""):gmatch("`([^`]+)`") do
    local text = code
    if loadstring("return " .. code) then
      text = "local value = " .. code
      if not code:find("%)$") then -- a name that isn't there
        text = text .. " if value == nil then error('this is nil') end"
      end
    end
    parts[#parts + 1] = ("do %s end"):format(text)
  end
  return table.concat(parts, " ")
end

local lines, expected, inside, column = {}, {}, false, nil
local number, code_line = 0, 0
for line in io.lines(path) do
  number = number + 1
  local fence = line:match("^%s*```(%w*)")
  column = tonumber(line:match("^<!%-%- column (%d) runs %-%->$")) or line ~= "" and column or nil
  if fence then
    inside = not inside and fence == "lua"
    lines[number] = ""
  elseif column and line:find("^|") then
    lines[number] = code_of_row(line, column)
  else
    lines[number] = inside and line or ""
    if inside then
      if not line:find("^%s*%-%->") then code_line = number end
      local text = line:match("%-%->%s*(.-)%s*$")
      if text then
        expected[code_line] = (expected[code_line] and expected[code_line] .. " " or "") .. text
      end
    end
  end
end

local checked = {}
local function squeeze(text) return (text:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")) end
local function checking_print(...)
  local words = {}
  for i = 1, select("#", ...) do words[i] = tostring((select(i, ...))) end
  local line = debug.getinfo(2, "l").currentline
  local got = squeeze(table.concat(words, " "))
  local want = expected[line]
  if want and not checked[line] then
    checked[line] = true
    if squeeze(want) ~= got then
      error(("prints '%s', the page says '%s'"):format(got, squeeze(want)), 2)
    end
  end
end

local name = path:match("[^/]*$")
local chunk = assert(loadstring(table.concat(lines, "\n"), "@" .. name))
chunk = setfenv(chunk, setmetatable({ print = checking_print }, { __index = _G }))
local ok, message = xpcall(chunk, debug.traceback)
if not ok then
  io.stderr:write(message, "\n")
  os.exit(1)
end
for line in pairs(expected) do
  if not checked[line] then
    io.stderr:write(name, ":", line, ": nothing is printed here\n")
    os.exit(1)
  end
end
