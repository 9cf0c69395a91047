-- Tensor handles and their memory: wraps what core returns, collects garbage when enough tensor
-- memory was asked for, retries after an allocation failed, and frees early (scope).
--
-- A handle is a *reference* to the empty struct sel_tensor with sel_release as its finalizer.
-- Measured for one handle, finalizer included: opaque pointer 305 ns, this reference 275-310 ns,
-- a struct that holds the pointer 355 ns (C finalizer) or 425 ns (Lua finalizer). A pointer can't
-- be indexed with a number; a reference can, and passes to C functions as it is.
--
-- LuaJIT's collector doesn't see tensor memory. Core counts the bytes this thread allocated; when
-- they exceed the value at the last collection by an allowance, the next handle runs a full
-- collection. The allowance is half of the tensor memory that survived or twice the Lua memory, at
-- least 48 MB: what surviving Lua memory costs to walk (0.2 ms a MB) stays small against the work
-- done in between.
--
-- A full collection also comes after a number of handles, so that what they hold (tape, small
-- tensors) is used again while it is in the processor's caches: a training step of a tiny network
-- takes 13 us with 1024-4096 handles between collections, 16 us with 8192. More handles where there
-- is more Lua memory to walk.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"

local C = library.C
local gc = ffi.gc
local release = C.sel_release
local allocated_bytes = C.sel_allocated_bytes

local M = {}

-- Where core writes new tensors: `out` is passed as the out-parameter, then wrap() or wrap_many(n)
-- takes the references from it. Never holds anything across calls.
local out = ffi.new "sel_tensor *[16]"
M.out = out

local MIN_ALLOWANCE = 48 * 2 ^ 20 -- bytes
local INTERVAL = 2048             -- handles, for each MB of Lua memory
local limit = allocated_bytes() + MIN_ALLOWANCE -- of allocated_bytes()
local handles_left = INTERVAL
local on_collect = {}
local info = ffi.new "sel_memory_info"

-- Frees all tensors that nothing refers to any more. Called by itself; harmless to call.
function M.collect()
  collectgarbage()
  for i = 1, #on_collect do on_collect[i]() end
  local lua_megabytes = collectgarbage "count" / 1024
  handles_left = INTERVAL * math.max(1, lua_megabytes)
  limit = allocated_bytes() +
          math.max(MIN_ALLOWANCE, C.sel_live_bytes() / 2, lua_megabytes * 2 ^ 21)
end
local collect = M.collect

-- fn runs after each collection.
function M.after_collection(fn) on_collect[#on_collect + 1] = fn end

-- A failed call is worth repeating: memory ran out and garbage was collected.
function M.retry(status)
  if status ~= C.SEL_E_MEMORY then return false end
  collect()
  return true
end

local scope -- handles made in the running sel.scope, innermost first; `outer` links them

-- Counts a handle made; collects when it is time. The handle itself must be in a local by then.
local function count()
  handles_left = handles_left - 1
  if handles_left < 0 or allocated_bytes() > limit then collect() end
end

-- Handle for the new reference in out[0].
function M.wrap()
  local t = gc(out[0][0], release)
  count()
  if scope then scope[#scope + 1] = t end
  return t
end

-- Handles for the n (1 to 16) new references in out[0] and up, as multiple results.
function M.wrap_many(n)
  if n == 0 then return end
  local handles = {}
  for i = 1, n do
    handles[i] = gc(out[i - 1][0], release)
    if scope then scope[#scope + 1] = handles[i] end
    handles_left = handles_left - 1
  end
  count()
  return unpack(handles, 1, n)
end

-- Handle for a new reference in pointer `p`; nil for NULL.
function M.adopt(p)
  if p == nil then return nil end
  local t = gc(p[0], release)
  count()
  return t
end

-- Handle for a borrowed pointer; nil for NULL.
function M.borrow(p)
  if p == nil then return nil end
  local t = gc(C.sel_retain(p)[0], release)
  count()
  return t
end

-- Key that is the same for all handles of one tensor.
function M.identity(t) return tonumber(ffi.cast("intptr_t", ffi.cast("sel_tensor *", t))) end

local function keep(value, kept)
  if ffi.istype("sel_tensor", value) then
    kept[M.identity(value)] = true
  elseif type(value) == "table" and not kept[value] then
    kept[value] = true
    for k, v in pairs(value) do
      keep(k, kept)
      keep(v, kept)
    end
  end
end

local function leave(made, ...)
  scope = made.outer
  local kept = {}
  for i = 1, select("#", ...) do keep(select(i, ...), kept) end
  for i = 1, #made do
    local t = made[i]
    if kept[M.identity(t)] then
      if scope then scope[#scope + 1] = t end
    else
      C.sel_tensor_free(t)
    end
  end
  return ...
end

local function finish(made, ok, ...)
  if ok then return leave(made, ...) end
  scope = made.outer
  errors.rethrow(...)
end

-- sel.scope(fn, ...): calls fn(...) and at its end frees every tensor that operations made inside,
-- except those among fn's results (also in tables) and those that something else holds, as
-- x:free(). Using a freed tensor later is an error. Returns fn's results.
function M.scope(fn, ...)
  local made = { outer = scope }
  scope = made
  return finish(made, errors.protect(fn, ...))
end

-- Bytes and requests of a device, as a table; see sel.memory.
function M.usage(device)
  C.sel_memory(device, info)
  return { live = info.live, cached = info.cached, peak = info.peak,
           allocations = info.allocations }
end

local counters = ffi.new "sel_counters"

-- What a device was given to do so far, as a table; see sel.device_counters.
function M.counters(device)
  if not C.sel_device_counters(device, counters) then return nil end
  return { launches = counters.launches, waits = counters.waits,
           copies = counters.copies_to_device + counters.copies_to_host,
           copies_to_device = counters.copies_to_device,
           bytes_to_device = counters.bytes_to_device,
           copies_to_host = counters.copies_to_host, bytes_to_host = counters.bytes_to_host }
end

return M
