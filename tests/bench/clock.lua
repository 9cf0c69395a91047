-- A clock for what is timed: clock() is seconds from some moment on.

local ffi = require "ffi"

ffi.cdef [[
typedef struct bench_time { long seconds, nanoseconds; } bench_time;
int clock_gettime(int clock, bench_time *t);
]]
local time = ffi.new "bench_time"
local CLOCK_MONOTONIC = 1

return function()
  ffi.C.clock_gettime(CLOCK_MONOTONIC, time)
  return tonumber(time.seconds) + tonumber(time.nanoseconds) * 1e-9
end
