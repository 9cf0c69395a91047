-- What there is to compute on: the devices of all loaded backends, and why a backend has none here.

local ffi = require "ffi"
local library = require "selenite.library"

local C = library.C
local M = {}

local GiB = 2 ^ 30

local device_text = {}
function device_text:__tostring()
  if not self.available then return self.name .. ": not available: " .. self.reason end
  local memory = self.memory > 0 and ("; %.1f GiB"):format(self.memory / GiB) or ""
  return self.name .. ": " .. self.summary .. memory
end

local list_text = {}
function list_text:__tostring()
  local lines = {}
  for i = 1, #self do lines[i] = tostring(self[i]) end
  return table.concat(lines, "\n")
end

local found = ffi.new "sel_device *[1]"
local function describe(name)
  if C.sel_device_find(name, found) ~= 0 then
    return { name = name, available = false, reason = ffi.string(C.sel_error()) }
  end
  return { name = ffi.string(C.sel_device_name(found[0])), available = true,
           summary = ffi.string(C.sel_device_summary(found[0])),
           memory = C.sel_device_memory(found[0]) }
end

local reason = ffi.new "const char *[1]"
local function append(list, backend)
  local name = ffi.string(backend.name)
  reason[0] = nil
  local count = backend.device_count(reason)
  for i = 0, count - 1 do
    list[#list + 1] = setmetatable(describe(i == 0 and name or name .. ":" .. i), device_text)
  end
  if count > 0 then return end
  local why = reason[0] ~= nil and ffi.string(reason[0]) or "none was found"
  list[#list + 1] = setmetatable({ name = name, available = false, reason = why }, device_text)
end

-- sel.devices(): a list with a table for each device of each loaded backend: name, available =
-- true, summary (maker and model), memory (bytes; 0 where unknown). A backend that has no device
-- here, or a device that doesn't open, is listed too: name, available = false, reason. tostring
-- gives lines.
function M.devices()
  local list, i = setmetatable({}, list_text), 0
  local backend = C.sel_backend_at(0)
  while backend ~= nil do
    append(list, backend)
    i = i + 1
    backend = C.sel_backend_at(i)
  end
  return list
end

return M
