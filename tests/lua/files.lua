-- Reading and writing tensors from Lua; the formats themselves are tested in tests/core.

local sel = require "selenite"
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

-- fn(path) with a file name that is free; the file is removed afterwards.
local function with_path(ending, fn)
  local path = os.tmpname()
  os.remove(path)
  path = path .. ending
  fn(path)
  os.remove(path)
end

local function write(path, bytes)
  local file = io.open(path, "wb")
  file:write(bytes)
  file:close()
end

test("safetensors keep tensors of every dtype and metadata", function()
  with_path(".safetensors", function(path)
    local tensors = {}
    for _, dtype in ipairs { "f32", "f64", "f16", "bf16", "i64", "i32", "u8", "bool" } do
      tensors["of." .. dtype] = sel.tensor({ { 1, 0 }, { 1, 1 } }, { dtype = dtype })
    end
    sel.save(path, tensors, { epoch = "3" })
    local loaded, metadata = sel.load(path)
    equal(metadata.epoch, "3")
    for name, t in pairs(tensors) do
      equal(loaded[name]:dtype(), t:dtype())
      equal(loaded[name]:totable(), t:totable())
    end
  end)
end)

test("npy and npz", function()
  with_path(".npy", function(path)
    sel.save_npy(path, sel.arange(6):reshape(2, 3):t())
    equal(sel.load_npy(path):totable(), { { 0, 3 }, { 1, 4 }, { 2, 5 } })
  end)
  with_path(".npz", function(path)
    sel.save_npz(path, { a = sel.ones(2), b = sel.zeros(1) })
    local loaded = sel.load_npz(path)
    near(loaded.a, { 1, 1 })
    near(loaded.b, { 0 })
  end)
end)

test("png", function()
  with_path(".png", function(path)
    local image = sel.tensor({ { 0, 128 }, { 255, 7 } }, { dtype = "u8" })
    sel.save_png(path, image)
    equal(sel.load_png(path):flatten():totable(), { 0, 128, 255, 7 })
  end)
end)

test("a missing or broken file is one clear error", function()
  raises(function() sel.load "/nowhere/model.safetensors" end, "/nowhere/model.safetensors")
  raises(function() sel.load_npy "/nowhere/x.npy" end, "/nowhere/x.npy")
  raises(function() sel.load_idx "/nowhere/x" end, "/nowhere/x")
  with_path(".safetensors", function(path)
    write(path, "\255\255\255\255\255\255\255\127{}")
    raises(function() sel.load(path) end, path)
    sel.save(path, { a = sel.ones(100) })
    local file = io.open(path, "rb")
    local bytes = file:read "*a"
    file:close()
    write(path, bytes:sub(1, -10))
    raises(function() sel.load(path) end, path)
  end)
end)

test("wrong arguments; what was there stays", function()
  with_path(".safetensors", function(path)
    sel.save(path, { a = sel.ones(1) })
    raises(function() sel.save(path, { a = 1 }) end,
           "save: entry 'a': expected a name with a tensor")
    raises(function() sel.save(path, { sel.ones(1) }) end, "save: entry '1'")
    raises(function() sel.save(path, {}, { n = 1 }) end, "save: metadata 'n': expected text")
    raises(function() sel.save(1, {}) end, "save: argument 1 (path)")
    raises(function() sel.save(path, 1) end, "save: argument 2 (tensors)")
    raises(function() sel.save("/nowhere/x.safetensors", {}) end, "/nowhere")
    near(sel.load(path).a, { 1 })
  end)
  raises(function() sel.save_npy("x.npy", 3) end, "save_npy: argument 2 (tensor)")
end)
