-- `selenite check`: finds the fault of each layer of faulty/faulty.c and no other, survives plugins
-- that the loader refuses and one that crashes, and passes what comes with Selenite.

local check = require "check"
local test, equal, contains, run = check.test, check.equal, check.contains, check.run

local build = check.program:match "^'(.*)/selenite'$"
local folder = build .. "/tests"
local function report(file) return run(check.program .. " check " .. check.quote(file)) end

-- The steps that failed, by layer: "faulty_leak: memory".
local function failures(output)
  local list, layer = {}, nil
  for line in output:gmatch "[^\n]+" do
    layer = line:match "^layer (%S+)" or layer
    local step = line:match "^  (.-) +FAILED"
    if step then list[#list + 1] = layer .. ": " .. step end
  end
  return list
end

test("each fault is found, and the step where the process died is named", function()
  local output, status = report(folder .. "/faulty/faulty.so")
  equal(status, 1)
  -- what depends on memory that is not the layer's may fail more steps than the one meant
  local found = table.concat(failures(output), "\n") .. "\n"
  contains(found, "faulty_backward_strides: gradients not in order\n",
           "faulty_input: inputs unchanged\n", "faulty_memory: same twice\n")
  for layer, steps in pairs {
    gradient = { "gradients" }, strides = { "inputs not in order" }, leak = { "memory" },
    threads = { "threads" }, narrow = { "gradients", "f32 near f64" },
    crash = { "empty input" } } do
    local got = {}
    for step in found:gmatch("faulty_" .. layer .. ": ([^\n]+)") do got[#got + 1] = step end
    equal(got, steps)
  end
  contains(output, "input x, element [1, 1] of a tensor f64[3, 4]: backward gives",
           "differences give", "died of signal 6")
end)

test("a plugin that is refused", function()
  local output, status = report(folder .. "/hostile/other_major.so")
  equal(status, 1)
  contains(output, "loads                  FAILED", "built for plugin ABI", "0 passed, 1 failed")
end)

test("files that are none", function()
  local output, status = report "/nowhere/x.so"
  equal(status, 2)
  contains(output, "there is no file /nowhere/x.so")
  output, status = report(arg[0])
  equal(status, 1)
  contains(output, "loads                  FAILED")
  equal(select(2, run(check.program .. " check")), 2)
end)

test("plugins of Selenite pass", function()
  local output, status = report(build .. "/lib/selenite/rnn.so")
  equal(failures(output), {})
  equal(status, 0)
  contains(output, "layer lstm", ", 0 failed")
end)
