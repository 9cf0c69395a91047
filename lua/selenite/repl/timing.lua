-- %time and %timeit: how long code takes, the devices' work included.

local progress = require "selenite.progress"

local M = {}

local LEAST = 0.1 -- seconds that a measurement takes at least
local REPEATS = 5

local function synchronize()
  local sel = require "selenite"
  for _, device in ipairs(sel.devices()) do
    if device.available then sel.synchronize(device.name) end
  end
end

local function duration(seconds)
  for _, unit in ipairs { { 1, "s" }, { 1e-3, "ms" }, { 1e-6, "us" } } do
    if seconds >= unit[1] then return ("%.3g %s"):format(seconds / unit[1], unit[2]) end
  end
  return ("%.3g ns"):format(seconds * 1e9)
end

-- Calls fn(); returns a line about the time that took, then fn's results.
function M.time(fn)
  local function finish(started, cpu_started, ...)
    synchronize()
    local line = ("%s, %s of processor time"):format(duration(progress.now() - started),
                                                     duration(os.clock() - cpu_started))
    return line, ...
  end
  synchronize()
  return finish(progress.now(), os.clock(), fn())
end

local function run(fn, times)
  synchronize()
  local started = progress.now()
  for _ = 1, times do fn() end
  synchronize()
  return progress.now() - started
end

-- Calls fn() so often that it can be timed; returns a line about one call.
function M.timeit(fn)
  local times = 1
  local took = run(fn, times) -- also warms caches and compiles
  while took < LEAST do
    times = math.ceil(times * math.min(math.max(1.2 * LEAST / math.max(took, 1e-9), 2), 10))
    took = run(fn, times)
  end
  local best, worst = 1 / 0, 0
  for _ = 1, REPEATS do
    took = run(fn, times) / times
    best, worst = math.min(best, took), math.max(worst, took)
  end
  return ("%s a run; worst %s (%d times %d runs)")
    :format(duration(best), duration(worst), REPEATS, times)
end

return M
