-- What the terminal can show: how wide it is, whether its letters are UTF-8, whether there are
-- colours.
--
-- init.lua says what the environment promises (configure); whether output is a terminal at all is
-- looked up when something is drawn.

local ffi = require "ffi"

-- Under names of our own: a script may declare the C library's functions in its own way.
ffi.cdef [[
int sel_lua_isatty(int fd) __asm__("isatty");
typedef struct { unsigned short rows, columns, width, height; } sel_lua_winsize;
int sel_lua_ioctl(int fd, unsigned long request, ...) __asm__("ioctl");
]]

local TIOCGWINSZ = 0x5413 -- Linux
local window = ffi.new "sel_lua_winsize"

local M = {}
local promised = { unicode = false, colours = 0 }

-- Whether a file descriptor is a terminal.
function M.is_terminal(fd) return ffi.C.sel_lua_isatty(fd) == 1 end

-- Columns of the terminal on standard output; 80 where that is none.
function M.columns()
  local known = ffi.C.sel_lua_ioctl(1, TIOCGWINSZ, window) == 0 and window.columns > 0
  return known and window.columns or 80
end

-- Takes what environment variables say: get(name) gives the text of one, or nil. The locale decides
-- about UTF-8; NO_COLOR and TERM=dumb about colours, COLORTERM about how many.
function M.configure(get)
  local locale = get "LC_ALL" or get "LC_CTYPE" or get "LANG" or "C"
  promised.unicode = locale:lower():find "utf%-?8" ~= nil
  if get "NO_COLOR" or get "TERM" == "dumb" then
    promised.colours = 0
  else
    local many = get "COLORTERM"
    promised.colours = (many == "truecolor" or many == "24bit") and 2 ^ 24 or 256
  end
end

-- What may be used on standard output: { unicode = boolean, colours = 0, 256 or 2^24,
-- columns = n }.
function M.abilities()
  return {
    unicode = promised.unicode,
    colours = M.is_terminal(1) and promised.colours or 0,
    columns = M.columns(),
  }
end

return M
