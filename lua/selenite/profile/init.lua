-- sel.profile: runs a function while core records what this thread does.
--
--   local p = sel.profile(function() for _ = 1, 10 do step() end end)
--   print(p)
--
-- Core's events (profile.h) become rows (rows.lua), which print as tables (report.lua) and go into
-- a trace file (trace.lua).

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local module = require "selenite.nn.module"
local module_recorder = require "selenite.profile.modules"
local rows = require "selenite.profile.rows"
local report = require "selenite.profile.report"
local trace = require "selenite.profile.trace"

local C = library.C
local profile = { __tostring = report }
local profile_out = ffi.new "sel_profile *[1]"

-- ---- the recording ----

local known = { trace = "a file name", synchronize = true }

local function read_options(options)
  errors.check_options("profile", options, known)
  options = options or {}
  if options.trace ~= nil and type(options.trace) ~= "string" then
    errors.option("profile", "trace", known.trace, options.trace)
  end
  if options.synchronize ~= nil and type(options.synchronize) ~= "boolean" then
    errors.option("profile", "synchronize", "a boolean", options.synchronize)
  end
  return options.trace, options.synchronize ~= false
end

-- How much each counter of the default device has grown since `before`; nil where nothing counts.
local function grown(device, before)
  if not before then return nil end
  local after = memory.counters(device)
  for name, value in pairs(before) do after[name] = after[name] - value end
  return after
end

local function finish(trace_path, device, before, ok, ...)
  module.set_recorder(nil)
  local status = C.sel_profile_stop(profile_out)
  local handle = status == 0 and ffi.gc(profile_out[0], C.sel_profile_release)
  if not ok then errors.rethrow(...) end
  errors.check(status)
  local self, labels = rows(handle)
  self.device = grown(device, before)
  if trace_path then trace(trace_path, handle, labels) end
  return setmetatable(self, profile), ...
end

-- sel.profile(fn, options): calls fn() and returns a profile of it, then fn's results. Options:
-- trace = "trace.json" also writes a file for Chrome's trace viewer and Perfetto; synchronize =
-- false doesn't wait for the device after each operation. print(p) shows tables; p.seconds is the
-- whole, p.operations and p.layers are lists of rows, most time first: see rows.lua. p.device is
-- what the default device was given to do, as sel.device_counters tells it; nil for cpu.
return function(fn, options)
  errors.expect("function", "profile", 1, "fn", fn)
  local trace_path, synchronize = read_options(options)
  local device = C.sel_default_device()
  local before = memory.counters(device)
  errors.check(C.sel_profile_start(synchronize))
  module.set_recorder(module_recorder())
  return finish(trace_path, device, before, errors.protect(fn))
end
