-- Ctrl-C waits until a step is done, so that a run that writes checkpoints stops in a state to go
-- on from. The signal is held back from this thread; interrupts.c notices it when it is let
-- through.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"

local C = library.C

-- Under names of our own: a script may declare the C library's functions in its own way.
ffi.cdef [[
typedef struct { unsigned long words[16]; } sel_lua_signals;
int sel_lua_signal_mask(int how, const sel_lua_signals *set, sel_lua_signals *old)
  __asm__("pthread_sigmask");
]]

local SIGINT, SIG_BLOCK, SIG_SETMASK = 2, 0, 2 -- Linux

local M = {}
local interrupt, before = ffi.new "sel_lua_signals", ffi.new "sel_lua_signals"
interrupt.words[0] = 2 ^ (SIGINT - 1)
local held = false

-- M.hold(): from now on Ctrl-C waits; M.let(): it doesn't any more. Both may be called twice.
function M.hold()
  if not held then ffi.C.sel_lua_signal_mask(SIG_BLOCK, interrupt, before) end
  held = true
end
function M.let()
  if held then ffi.C.sel_lua_signal_mask(SIG_SETMASK, before, nil) end
  held = false
end

-- Raises "interrupted" if Ctrl-C came.
function M.check()
  if C.sel_interrupted() then errors.raise_status(C.SEL_E_INTERRUPTED) end
end

return M
