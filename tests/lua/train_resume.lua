-- A run that is killed and goes on ends with the same bytes as one that never was: the network has
-- dropout and batch statistics, images are augmented in the loader's threads, batches are shuffled
-- and accumulated, with an uneven last one; the schedule, metrics and early stopping go on too.

local check = require "check"
local folder = require "selenite.folder"
local test, equal = check.test, check.equal

-- What one process does. `die` is a step after which it kills itself; with "write" before it, it
-- dies while it writes the next checkpoint: the system ends a process that exceeds its file size.
local script = [[
local ffi = require "ffi"
local sel = require "selenite"
local nn, optim, data = sel.nn, sel.optim, sel.data
ffi.cdef 'int sel_test_getpid(void) __asm__("getpid");'
ffi.cdef 'int sel_test_kill(int, int) __asm__("kill");'
ffi.cdef 'int sel_test_setrlimit(int, const unsigned long *) __asm__("setrlimit");'
local o = sel.options { folder = "", resume = false, die = "", workers = 2 }
sel.manual_seed(4)

local pixels = sel.randint(0, 256, { 50, 1, 8, 8 }):byte()
local labels = sel.randint(0, 3, { 50 })
local set = data.tensor_dataset({ rows = pixels, dtype = "f32", scale = 1 / 255 }, labels)
local batches = data.loader(set, { batch_size = 8, shuffle = true, workers = o.workers,
  transforms = { data.random_crop(8, { padding = 1 }), data.random_horizontal_flip(),
                 data.random_erasing() } })
local validation = data.loader(set, { batch_size = 32 })
local model = nn.sequential(nn.conv2d(1, 4, 3), nn.batch_norm2d(4), nn.relu(), nn.dropout(0.2),
                            nn.flatten(), nn.linear(4 * 6 * 6, 3))
local optimizer = optim.adamw(model:parameters(), { lr = 0.01 })
local die = tonumber(o.die:match "%d+")
local killer = { step = function(run)
  if run.step ~= die then return end
  if o.die:find "^write" then
    ffi.C.sel_test_setrlimit(1, ffi.new("unsigned long[2]", 3000, 3000)) -- RLIMIT_FSIZE
  else
    ffi.C.sel_test_kill(ffi.C.sel_test_getpid(), 9)
  end
end }
sel.train {
  model = model, loss = sel.cross_entropy, optimizer = optimizer, data = batches, epochs = 4,
  validation = validation, accumulate = 2, clip = 1, progress = false,
  schedule = optim.one_cycle_lr(optimizer, { max_lr = 0.01, total_steps = 4 * 4 }),
  metrics = { accuracy = sel.metrics.accuracy(), f1 = sel.metrics.f1 { classes = 3 } },
  early_stopping = { patience = 10 }, callbacks = killer, resume = o.resume,
  checkpoints = { folder = o.folder, every = 3, keep = 2, best = "val_loss" },
}
]]
check.write_file("run.lua", script)

local function start(name, options)
  return check.run(("%s run.lua --folder %s %s"):format(check.program, name, options))
end

local read = check.read_file

local function new_folder(name)
  os.execute("rm -rf " .. name)
  return name
end

local function expect_same(name, reference)
  local names = folder.list(reference)
  equal(folder.list(name), names)
  for _, each in ipairs(names) do
    assert(read(name .. "/" .. each) == read(reference .. "/" .. each), each .. " differs")
  end
end

local whole = new_folder "whole"

test("a run that is never interrupted", function()
  local output, status = start(whole, "")
  equal({ output, status }, { "", 0 })
  equal(folder.list(whole), { "best.safetensors", "step-000000015.safetensors",
                              "step-000000016.safetensors" })
end)

test("two equal runs write the same bytes, with any number of workers", function()
  start(new_folder "again", "--workers 0")
  expect_same("again", whole)
end)

-- Kills at each of these points in turn, then lets the run end.
local function survives(name, points)
  test("killed at " .. table.concat(points, ", "), function()
    new_folder(name)
    for i, point in ipairs(points) do
      local _, status = start(name, ("--die %s%s"):format(point, i > 1 and " --resume" or ""))
      assert(status > 128, "it should have been killed, but ended with " .. status)
      local half_written = table.concat(folder.list(name)):find("%.selenite%-%d+%-%d+%.tmp")
      equal(half_written ~= nil, point:find "^write" ~= nil)
    end
    local output, status = start(name, "--resume")
    equal({ output, status }, { "", 0 })
    expect_same(name, whole)
  end)
end

survives("before_any", { "1" })
survives("within", { "5" })
survives("at_checkpoints", { "6", "9" })
survives("at_ends", { "4", "8", "16" })
survives("often", { "2", "5", "7", "11", "13" })
survives("writing", { "write3", "write8", "write14" })

for _, signal in ipairs { "KILL", "INT" } do -- INT: Ctrl-C
  test("ended from outside by " .. signal .. ", whenever it is", function()
    new_folder "outside"
    for tenths = 1, 5 do
      check.run(("timeout --foreground -s %s 0.%d %s run.lua --folder outside --resume")
                :format(signal, tenths, check.program))
    end
    equal({ start("outside", "--resume") }, { "", 0 })
    expect_same("outside", whole)
  end)
end

test("a run that is over has nothing to do", function()
  equal({ start("often", "--resume") }, { "", 0 })
  expect_same("often", whole)
end)
