-- What was entered, in this session and before it: a list without duplicates, newest last, and the
-- file it is kept in.
--
-- The file has one entry a line, newlines as \n and backslashes as \\. Each entry is appended when
-- it is entered, so that sessions side by side lose nothing and a crash costs nothing; opening
-- writes the file anew when it has grown to twice what is kept.

local ffi = require "ffi"

ffi.cdef 'int sel_repl_mkdir(const char *path, unsigned mode) __asm__("mkdir");'

local MOST = 2000 -- entries kept

local history = {}
history.__index = history

local function encode(text) return (text:gsub("\\", "\\\\"):gsub("\n", "\\n")) end
local function decode(line)
  return (line:gsub("\\(.)", function(c) return c == "n" and "\n" or c end))
end

-- Makes the folders above `path`, for their owner alone, as XDG wants it.
local function make_folders(path)
  for slash in path:gmatch "()/" do
    if slash > 1 then ffi.C.sel_repl_mkdir(path:sub(1, slash - 1), tonumber("700", 8)) end
  end
end

local function add(self, text)
  for i = #self, 1, -1 do
    if self[i] == text then
      table.remove(self, i)
      break
    end
  end
  self[#self + 1] = text
end

local function read(self)
  local file = io.open(self.path, "rb")
  local lines = 0
  if not file then return lines end
  local entries, seen = {}, {}
  for line in file:lines() do
    lines = lines + 1
    entries[lines] = line
  end
  file:close()
  for i = lines, 1, -1 do -- from the newest, of which one of each is kept
    if #self < MOST and entries[i] ~= "" and not seen[entries[i]] then
      seen[entries[i]] = true
      self[#self + 1] = decode(entries[i])
    end
  end
  for i = 1, math.floor(#self / 2) do
    local j = #self + 1 - i
    self[i], self[j] = self[j], self[i]
  end
  return lines
end

-- Through a second file, so that an interruption leaves one of them whole.
local function rewrite(self)
  local file = io.open(self.path .. ".new", "wb")
  if not file then return end
  for _, entry in ipairs(self) do file:write(encode(entry), "\n") end
  if file:close() then os.rename(self.path .. ".new", self.path) end
end

-- Adds what was entered, here and to the file. Without a file that can be written, history lasts
-- for the session.
function history:add(text)
  add(self, text)
  local file = self.path and io.open(self.path, "ab")
  if file then
    file:write(encode(text), "\n")
    file:close()
  end
end

-- history.open(path): the entries of that file; a path of nil keeps none.
local function open(path)
  local self = setmetatable({ path = path }, history)
  if path then
    make_folders(path)
    if read(self) > 2 * MOST then rewrite(self) end
  end
  return self
end

return { open = open }
