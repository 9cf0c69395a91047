-- The steps of `selenite check` for a plugin that brings layer types.
--
-- What to run comes from the type's own example (case.lua); the steps vary its inputs.

local ffi = require "ffi"
local sel = require "selenite"
local layers = require "selenite.nn.layer"
local cases = require "selenite.check.case"
local C = require("selenite.library").C

local fail, is_float, map, same = cases.fail, cases.is_float, cases.map, cases.same
local record, run, gradients = cases.record, cases.run, cases.gradients

local LOOKED_AT = 40 -- elements of each tensor that are held against differences
local F32_ERROR = 1e-4 -- of f32 against f64, relative to the largest element

-- ---- the steps ----

-- The first step: the example runs. Without it there is nothing to vary.
local function example_step(class)
  local case = record(class)
  local outputs = run(case, case.inputs)
  if outputs.n == 0 then fail "forward gave nothing" end
  for i = 1, outputs.n do
    if outputs[i] ~= nil and not sel.is_tensor(outputs[i]) then
      fail("output %d is no tensor", i)
    end
  end
  return (ffi.string(class.descriptor.example):gsub("%s+", " "))
end

local steps = {} -- { name, function(class, case) }, in order
local function step(name, fn) steps[#steps + 1] = { name, fn } end

step("same twice", function(_, case)
  same("second run", run(case, case.inputs), run(case, case.inputs), 0)
end)

step("inputs unchanged", function(_, case)
  local before = map(case.inputs, function(x) return x:clone() end)
  run(case, case.inputs)
  same("after forward, inputs", case.inputs, before, 0)
end)

step("gradients", function(class)
  local case = record(class)
  case.layer:to "f64"
  local checked, names = {}, {}
  local inputs = map(case.inputs, function(x, i)
    if not is_float(x) then return x end
    x = x:to("f64"):contiguous():detach():clone():requires_grad_()
    checked[#checked + 1] = x
    names[#checked] = "input " .. ffi.string(class.descriptor.inputs[i - 1].name)
    return x
  end)
  for name, p in case.layer:named_parameters() do
    checked[#checked + 1] = p
    names[#checked] = "parameter " .. name
  end
  if #checked == 0 then return "no float inputs and no parameters", true end
  if not cases.total_of(run(case, inputs)) then return "no output that has a gradient", true end
  local right, problem = sel.gradcheck(function() return unpack(run(case, inputs)) end, checked,
    { max_elements = LOOKED_AT, raise_exception = false, names = names })
  if not right then error(problem, 0) end
  return ("%s, f64 against differences"):format(table.concat(names, ", "))
end)

step("gradients not in order", function(_, case)
  -- of sum(y), one number expanded; of sum(y * 1), contiguous; of a transposed product, strided
  local plain = gradients(case, case.inputs, function(y) return y * sel.ones_like(y) end)
  if not plain then return "no gradients", true end
  same("gradients from an expanded gradient", gradients(case, case.inputs), plain, 1e-5)
  same("gradients from a strided gradient", gradients(case, case.inputs, function(y)
    if y:dim() < 2 then return y end
    return y:transpose(1, -1):contiguous() * 1
  end), plain, 1e-5)
end)

step("inputs not in order", function(_, case)
  local expected = run(case, case.inputs)
  same("outputs for transposed inputs", run(case, map(case.inputs, function(x)
    return x:dim() < 2 and x or x:transpose(1, -1):contiguous():transpose(1, -1)
  end)), expected, 1e-5)
  same("outputs for every second element of a tensor", run(case, map(case.inputs, function(x)
    if x:dim() == 0 then return x end
    return sel.stack({ x, x * 0 }, x:dim() + 1):select(x:dim() + 1, 1)
  end)), expected, 1e-5)
end)

step("f32 near f64", function(class)
  local narrow, wide = record(class), record(class)
  narrow.layer:eval()
  wide.layer:eval():to "f64"
  local inputs = map(wide.inputs, function(x) return is_float(x) and x:to "f64" or x end)
  same("f32", run(narrow, narrow.inputs), run(wide, inputs), F32_ERROR)
end)

step("empty input", function(_, case)
  local first = case.inputs[1]
  if not sel.is_tensor(first) or first:dim() == 0 then
    return "the first input has no dims", true
  end
  local extent = first:shape()[1]
  local inputs = map(case.inputs, function(x)
    return x:dim() > 0 and x:shape()[1] == extent and x:narrow(1, 1, 0) or x
  end)
  local ok, problem = pcall(gradients, case, inputs)
  if not ok then return "refused: " .. tostring(problem) end
end)

step("wrong inputs", function(class, case)
  local refused, tried = 0, 0
  local function try(change)
    tried = tried + 1
    local inputs = map(case.inputs, function(x, i) return i == 1 and change(x) or x end)
    local ok, problem = pcall(run, case, inputs)
    if not ok and not tostring(problem):find "%S" then fail "an error without a text" end
    if not ok then refused = refused + 1 end
  end
  try(function() return sel.ones {} end)
  try(function(x) return x:unsqueeze(1):unsqueeze(1):unsqueeze(1) end)
  try(function(x) return x:ne(x) end)
  try(function(x) return x:dim() > 0 and sel.cat({ x, x }, -1) or x end)
  try(function(x) return x:dim() > 0 and sel.cat({ x, x }, 1) or x end)
  same("outputs after refused inputs", run(case, case.inputs), run(record(class), case.inputs),
       0)
  return ("%d of %d refused, none harmful"):format(refused, tried)
end)

step("saved and loaded", function(class, case)
  local other = record(class)
  for _, p in ipairs(other.layer:parameters()) do sel.no_grad(function() p:add_(1) end) end
  other.layer:load_state_dict(case.layer:state_dict())
  case.layer:eval()
  other.layer:eval()
  same("outputs of a layer with the same state", run(other, case.inputs), run(case, case.inputs), 0)
  case.layer:train()
end)

step("memory", function(_, case)
  local function some()
    for _ = 1, 8 do gradients(case, case.inputs) end
    require("selenite.memory").collect()
    return sel.memory("cpu").live
  end
  local before, after = some(), some()
  if after > before then
    fail("8 runs forward and backward left %d bytes of tensors behind", after - before)
  end
end)

step("threads", function(class)
  local states = package.preload["selenite.states"] and require "selenite.states"
  if not states then return "left out: this needs the selenite executable", true end
  local code = "return require('selenite.check.layer_thread')(...)"
  local path = ffi.string(C.sel_layer_type_origin(class.descriptor))
  local name = ffi.string(class.descriptor.name)
  local alone = states.run(1, code, path, name)
  local first, second = states.run(2, code, path, name)
  if first ~= alone or second ~= alone then
    fail "two threads, each with a layer of its own, got other numbers than one alone"
  end
end)

-- One step for each device beyond the first backend's: the same outputs and gradients there.
local function device_step(class, device)
  local here, there = record(class), record(class)
  there.layer:to(device)
  local inputs = map(there.inputs, function(x) return x:to(device) end)
  same("outputs", run(there, inputs), run(here, here.inputs), F32_ERROR)
  local expected = gradients(here, here.inputs)
  if expected then same("gradients", gradients(there, inputs), expected, F32_ERROR) end
end

-- ---- all types of one file ----

local function types_of(path)
  local list = {}
  layers.each_type(function(kind)
    if ffi.string(C.sel_layer_type_origin(kind)) == path then list[#list + 1] = kind end
  end)
  return list
end

return function(report, path)
  local types = types_of(path)
  if #types == 0 then
    report:step("brings layer types", function() fail "the plugin registered none" end)
  end
  for _, descriptor in ipairs(types) do
    local class = layers.class(descriptor)
    report.heading("layer " .. ffi.string(descriptor.name))
    if report:step("example", example_step, class) then
      local case = record(class)
      for _, entry in ipairs(steps) do report:step(entry[1], entry[2], class, case) end
      for _, device in ipairs(sel.devices()) do
        if device.available and device.name ~= "cpu" then
          report:step("on " .. device.name, device_step, class, device.name)
        end
      end
    end
  end
end
