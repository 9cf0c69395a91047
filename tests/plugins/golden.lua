-- Layers against PyTorch: the cases of a file in tests/golden/layers (layer_cases.py says what is
-- in it) in f64 and f32, with inputs as they are and as views that are not contiguous, on the
-- device of tests/lua/device.lua.
-- usage: golden.lua FILE
local folder = assert(os.getenv "SEL_TEST_DIR")
package.path = folder .. "/lua/?.lua;" .. package.path
local device = require "device"
local sel = require "selenite"
local nn = sel.nn

local tensors, metadata = device.load(folder .. "/golden/layers/" .. arg[1] .. ".safetensors")
local tolerances = { f64 = 1e-11, f32 = 1e-5 }

-- Tensors "key.what.NAME" as a table NAME -> tensor, floats in `dtype`.
local function group(key, what, dtype)
  local found, prefix = {}, key .. "." .. what .. "."
  for name, t in pairs(tensors) do
    if name:sub(1, #prefix) == prefix then
      found[name:sub(#prefix + 1)] = t:dtype() == "f64" and t:to(dtype) or t
    end
  end
  return found
end

local function expect(label, got, expected, tolerance)
  if got == nil then error(label .. ": missing") end
  if table.concat(got:shape(), "x") ~= table.concat(expected:shape(), "x") then
    error(("%s: %s for %s"):format(label, tostring(got), tostring(expected)))
  end
  if got:numel() == 0 then return end
  local a, b = got:to("f64"):reshape(-1):totable(), expected:to("f64"):reshape(-1):totable()
  for i = 1, #a do
    local difference = math.abs(a[i] - b[i])
    if difference > tolerance * math.max(1, math.abs(b[i])) or difference ~= difference then
      error(("%s: element %d: expected %.12g, got %.12g"):format(label, i, b[i], a[i]))
    end
  end
end

-- The same numbers with every second element of memory between them.
local function apart(t)
  if t:dim() == 0 then return t end
  return sel.stack({ t, t }, -1):select(-1, 1)
end

local function check(key, dtype, view)
  local kind, options, mode = metadata[key]:match "^(%S+) (%b{}) (%S+)$"
  local label = ("%s %s (%s%s)"):format(key, metadata[key], dtype, view and ", views" or "")
  local layer = nn[kind](loadstring("return " .. options)()):to(dtype)
  layer:load_state_dict(group(key, "state", dtype))
  layer:train(mode == "train")
  local inputs, leaves, n = {}, {}, 1
  for name, x in pairs(group(key, "in", dtype)) do
    local i = tonumber(name) + 1
    n = math.max(n, i)
    leaves[i] = x:clone()
    if tensors[key .. ".grad_in." .. name] then leaves[i]:requires_grad_() end
    inputs[i] = view and apart(leaves[i]) or leaves[i]
  end
  local outputs = { layer(unpack(inputs, 1, n)) }
  local expected, total = group(key, "out", dtype), 0
  for name, weight in pairs(group(key, "weight", dtype)) do
    local y = outputs[tonumber(name) + 1]
    expect(label .. ": output " .. name, y, expected[name], tolerances[dtype])
    total = total + (y * weight):sum()
  end
  total:backward()
  for name, g in pairs(group(key, "grad_in", dtype)) do
    expect(label .. ": gradient of input " .. name, leaves[tonumber(name) + 1].grad, g,
           tolerances[dtype])
  end
  local gradients = group(key, "grad", dtype)
  for name, t in layer:named_parameters() do
    expect(label .. ": gradient of " .. name, t.grad, gradients[name], tolerances[dtype])
  end
  local after = group(key, "after", dtype)
  for name, t in layer:named_buffers() do
    expect(label .. ": " .. name .. " afterwards", t, after[name], tolerances[dtype])
  end
end

local keys, failed = {}, 0
for key in pairs(metadata) do
  if key:match "^%d+$" then keys[#keys + 1] = key end
end
table.sort(keys)
for _, key in ipairs(keys) do
  for dtype in pairs(tolerances) do
    for _, view in ipairs { false, true } do
      local ok, message = pcall(check, key, dtype, view)
      if not ok then
        failed = failed + 1
        print(message)
      end
    end
  end
end
print(("%d cases, %d failures"):format(#keys, failed))
assert(#keys > 0 and failed == 0)
