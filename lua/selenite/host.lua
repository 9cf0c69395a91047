-- What backward does in Lua: hooks, functions with their own backward, checkpoints.
--
-- Core's tape holds a number for each of them; `entries` maps it to a Lua function. Backward then
-- runs in steps (run), and between them the entry is called. Core reports the numbers whose nodes
-- are gone, and their entries are forgotten. An entry must not hold a handle of what it was
-- recorded for, or neither would ever be freed; ctx:save_for_backward takes care of that.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local memory = require "selenite.memory"

local C = library.C
local check, borrow, adopt = errors.check, memory.borrow, memory.adopt
local M = { names = {} } -- of functions: core keeps the pointers, so the strings stay

local entries = {} -- id -> function(grads, n_inputs, run) -> list of gradients
local count, last_id = 0, 0
local released = ffi.new "int64_t[64]"

local function add(entry)
  last_id, count = last_id + 1, count + 1
  entries[last_id] = entry
  return last_id
end

local function remove(id)
  if entries[id] then
    entries[id], count = nil, count - 1
  end
end

-- Forgets entries whose nodes core has dropped.
local function forget()
  repeat
    local n = C.sel_released_host_ids(64, released)
    for i = 0, n - 1 do remove(tonumber(released[i])) end
  until n < 64
end
memory.after_collection(forget)

-- Whether backward may meet an entry, and so has to run in steps.
function M.active() return count > 0 end

local function reply(run, gradients, n)
  local list = ffi.new("sel_tensor *[?]", math.max(n, 1))
  for i = 1, n do
    local gradient = gradients[i]
    if gradient ~= nil and not ffi.istype("sel_tensor", gradient) then
      errors.raise(("backward: gradient %d: expected a tensor or nil, got %s")
                   :format(i, errors.describe(gradient)))
    end
    list[i - 1] = gradient
  end
  check(C.sel_backward_reply(run, n, list))
end

local function walk(run, collects, create_graph)
  local event = ffi.new "sel_backward_event"
  while true do
    check(C.sel_backward_next(run, event))
    local kind = tonumber(event.kind)
    if kind == C.SEL_BACKWARD_DONE then return end
    local grads = {}
    for i = 1, event.n_grads do grads[i] = borrow(event.grads[i - 1]) end
    local entry = entries[tonumber(event.id)]
    if kind == C.SEL_BACKWARD_HOOK then
      local replaced = entry and entry(grads[1])
      reply(run, { replaced }, replaced and 1 or 0)
    else
      reply(run, entry(grads, event.n_inputs, collects, create_graph), event.n_inputs)
    end
  end
end

-- Backward in steps. Returns the gradients of the n_inputs inputs (none: leaves accumulate).
function M.run(n, roots, grads, n_inputs, inputs, keep, create_graph)
  local run_out = ffi.new "sel_backward_run *[1]"
  check(C.sel_backward_start(n, roots, grads, n_inputs, inputs, keep, create_graph, run_out))
  local run = run_out[0]
  local previous = C.sel_set_grad_enabled(create_graph)
  local ok, failure = errors.protect(walk, run, n_inputs > 0, create_graph)
  C.sel_set_grad_enabled(previous)
  local results = {}
  if ok then
    for i = 1, n_inputs do results[i] = adopt(C.sel_backward_result(run, i - 1)) end
  end
  C.sel_backward_finish(run)
  forget()
  if not ok then errors.rethrow(failure) end
  return results
end

-- Hook fn on gradients of x; returns a function that removes it.
function M.register_hook(x, fn)
  local id = add(fn)
  local status = C.sel_register_host_hook(x, id)
  if status ~= 0 then
    remove(id)
    check(status)
  end
  return function() remove(id) end
end

-- Records that outputs were made from inputs, whose gradients `entry` computes.
function M.record(name, entry, inputs, outputs)
  local c_inputs = ffi.new("sel_tensor *[?]", math.max(#inputs, 1), inputs)
  local c_outputs = ffi.new("sel_tensor *[?]", math.max(#outputs, 1), outputs)
  local recorded = ffi.new "bool[1]"
  M.names[name] = true
  local id = add(entry)
  local status = C.sel_record_host(name, id, #inputs, c_inputs, #outputs, c_outputs, recorded)
  if status ~= 0 or not recorded[0] then remove(id) end
  check(status)
end

return M
