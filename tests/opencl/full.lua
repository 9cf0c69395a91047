-- A device whose memory runs out: garbage is collected, the operation repeated, and if that doesn't
-- help, an error tells the sizes. The process goes on. PoCL can be given a small memory.

local sel = require "selenite"
local check = require "check"
local test, equal, contains = check.test, check.equal, check.contains

local opencl
for _, device in ipairs(sel.devices()) do
  if device.name == "opencl" then opencl = device end
end
if not opencl.available then
  print("opencl: " .. opencl.reason)
  os.exit(77)
end

test("more than a buffer may have", function()
  local ok, message = pcall(function() return sel.empty(2 ^ 20, 2 ^ 20, { device = "opencl" }) end)
  equal(ok, false)
  contains(message, "can't allocate 4398046511104 bytes", "at most", "f32[1048576, 1048576]")
  equal(sel.ones(3, { device = "opencl" }):sum():item(), 3)
end)

local function child(code)
  return check.run(("POCL_MEMORY_LIMIT=1 %s -e %s"):format(
    check.program, check.quote('local sel = require "selenite" ' .. code)))
end
local limited = opencl.summary:find("pocl", 1, true) ~= nil

test("garbage makes room", function()
  if not limited then return end
  local output, status = child [[
    local MB = 2 ^ 20
    collectgarbage "stop" -- the library's own collections stay
    for i = 1, 40 do
      local x = sel.zeros(32, MB / 4, { device = "opencl" })
    end
    print(sel.memory("opencl").peak <= 1024 * MB)]]
  equal(output, "true\n")
  equal(status, 0)
end)

test("what doesn't fit is an error, and the rest goes on", function()
  if not limited then return end
  local output, status = child [[
    local MB, held = 2 ^ 20, {}
    local here = sel.arange(4)
    local ok, message
    for i = 1, 40 do
      ok, message = pcall(sel.zeros, 128, MB / 4, { device = "opencl" })
      if not ok then break end
      held[i] = message
    end
    print(#held > 2 and #held < 9, ok, message)
    print(held[1]:sum():item(), here:sum():item())
    held[#held] = nil
    print((held[1]:narrow(1, 1, 2) + 1):sum():item())]]
  equal(status, 0)
  contains(output, "true\tfalse\t", "can't allocate 134217728 bytes", "bytes in use", "\n0\t6\n",
           "524288")
end)
