-- Runs test files: selenite tests/lua/run.lua tests/lua/tensor.lua ... on device.lua's device. The
-- last line printed is "N passed, N failed"; the exit status is 1 when one failed.

local folder = arg[0]:match "^(.*/)[^/]*$" or "./"
package.path = folder .. "?.lua;" .. package.path
local check = require "check"
require "device"

for i = 1, #arg do
  local before = check.passed
  local chunk, message = loadfile(arg[i])
  check.test(arg[i], chunk or function() error(message, 0) end)
  if check.passed > before then check.passed = check.passed - 1 end -- the file itself is no test
end
print(("%d passed, %d failed"):format(check.passed, check.failed))
os.exit(check.failed == 0 and 0 or 1, true)
