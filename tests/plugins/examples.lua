-- The example in the description of every layer type runs as it stands.
local sel = require "selenite"
local ffi = require "ffi"
local C = require "selenite.library".C

local count = 0
local kind = C.sel_layer_type_at(0)
while kind ~= nil do
  local name = ffi.string(kind.name)
  local source = "local sel, nn = ... " .. ffi.string(kind.example)
  assert(loadstring(source, "=example of " .. name))(sel, sel.nn)
  count = count + 1
  kind = C.sel_layer_type_at(count)
end
assert(count >= 29, "only " .. count .. " layer types are there")
