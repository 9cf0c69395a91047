-- A recording that looks at results: what each operation and layer gave (profile.h).

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local module = require "selenite.nn.module"
local module_recorder = require "selenite.profile.modules"

local C = library.C
local profile_out = ffi.new "sel_profile *[1]"

-- inspect(entered, fn, ...): calls fn(...); returns the finished recording, then what pcall would
-- return; or nil and why there is no recording. They don't nest: inside another one, fn isn't
-- called. entered: see modules.lua, or nil.
return function(entered, fn, ...)
  if C.sel_profile_start(false) ~= 0 then return nil, ffi.string(C.sel_error()) end
  local status = C.sel_profile_inspect()
  module.set_recorder(module_recorder(entered))
  local function finish(...)
    module.set_recorder(nil)
    local stopped = C.sel_profile_stop(profile_out)
    if stopped ~= 0 or status ~= 0 then return nil, ffi.string(C.sel_error()) end
    return ffi.gc(profile_out[0], C.sel_profile_release), ...
  end
  return finish(errors.protect(fn, ...))
end
