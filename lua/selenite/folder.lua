-- Folders: making one, and what is in it.

local ffi = require "ffi"
local errors = require "selenite.errors"

-- Under names of our own: a script may declare the C library's functions in its own way. The struct
-- is that of 64-bit Linux.
ffi.cdef [[
typedef struct {
  uint64_t inode, offset;
  uint16_t size;
  uint8_t kind;
  char name[256];
} sel_lua_dirent;
int sel_lua_mkdir(const char *path, unsigned mode) __asm__("mkdir");
void *sel_lua_opendir(const char *path) __asm__("opendir");
sel_lua_dirent *sel_lua_readdir(void *folder) __asm__("readdir");
int sel_lua_closedir(void *folder) __asm__("closedir");
char *sel_lua_strerror(int number) __asm__("strerror");
]]

local ENOENT, EEXIST = 2, 17
local M = {}

local function fail(what, path, number)
  errors.raise(("%s '%s': %s"):format(what, path, ffi.string(ffi.C.sel_lua_strerror(number))))
end

-- Names of what is in a folder, sorted, without "." and ".."; nil where it isn't there.
function M.list(path)
  local folder = ffi.C.sel_lua_opendir(path)
  if folder == nil then
    if ffi.errno() == ENOENT then return nil end
    fail("cannot read the folder", path, ffi.errno())
  end
  local names = {}
  local entry = ffi.C.sel_lua_readdir(folder)
  while entry ~= nil do
    local name = ffi.string(entry.name)
    if name ~= "." and name ~= ".." then names[#names + 1] = name end
    entry = ffi.C.sel_lua_readdir(folder)
  end
  ffi.C.sel_lua_closedir(folder)
  table.sort(names)
  return names
end

-- Whether there is a folder of this name.
function M.exists(path)
  local folder = ffi.C.sel_lua_opendir(path)
  if folder == nil then return false end
  ffi.C.sel_lua_closedir(folder)
  return true
end

-- Makes a folder and those above it; one that is there is left as it is.
function M.make(path)
  local at = 1
  while at do
    at = path:find("/", at + 1, true)
    local part = at and path:sub(1, at - 1) or path
    if ffi.C.sel_lua_mkdir(part, tonumber("777", 8)) ~= 0 and ffi.errno() ~= EEXIST then
      fail("cannot make the folder", part, ffi.errno())
    end
  end
end

return M
