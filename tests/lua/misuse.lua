-- Every public function with arguments drawn at random from values of all kinds: it may work or
-- raise an error, but neither crash nor show the library's insides.

local sel = require "selenite"
local methods = require("selenite.tensor").methods
local check = require "check"

local CALLS = 4000

local function freed()
  local x = sel.ones(2)
  x:free()
  return x
end

-- Fresh ones for each call: functions may change them.
local function values()
  return {
    0, 1, -1, 2, 1e18, 0 / 0, 1 / 0, -3.5, "", "x", "f32", "cpu", "mean", true, false, {}, { 1, 2 },
    { 2, 3 }, { -1 }, { "a" }, { dtype = "f64" }, { reduction = "sum" }, function(x) return x end,
    sel.rand(2, 3), sel.rand(3), sel.tensor(1), sel.zeros(0, 3), sel.arange(3), freed(),
    sel.rand(2, 3, { requires_grad = true }), sel.rand(2, 3):gt(0.5), { sel.rand(2), sel.rand(2) },
    sel.tensor({ 1, 2 }, { dtype = "f16" }), sel.nn.linear(3, 2),
    sel.optim.sgd({ sel.rand(1, { requires_grad = true }) }, { lr = 0.1 }),
  }
end

local function is_callable(value)
  return type(value) == "function" or (getmetatable(value) or {}).__call ~= nil
end

-- List of { name, function }, in a fixed order.
local function public_functions()
  local list = {}
  local function add(prefix, functions)
    for name, fn in pairs(functions) do
      if type(fn) ~= "cdata" and is_callable(fn) then list[#list + 1] = { prefix .. name, fn } end
    end
  end
  local function add_methods(prefix, make, names)
    for name in names:gmatch "%S+" do
      list[#list + 1] = { prefix .. name, function(...)
        local object = make()
        return object[name](object, ...)
      end }
    end
  end
  add("sel.", sel)
  add("x:", methods)
  add("nn.", sel.nn)
  add("nn.init.", sel.nn.init)
  add("optim.", sel.optim)
  add("data.", sel.data)
  add("plot.", sel.plot)
  for name in ("linear bilinear relu dropout flatten softmax prelu glu hardtanh"):gmatch "%S+" do
    list[#list + 1] = { "nn." .. name, sel.nn[name] }
  end
  add_methods("layer:", function() return sel.nn.linear(3, 2) end,
    "forward to load_state_dict train apply register_buffer requires_grad_ set_training")
  add_methods("optimizer:", function()
    return sel.optim.adam({ sel.rand(2, { requires_grad = true }) }, { lr = 0.1 })
  end, "set get add_group load_state_dict step")
  local dataset = sel.data.tensor_dataset(sel.rand(5, 2))
  add_methods("loader:", function() return sel.data.loader(dataset) end, "batches")
  add_methods("writer:", function() return sel.tensorboard "runs" end, "add_scalar add_histogram "
    .. "add_image add_figure add_text add_graph add_hparams flush close callback")
  add_methods("figure:", function() return sel.plot.curves { 1, 3, 2 } end, "text svg save")
  add_methods("dataset:", function() return dataset end, "take example")
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return list
end

check.test("random arguments", function()
  local functions = public_functions()
  assert(#functions > 400)
  math.randomseed(1)
  for _ = 1, CALLS do
    local name, fn = unpack(functions[math.random(#functions)])
    local choices, arguments, n = values(), {}, math.random(0, 4)
    for i = 1, n do
      if math.random() > 0.1 then arguments[i] = choices[math.random(#choices)] end
    end
    if name ~= "sel.help" and name ~= "sel.repl" then -- they print, read
      local ok, message = pcall(fn, unpack(arguments, 1, n))
      if not ok and tostring(message):find("share/lua", 1, true) then
        error(name .. ": " .. tostring(message))
      end
    end
    sel.set_grad_enabled(true)
    sel.set_default_device "cpu"
    sel.set_num_threads(0)
  end
end)
