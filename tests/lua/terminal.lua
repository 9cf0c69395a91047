-- A program on a pseudo-terminal of its own, for tests that play its user.
--
--   local t = terminal.start({ program, "-i" }, { TERM = "xterm" })
--   t:expect "> "        waits until that text has come, and returns what came up to it
--   t:send "1 + 1\r"
--   t:finish()           waits for the end; returns the rest of the output, and the exit status
--
-- Texts are plain; escape sequences are taken out of the output before it is looked at;
-- t.raw has all of it as it came.

local ffi = require "ffi"

ffi.cdef [[
int forkpty(int *master, char *name, const void *termp, const void *window);
int execve(const char *path, char *const *argv, char *const *envp);
void _exit(int status);
int poll(void *fds, unsigned long n, int timeout);
long read(int fd, void *buffer, size_t n);
long write(int fd, const void *buffer, size_t n);
int close(int fd);
int kill(int pid, int signal);
int waitpid(int pid, int *status, int options);
typedef struct { int fd; short events, revents; } test_pollfd;
]]
local C = ffi.C
local SECONDS, SIGKILL, POLLIN = 60, 9, 1

local terminal = {}
terminal.__index = terminal

local function c_strings(list)
  local array = ffi.new("char *[?]", #list + 1)
  for i, text in ipairs(list) do array[i - 1] = ffi.cast("char *", text) end
  return array
end

-- Starts argv[1], a path, with these arguments and environment variables.
function terminal.start(argv, variables)
  local settings = {}
  for name, value in pairs(variables) do settings[#settings + 1] = name .. "=" .. value end
  local arguments, environment = c_strings(argv), c_strings(settings)
  local master = ffi.new "int[1]"
  local pid = C.forkpty(master, nil, nil, nil)
  if pid == 0 then
    C.execve(argv[1], arguments, environment)
    C._exit(127)
  end
  assert(pid > 0, "forkpty failed")
  return setmetatable({ pid = pid, fd = master[0], came = "", raw = "" }, terminal)
end

local buffer = ffi.new "char[4096]"

-- Waits for output; false at its end.
local function receive(self)
  local fds = ffi.new("test_pollfd[1]", { { self.fd, POLLIN, 0 } })
  if C.poll(fds, 1, SECONDS * 1000) <= 0 then
    C.kill(self.pid, SIGKILL)
    error(("nothing came for %d s; before: %s"):format(SECONDS, self.came), 3)
  end
  local n = tonumber(C.read(self.fd, buffer, 4096))
  if n <= 0 then return false end
  local piece = ffi.string(buffer, n)
  self.raw = self.raw .. piece
  local text = self.came .. piece
  self.came = text:gsub("\27%[[%d;?]*[%a@]", ""):gsub("\27[=>]", ""):gsub("\r", "")
  return true
end

function terminal:expect(text)
  while true do
    local _, last = self.came:find(text, 1, true)
    if last then
      local before = self.came:sub(1, last)
      self.came = self.came:sub(last + 1)
      return before
    end
    if not receive(self) then error(("expected %q in: %s"):format(text, self.came), 2) end
  end
end

function terminal:send(text)
  assert(C.write(self.fd, text, #text) == #text)
end

function terminal:finish()
  while receive(self) do end
  C.close(self.fd)
  local status = ffi.new "int[1]"
  C.waitpid(self.pid, status, 0)
  local code = status[0]
  return self.came, code % 128 == 0 and math.floor(code / 256) % 256 or nil
end

return terminal
