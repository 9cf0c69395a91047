-- The text behind functions and errors: what was entered, and files.

local M = {}

local entered = {} -- chunk name as errors show it -> list of lines

local function split(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
  return lines
end

-- Keeps a block under the name that errors show for it, "in[3]".
function M.keep(name, text) entered[name] = split(text) end

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read "*a"
  if file then file:close() end
  return text and split(text)
end

-- Lines of a block or file, nil where there is none; `name` is a short_src or a path.
function M.lines(name) return entered[name] or read(name) end

-- The same for the source of a function, as debug.getinfo(fn, "S").source has it.
function M.lines_of(source)
  local kind, name = source:match "^([@=])(.*)$"
  if kind == "@" then return read(name) end
  return kind == "=" and entered[name] or nil
end

return M
