-- A plugin whose file changes is loaded again: names mean the new types, layers made before keep
-- the old code, and a file that is refused changes nothing.

local sel = require "selenite"
local C = require("selenite.library").C
local check = require "check"
local test, equal, raises = check.test, check.equal, check.raises

local versions = check.program:match "^'(.*)/selenite'$" .. "/tests/reload/"
local path = "./times.so"
local function install(version) -- as linkers do: a new file, not over the bytes that are mapped
  assert(os.execute(("cp --remove-destination '%s%s.so' %s"):format(versions, version, path)) == 0)
end
local function times() return sel.nn.times()(sel.ones(1)):item() end
local function types()
  local n = 0
  while C.sel_layer_type_at(n) ~= nil do n = n + 1 end
  return n
end

install "two"
sel.reload_plugin(path) -- loads what is not there
local old, n_types, n_plugins = sel.nn.times(), types(), C.sel_plugin_count()

test("new layers are of the new type, old ones go on", function()
  equal(times(), 2)
  sel.load_plugin(path) -- it is loaded: nothing happens
  install "three"
  sel.reload_plugin(path)
  equal({ times(), old(sel.ones(1)):item() }, { 3, 2 })
  equal({ types(), C.sel_plugin_count() }, { n_types, n_plugins })
  equal(sel.nn.later()(sel.ones(1)):item(), 3) -- a name of the new version
  raises(function() return sel.nn.early end, "nn has no 'early'") -- one of the old
  install "two"
  sel.reload_plugin(path)
  equal({ times(), old(sel.ones(1)):item(), sel.nn.early()(sel.ones(1)):item() }, { 2, 2, 2 })
end)

test("a layer in a model is described and saved as before", function()
  local model = sel.nn.sequential(old, sel.nn.times())
  equal(model(sel.ones(1)):item(), 4)
  install "three"
  sel.reload_plugin(path)
  equal(model(sel.ones(1)):item(), 4)
  equal(old:class_name(), "times")
  install "two"
  sel.reload_plugin(path)
end)

test("a file that is refused changes nothing", function()
  local messages = { fails = "no luck",
                     other = "'times' is expected, as it was loaded, got 'others'" }
  for version, message in pairs(messages) do
    install(version)
    raises(function() sel.reload_plugin(path) end, "times.so", message)
    equal({ times(), types(), C.sel_plugin_count() }, { 2, n_types, n_plugins })
    equal(sel.nn.early()(sel.ones(1)):item(), 2)
  end
  os.remove(path)
  local file = io.open(path, "w")
  file:write "no shared object"
  file:close()
  raises(function() sel.reload_plugin(path) end, "it is no shared object")
  equal(times(), 2)
  os.remove(path)
  raises(function() sel.reload_plugin(path) end, "No such file")
end)

test("backends stay", function()
  local cpu = check.program:match "^'(.*)/selenite'$" .. "/lib/selenite/cpu.so"
  raises(function() sel.reload_plugin(cpu) end, "a backend can't be loaded again")
end)
