-- Event files for TensorBoard: golden bytes, which its own reader has seen
-- (tests/golden/tensorboard/read.py), and what a killed or careless run leaves.

local sel = require "selenite"
local folder = require "selenite.folder"
local record = require "selenite.tensorboard.record"
local check = require "check"
local test, equal, contains, raises = check.test, check.equal, check.contains, check.raises

local golden = os.getenv "SEL_TEST_DIR" .. "/golden/tensorboard/"
local events = dofile(golden .. "write.lua")

local read = check.read_file

-- A clock that goes on by a quarter of a second with every look at it.
local function clock()
  local time = 1e9
  return function()
    time = time + 0.25
    return time
  end
end

-- A writer in a folder that nothing is in.
local made = 0
local function writer(options)
  made = made + 1
  local path = ("runs/%d-%d"):format(os.time(), made)
  for _, name in ipairs(folder.list(path) or {}) do os.remove(path .. "/" .. name) end
  options = options or {}
  options.now = options.now or clock()
  return sel.tensorboard(path, options), path
end

-- The data of the records in a file; how many bytes follow the last whole one.
local function records(path)
  local bytes, list, at = read(path), {}, 1
  while #bytes - at + 1 >= 12 do
    local a, b, c = bytes:byte(at, at + 2)
    local length = a + 256 * b + 65536 * c
    local data = bytes:sub(at + 12, at + 11 + length)
    local whole = record.record(data)
    if bytes:sub(at, at + #whole - 1) ~= whole then break end
    list[#list + 1] = data
    at = at + #whole
  end
  return list, #bytes - at + 1
end

test("checksums", function()
  -- RFC 3720, appendix B.4
  equal(record.crc32c(("\0"):rep(32)), bit.tobit(0x8A9136AA))
  equal(record.crc32c(("\255"):rep(32)), bit.tobit(0x62A8AB43))
  equal(record.crc32c "123456789", bit.tobit(0xE3069283))
  equal(record.crc32c "", 0)
end)

test("golden bytes", function()
  local w = writer()
  events.add(w)
  w:close()
  local got = read(w.path)
  if got ~= read(golden .. "events") then
    check.write_file("events", got)
    error "the bytes are not the golden ones; what they are now lies in the test's folder"
  end
end)

test("an image", function()
  local w = writer()
  events.add_image(w)
  w:close()
  local data = records(w.path)[2]
  local file = io.open("picture.png", "wb")
  file:write(data:match "\137PNG.*")
  file:close()
  equal(sel.load_png("picture.png"):permute(3, 1, 2):totable(),
        sel.arange(0, 24):to "u8":reshape(3, 2, 4):totable())
  w = writer()
  w:add_figure("grid", sel.plot.grid(sel.rand(4, 3, 3)), 1)
  w:close()
  contains(records(w.path)[2], "\137PNG", "grid")
end)

test("what was added is there after flush, and after flush_secs", function()
  local time = 0
  local w = writer { flush_secs = 5, now = function() return time end }
  equal(#records(w.path), 1)
  w:add_scalar("a", 1, 1)
  equal(#records(w.path), 1)
  time = 5
  w:add_scalar("a", 2, 2)
  equal(#records(w.path), 3)
  w:add_scalar("a", 3, 3)
  w:flush()
  equal(#records(w.path), 4)
  w:close()
  w:close()
  raises(function() w:add_scalar("a", 4, 4) end, "tensorboard: the writer was closed")
end)

test("a forgotten writer closes itself", function()
  local path
  do
    local w = writer()
    w:add_scalar("a", 1, 1)
    path = w.path
  end
  collectgarbage()
  collectgarbage()
  equal(#records(path), 2)
  local _, runs = writer()
  check.run(("%s -e 'w = require [[selenite]].tensorboard [[%s]] w:add_scalar([[a]], 1)'")
            :format(check.program, runs))
  local last = folder.list(runs)
  equal(#records(runs .. "/" .. last[#last]), 2)
end)

test("a killed run leaves whole records, and the next a file of its own", function()
  local _, runs = writer()
  local script = ([[w = require "selenite".tensorboard("%s", {flush_secs = 0})
    for i = 1, 50 do w:add_scalar("a", i, i) end
    w.flush_secs = 1000
    w:add_scalar("lost", 1)
    io.popen("kill -9 " .. require "ffi".C.sel_lua_getpid()):close()
    while true do end]]):format(runs)
  check.run(check.program .. " -e " .. check.quote(script))
  local names = folder.list(runs)
  equal(#names, 2)
  local list, rest = records(runs .. "/" .. names[2])
  equal({ #list, rest }, { 51, 0 })
  local before = read(runs .. "/" .. names[2])
  sel.tensorboard(runs):close()
  equal(#folder.list(runs), 3)
  equal(read(runs .. "/" .. names[2]) == before, true)
end)

test("values that are no numbers, large steps", function()
  local w = writer()
  w:add_scalar("nan", 0 / 0, 2 ^ 53)
  w:add_scalar("inf", 1 / 0)
  w:add_histogram("empty", {})
  w:add_histogram("nan", { 0 / 0 })
  w:add_text("text", "bad \255\0 bytes\nnext")
  w:close()
  local list = records(w.path)
  equal(#list, 6)
  contains(list[2], "\16\128\128\128\128\128\128\128\16") -- step: field 2, 2^53
  contains(list[6], "bad ?  bytes\nnext")
end)

test("in sel.train", function()
  local w = writer()
  local model = sel.nn.linear(2, 1)
  local batches = sel.data.loader(sel.data.tensor_dataset(sel.rand(8, 2), sel.rand(8, 1)),
                                  { batch_size = 4 })
  sel.train {
    model = model, loss = sel.mse_loss, optimizer = sel.optim.sgd(model:parameters(), { lr = 0.1 }),
    data = batches, epochs = 2, progress = false, callbacks = { w:callback { every = 2 } },
  }
  w:close()
  local text = table.concat(records(w.path))
  equal(select(2, text:gsub("loss/step", "")), 2)
  equal(select(2, text:gsub("epoch/loss", "")), 2)
end)

test("mistakes", function()
  local w = writer()
  raises(function() w:add_scalar(3, 1) end, "add_scalar: argument 1 (tag): expected a string")
  raises(function() w:add_scalar("a", "x") end, "add_scalar: argument 2 (value): expected a number")
  raises(function() w:add_scalar("a", sel.ones(2)) end, "expected a number, got a tensor f32[2]")
  raises(function() w:add_scalar("a", 1, -1) end, "argument 3 (step): expected a whole number")
  raises(function() w:add_histogram("a", 3) end, "add_histogram: argument 2 (values)")
  raises(function() w:add_histogram("a", { 1 }, 0, 0) end, "argument 4 (bins)")
  raises(function() w:add_image("a", sel.ones(2)) end, "expected an image")
  raises(function() w:add_figure("a", {}) end, "expected a figure of sel.plot")
  raises(function() w:add_text("a", 3) end, "add_text: argument 2 (text): expected a string")
  raises(function() w:add_graph(3) end, "graph: argument 1 (x)")
  raises(function() w:add_hparams({ lr = {} }) end, "add_hparams: 'lr': expected a number, text or")
  raises(function() w:add_hparams({}, { a = "x" }) end, "(metrics.a): expected a number")
  raises(function() w:callback { every = 0 } end, "option 'every'")
  w:add_hparams { lr = 1 }
  raises(function() w:add_hparams { lr = 2 } end, "this writer has its hyperparameters")
  w:close()
  raises(function() sel.tensorboard(3) end, "tensorboard: argument 1 (path): expected a string")
  raises(function() sel.tensorboard "" end, "tensorboard: argument 1 (path): expected a folder")
  raises(function() sel.tensorboard("x", { flush = 1 }) end, "tensorboard: no option 'flush'")
  raises(function() sel.tensorboard(w.path) end, "Not a directory")
end)
