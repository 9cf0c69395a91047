-- selenite check FILE.so: loads a plugin and tries what it brings, the way a careful user would.
--
-- The work is done in a child process: a plugin that crashes, hangs or exits ends the child, and
-- the report says at which step. What is tried is in layer.lua and backend.lua, as lists of steps
-- { name, function }; a step raises an error for what is wrong and may return a remark, and true
-- behind it where there was nothing to try.

local ffi = require "ffi"

ffi.cdef [[
int sel_check_fork(void) __asm__("fork");
int sel_check_waitpid(int pid, int *status, int options) __asm__("waitpid");
unsigned sel_check_alarm(unsigned seconds) __asm__("alarm");
char *sel_check_realpath(const char *path, char *resolved) __asm__("realpath");
void sel_check_exit(int status) __asm__("_exit");
]]

local STEP_SECONDS = 120 -- a step that takes longer is said to hang
local SIGALRM = 14

-- ---- the report ----

local report = { passed = 0, failed = 0, absent = 0 }
report.__index = report

function report.heading(text) io.stdout:write(text, "\n") end

-- Runs one step and writes its line. The name is written first: should the process die, it is the
-- last thing to be read.
function report:step(name, fn, ...)
  io.stdout:write(("  %-22s "):format(name))
  io.stdout:flush()
  ffi.C.sel_check_alarm(STEP_SECONDS)
  local ok, remark, absent = pcall(fn, ...)
  ffi.C.sel_check_alarm(0)
  if ok and absent then
    self.absent = self.absent + 1
    io.stdout:write("-     ", remark, "\n")
  elseif ok then
    self.passed = self.passed + 1
    io.stdout:write("ok", remark and "    " .. remark or "", "\n")
  else
    self.failed = self.failed + 1
    io.stdout:write("FAILED  ", tostring(remark), "\n")
  end
  io.stdout:flush()
  return ok
end

-- ---- in the child ----

-- The descriptor of the plugin whose file is `path`, nil where it is not loaded.
local function find_plugin(C, path)
  for i = 0, C.sel_plugin_count() - 1 do
    if ffi.string(C.sel_plugin_path_at(i)) == path then return C.sel_plugin_at(i) end
  end
end

local function check_file(path)
  local self = setmetatable({}, report)
  local sel = require "selenite"
  local C = require("selenite.library").C
  local plugin
  report.heading(path)
  local loaded = self:step("loads", function()
    if not find_plugin(C, path) then sel.load_plugin(path) end
    plugin = find_plugin(C, path)
    return ("plugin %s %s (%s), ABI %d.%d"):format(ffi.string(plugin.name),
      ffi.string(plugin.version), ffi.string(plugin.licence), plugin.abi_major, plugin.abi_minor)
  end)
  if loaded then
    local part = plugin.kind == C.SEL_PLUGIN_BACKEND and "backend" or "layer"
    require("selenite.check." .. part)(self, path, ffi.string(plugin.name))
  end
  io.stdout:write(("%d passed, %d failed, %d not there\n")
                  :format(self.passed, self.failed, self.absent))
  io.stdout:flush()
  return self.failed == 0 and 0 or 1
end

-- ---- in the parent ----

-- check(path): prints the report; returns the exit status: 0 when nothing failed, 1 else.
return function(path)
  local resolved = ffi.C.sel_check_realpath(path, nil)
  if resolved == nil then
    io.stderr:write("selenite check: there is no file ", path, "\n")
    return 2
  end
  path = ffi.string(resolved)
  io.stdout:flush()
  local child = ffi.C.sel_check_fork()
  if child < 0 then
    io.stderr:write "selenite check: can't start a process\n"
    return 1
  elseif child == 0 then
    local ok, status = pcall(check_file, path)
    if not ok then io.stderr:write("selenite check: ", tostring(status), "\n") end
    io.stdout:flush()
    -- without exit handlers: what a broken plugin left behind is not run
    ffi.C.sel_check_exit(ok and status or 1)
  end
  local status = ffi.new "int[1]"
  ffi.C.sel_check_waitpid(child, status, 0)
  local signal = status[0] % 128
  if signal == 0 then return math.floor(status[0] / 256) % 256 end
  print(signal == SIGALRM and ("FAILED  no end after %d seconds"):format(STEP_SECONDS)
        or ("FAILED  the process died of signal %d"):format(signal))
  return 1
end
