-- Models in several safetensors files.

local sel = require "selenite"
local check = require "check"
local test, equal, raises = check.test, check.equal, check.raises

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local INDEX = "parts/model.safetensors.index.json"

local function make_parts()
  check.run "rm -rf parts && mkdir parts"
  sel.save("parts/model-00001-of-00002.safetensors", { a = sel.ones(2), b = sel.zeros(3) })
  sel.save("parts/model-00002-of-00002.safetensors", { c = sel.full({ 2, 2 }, 7) })
  write(INDEX, [[{"metadata": {"total_size": 36, "format": "pt"}, "weight_map": {
    "a": "model-00001-of-00002.safetensors", "b": "model-00001-of-00002.safetensors",
    "c": "model-00002-of-00002.safetensors"}}]])
end

test("a folder of parts, and its index", function()
  make_parts()
  for _, path in ipairs { "parts", "parts/", INDEX } do
    local tensors, metadata = sel.load(path)
    local names = {}
    for name in pairs(tensors) do names[#names + 1] = name end
    table.sort(names)
    equal(names, { "a", "b", "c" })
    equal(tensors.c:totable(), { { 7, 7 }, { 7, 7 } })
    equal({ metadata.total_size, metadata.format }, { "36", "pt" })
  end
end)

test("a folder with one file", function()
  check.run "rm -rf whole && mkdir whole"
  sel.save("whole/model.safetensors", { a = sel.ones(2) }, { by = "me" })
  local tensors, metadata = sel.load "whole"
  equal({ tensors.a:numel(), metadata.by }, { 2, "me" })
end)

test("parts that don't fit together", function()
  make_parts()
  sel.save("parts/model-00002-of-00002.safetensors", { d = sel.ones(1) })
  raises(function() sel.load "parts" end, "'c' is in model-00002", "hasn't got it")
  check.run "rm parts/model-00002-of-00002.safetensors"
  raises(function() sel.load "parts" end, "model-00002-of-00002.safetensors", "No such file")
  write(INDEX, '{"weight_map": {"a": "../secret.safetensors"}}')
  raises(function() sel.load "parts" end, "a file beside it for 'a'", "../secret")
  write(INDEX, '{"weight_map": {"a": 3}}')
  raises(function() sel.load "parts" end, "a file beside it", "the number 3")
  write(INDEX, '{"weights": {}}')
  raises(function() sel.load "parts" end, INDEX, "no weight_map")
  write(INDEX, '{"weight_map": ')
  raises(function() sel.load "parts" end, INDEX, "json: ")
  check.run "rm -rf empty && mkdir empty"
  raises(function() sel.load "empty" end, "load: there is neither", "in the folder empty")
  raises(function() sel.load "nothing.index.json" end, "load: nothing.index.json", "No such file")
end)
