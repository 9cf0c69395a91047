-- The module `selenite`: starts the library and gathers what the other files define.
--
-- The only place that reads environment variables, besides the prompt (repl/init.lua):
--   SELENITE_PLUGIN_PATH   more folders with plugins, separated by ':'
--   SELENITE_NUM_THREADS   worker threads; one a core when not set
--   SELENITE_DEVICE        the default device; cpu when not set
--   SELENITE_DATASETS      folder above the data sets; /usr/share/datasets when not set
-- and those that tell what the terminal can show (terminal.lua).

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"

local C = library.C

local sel = { _VERSION = library.version }

local function environment(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end
require("selenite.terminal").configure(environment)

-- Threads of an OpenMP pool spin while they wait, by default long enough to take the processor from
-- those that work as soon as anything else runs: a training epoch on two cores that a compiler
-- shared took 27 s instead of 1. A short spin costs nothing measurable. libgomp reads this when a
-- plugin loads it; what the user set counts.
ffi.cdef 'int sel_lua_setenv(const char *name, const char *value, int replace) __asm__("setenv");'
if not environment "OMP_WAIT_POLICY" then ffi.C.sel_lua_setenv("GOMP_SPINCOUNT", "1000", 0) end

-- A plugin that is refused doesn't stop the others; what it was is in sel.plugin_error.
if C.sel_init(environment "SELENITE_PLUGIN_PATH") ~= 0 then
  sel.plugin_error = ffi.string(C.sel_error())
  io.stderr:write("selenite: ", sel.plugin_error, "\n")
end

local arguments = require "selenite.arguments"
local memory = require "selenite.memory"
local tensor = require "selenite.tensor"
local creation = require "selenite.creation"
local autograd = require "selenite.autograd"
local func = require "selenite.func"
local fuse = require "selenite.fuse"
local files = require "selenite.files"
local generator = require "selenite.generator"
local help = require "selenite.nn.help"
local fashion_mnist = require "selenite.data.fashion_mnist"
local audio = require "selenite.data.audio"
local images = require "selenite.data.images"

-- Every method of tensors is a function too: sel.relu(x) is x:relu().
for name, method in pairs(tensor.methods) do sel[name] = method end
for name, make in pairs(creation) do sel[name] = make end
for _, name in ipairs { "no_grad", "enable_grad", "grad_enabled", "set_grad_enabled", "grad" } do
  sel[name] = autograd[name]
end
sel.func, sel.checkpoint, sel.scope = func.func, func.checkpoint, memory.scope
sel.gradcheck = require("selenite.gradcheck").gradcheck
sel.fuse = fuse
for name, fn in pairs(files) do sel[name] = fn end
for name, fn in pairs(generator) do sel[name] = fn end
sel.load_image, sel.save_jpeg = images.load_image, images.save_jpeg
sel.load_audio, sel.save_wav = audio.load_audio, audio.save_wav
sel.write_text, sel.tensor_from, sel.like = nil, nil, nil
sel.help, sel.options = help.help, require "selenite.options"
sel.progress, sel.plot = require "selenite.progress", require "selenite.plot"
sel.nn, sel.optim = require "selenite.nn", require "selenite.optim"
sel.graph = require("selenite.graph").graph
sel.tensorboard = require("selenite.tensorboard").new
sel.data = require "selenite.data"
sel.profile = require "selenite.profile"
sel.metrics, sel.train = require "selenite.metrics", require "selenite.train"
sel.evaluate = require("selenite.train.evaluate").evaluate
sel.detect_anomaly = require("selenite.anomaly").detect_anomaly
sel.summary = require "selenite.summary"
sel.devices = require("selenite.devices").devices

-- sel.is_tensor(value): whether it is a tensor.
sel.is_tensor = arguments.is_tensor

-- sel.repl(): a prompt in the middle of a script, with its variables; see docs/repl.md.
function sel.repl() require("selenite.repl").open() end

-- sel.set_num_threads(n): worker threads of all CPU work; 0 means one a core.
-- sel.num_threads(): how many there are.
function sel.set_num_threads(n)
  arguments.integer("set_num_threads", 1, "n", n)
  errors.check(C.sel_set_num_threads(n))
end
function sel.num_threads() return C.sel_num_threads() end

-- sel.default_device(): name of the device of new tensors; sel.set_default_device(name) changes it.
function sel.default_device()
  local device = C.sel_default_device()
  if device == nil then errors.raise "default_device: no backend is loaded" end
  return ffi.string(C.sel_device_name(device))
end
function sel.set_default_device(name)
  errors.check(C.sel_set_default_device(arguments.device("set_default_device", name)))
end

local function device_or_default(operation, name)
  if name then return arguments.device(operation, name) end
  local device = C.sel_default_device()
  if device == nil then errors.raise(operation .. ": no backend is loaded") end
  return device
end

-- sel.synchronize(device): waits until all work given to the device is done.
function sel.synchronize(name)
  errors.check(C.sel_synchronize(device_or_default("synchronize", name)))
end

-- sel.memory(device): table of bytes live, cached and peak, and of allocations, the number of
-- requests that had to ask the system.
function sel.memory(name) return memory.usage(device_or_default("memory", name)) end

-- sel.device_counters(device): what it was given to do since it was opened: launches of kernels;
-- copies and, apart, copies_to_device, bytes_to_device, copies_to_host, bytes_to_host; waits of the
-- host for the device. nil for cpu, which has nothing to wait for.
function sel.device_counters(name)
  return memory.counters(device_or_default("device_counters", name))
end

-- sel.load_plugin(path): loads a backend or layer plugin from a file.
function sel.load_plugin(path)
  if type(path) ~= "string" then errors.argument("load_plugin", 1, "path", "a file name", path) end
  errors.check(C.sel_plugin_load(path))
end

-- sel.reload_plugin(path): loads a layer plugin again after its file was changed. nn.<name> then
-- makes layers of the new types; layers made before go on with the old code.
function sel.reload_plugin(path)
  errors.expect("string", "reload_plugin", 1, "path", path)
  errors.check(C.sel_plugin_reload(path))
end

local threads = environment "SELENITE_NUM_THREADS"
if threads then
  local n = tonumber(threads)
  if not n then errors.raise("SELENITE_NUM_THREADS: expected a number, got '" .. threads .. "'") end
  sel.set_num_threads(n)
end
local device = environment "SELENITE_DEVICE"
if device then sel.set_default_device(device) end
fashion_mnist.root = environment "SELENITE_DATASETS" or fashion_mnist.root

return sel
