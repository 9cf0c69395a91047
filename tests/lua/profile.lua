-- Profiles: rows of operations and layers, the text, the trace file, errors.

local sel = require "selenite"
local nn, optim = sel.nn, sel.optim
local check = require "check"
local test, equal, raises, contains = check.test, check.equal, check.raises, check.contains

local function row_of(list, name)
  for _, row in ipairs(list) do
    if (row.name or row.path) == name then return row end
  end
  error("no row '" .. name .. "'", 2)
end

local function calls(list, name) return row_of(list, name).calls end

local Net = nn.module "Net"
function Net:init()
  self.first = nn.linear(6, 8)
  self.blocks = { nn.sequential(nn.linear(8, 8), nn.relu()), nn.linear(8, 3) }
end
function Net:forward(x)
  local h = self.first(x):tanh()
  for _, block in ipairs(self.blocks) do h = block(h) end
  return h
end

local function trainer()
  local net = Net()
  local optimizer = optim.sgd(net:parameters(), { lr = 0.1 })
  local x, y = sel.randn(16, 6), sel.randint(0, 3, { 16 })
  return function()
    optimizer:zero_grad()
    local loss = sel.cross_entropy(net(x), y)
    loss:backward()
    optimizer:step()
    return loss
  end
end

local function sum_of(list, field)
  local sum = 0
  for _, row in ipairs(list) do sum = sum + row[field] end
  return sum
end

test("calls of operations, gradients and optimizer are counted", function()
  local step = trainer()
  step()
  local p, loss, more = sel.profile(function()
    local loss
    for _ = 1, 5 do loss = step() end
    return loss, "more"
  end)
  assert(sel.is_tensor(loss))
  equal(more, "more")
  local operations = p.operations
  equal(calls(operations, "linear"), 15)
  equal(calls(operations, "tanh"), 5)
  equal(calls(operations, "relu"), 5)
  equal(calls(operations, "cross_entropy"), 5)
  equal(calls(operations, "gradient of linear"), 15)
  equal(calls(operations, "gradient of tanh"), 5)
  equal(calls(operations, "gradient of cross_entropy"), 5)
  equal(calls(operations, "step of sgd"), 5)
  equal(calls(operations, "matmul"), 5 * (3 + 2)) -- x wants no gradient
  local products = 2 * 16 * (6 * 8 + 8 * 8 + 8 * 3)
  equal(row_of(operations, "linear").flops, 5 * products)
  equal(row_of(operations, "gradient of linear").flops,
        5 * (2 * products - 2 * 16 * 6 * 8))
  equal(row_of(operations, "linear").kind, "operation")
  equal(row_of(operations, "gradient of linear").kind, "gradient")
  equal(row_of(operations, "step of sgd").kind, "update")
end)

test("times add up to no more than the whole", function()
  local step = trainer()
  local p = sel.profile(function() for _ = 1, 20 do step() end end)
  assert(sum_of(p.operations, "self") <= p.seconds)
  assert(sum_of(p.layers, "self") <= p.seconds)
  for _, row in ipairs(p.operations) do
    assert(row.self >= 0 and row.total >= row.self - 1e-12, row.name)
    assert(row.total <= p.seconds, row.name)
  end
  for i = 2, #p.operations do assert(p.operations[i - 1].self >= p.operations[i].self) end
  local gradient = row_of(p.operations, "gradient of linear")
  assert(gradient.total > gradient.self) -- the rule's products have rows of their own
end)

test("layers by path, with the time of their gradients", function()
  local step = trainer()
  local p = sel.profile(function() for _ = 1, 5 do step() end end)
  local names = {}
  for _, row in ipairs(p.layers) do names[#names + 1] = row.path .. ":" .. row.type end
  table.sort(names)
  equal(names, { "Net:Net", "blocks.0.0:linear", "blocks.0.1:relu", "blocks.0:sequential",
                 "blocks.1:linear", "first:linear" })
  for _, row in ipairs(p.layers) do
    equal(row.calls, 5)
    assert(row.forward > 0 and row.backward > 0, row.path)
  end
  local net, block = row_of(p.layers, "Net"), row_of(p.layers, "blocks.0")
  local inner, relu = row_of(p.layers, "blocks.0.0"), row_of(p.layers, "blocks.0.1")
  assert(block.forward >= inner.forward + relu.forward)
  assert(math.abs(block.backward - inner.backward - relu.backward) < 1e-9)
  assert(net.forward >= block.forward and net.backward >= block.backward)
  equal(inner.flops, 5 * 3 * 2 * 16 * 8 * 8)
  equal(net.flops, 5 * (3 * 2 * 16 * (8 * 8 + 8 * 3) + 2 * 2 * 16 * 6 * 8))
end)

test("plugin layers show their children", function()
  local layer = nn.transformer_encoder_layer(16, 2, 32)
  local p = sel.profile(function() layer(sel.randn(2, 5, 16)) end)
  equal(row_of(p.layers, "transformer_encoder_layer").calls, 1)
  equal(row_of(p.layers, "linear1").type, "linear")
  equal(row_of(p.layers, "self_attn").calls, 1)
end)

test("two roots with equal paths are told apart", function()
  local A, B = nn.module "A", nn.module "B"
  for _, class in ipairs { A, B } do
    function class:init() self.layer = nn.linear(2, 2) end
    function class:forward(x) return self.layer(x) end
  end
  local a, b = A(), B()
  local p = sel.profile(function() b(a(sel.ones(1, 2))) end)
  equal(calls(p.layers, "A.layer"), 1)
  equal(calls(p.layers, "B.layer"), 1)
end)

test("batches of a loader", function()
  local dataset = sel.data.tensor_dataset(sel.randn(10, 2), sel.arange(10))
  local loader = sel.data.loader(dataset, { batch_size = 4 })
  local p = sel.profile(function() for _ in loader:batches() do end end)
  equal(calls(p.operations, "next batch"), 3)
  equal(row_of(p.operations, "next batch").kind, "data")
end)

test("gradients computed in Lua", function()
  local square = sel.func {
    forward = function(ctx, x)
      ctx:save_for_backward(x)
      return x * x
    end,
    backward = function(ctx, g)
      local x = ctx:saved_tensors()
      return g * x * 2
    end,
  }
  local x = sel.ones(3, { requires_grad = true })
  local p = sel.profile(function() square(x):sum():backward() end)
  local list = {}
  for _, row in ipairs(p.operations) do
    if row.kind == "gradient" then list[#list + 1] = row.name end
  end
  equal(#list, 2)
  equal(calls(p.operations, "mul"), 3)
end)

test("a checkpoint's layers run twice, and no time counts twice", function()
  local layer = nn.linear(4, 4)
  local p = sel.profile(function()
    local x = sel.ones(2, 4, { requires_grad = true })
    sel.checkpoint(function(t) return layer(t):relu() end, x):sum():backward()
  end)
  equal(calls(p.operations, "linear"), 2)
  equal(calls(p.operations, "gradient of linear"), 1)
  assert(sum_of(p.operations, "self") <= p.seconds)
  assert(sum_of(p.layers, "self") <= p.seconds)
end)

test("as text", function()
  local step = trainer()
  local p = sel.profile(function() for _ = 1, 5 do step() end end)
  local text = tostring(p)
  contains(text, " recorded", "operation ", "calls", "self", "share", "GFLOP/s", "\nlinear ",
           "\ngradient of linear ", "\nstep of sgd ", "\noutside of these ", "\nlayer ",
           "\nblocks.0.1 ")
  for line in text:gmatch "[^\n]+" do assert(#line < 100 and not line:find " $", line) end
  contains(tostring(sel.profile(function() end)), " recorded", "outside of these")
end)

test("a long table is cut, and what is cut adds up", function()
  local report = require "selenite.profile.report"
  local list = {}
  for i = 1, 30 do
    list[i] = { name = "op" .. i, calls = 1, self = 1e-3, total = 1e-3, bytes = 0, flops = 0 }
  end
  local text = report { seconds = 40e-3, operations = list, layers = {} }
  contains(text, "op25", "5 more", "5.00 ms", "12.5 %", "10.00 ms", "25.0 %")
  equal(text:find "op26", nil)
end)

test("what lies between layers is released at once, as without a recording", function()
  local net = nn.sequential(nn.linear(8, 1024), nn.relu(), nn.tanh(), nn.linear(1024, 2))
  local x = sel.randn(256, 8)
  local function step() net(x):sum():backward() end
  for _ = 1, 3 do step() end
  local before = sel.memory().peak
  local p = sel.profile(function() for _ = 1, 20 do step() end end)
  equal(calls(p.layers, "2"), 20)
  local more = sel.memory().peak - before
  assert(more < 2 * 2 ^ 20, more .. " bytes more") -- an activation has 1 MB
end)

test("an empty function", function()
  local p = sel.profile(function() end)
  equal({ #p.operations, #p.layers }, { 0, 0 })
  assert(p.seconds >= 0 and p.seconds < 1)
end)

test("without waiting for the device", function()
  local p = sel.profile(function() return sel.ones(3):exp() end, { synchronize = false })
  equal(calls(p.operations, "exp"), 1)
end)

-- ---- the trace ----

-- JSON as far as a trace needs it: the value and the position behind it.
local function decode(text, at)
  at = text:match("^%s*()", at)
  local first = text:sub(at, at)
  if first == '"' then
    local body, behind = text:match('^"(.-)"()', at)
    assert(body and not body:find "%c", text:sub(at, at + 30))
    return body:gsub("\\u00(%x%x)", function(x) return string.char(tonumber(x, 16)) end), behind
  elseif first == "{" or first == "[" then
    local value, close = {}, first == "{" and "}" or "]"
    at = at + 1
    while text:match("^%s*(.)", at) ~= close do
      local key
      if first == "{" then
        key, at = decode(text, at)
        at = assert(text:match("^%s*:()", at))
      end
      value[key or #value + 1], at = decode(text, at)
      at = text:match("^%s*,()", at) or at
      assert(text:match("^%s*([^,])", at))
    end
    return value, text:match("^%s*.()", at)
  end
  local number, behind = text:match("^(%-?[%d.]+)()", at)
  return assert(tonumber(number), text:sub(at, at + 30)), behind
end

local function read_trace(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  local value, behind = decode(text, 1)
  equal(text:match("^%s*()$", behind), #text + 1)
  return value.traceEvents
end

test("the trace file is JSON of events that nest", function()
  local step = trainer()
  local p = sel.profile(function() for _ = 1, 3 do step() end end, { trace = "trace.json" })
  local events, open, count = read_trace "trace.json", {}, {}
  local before = 0
  for _, e in ipairs(events) do
    equal({ e.ph, e.pid, e.tid }, { "X", 1, 1 })
    assert(e.ts >= before and e.dur >= 0)
    before = e.ts
    while #open > 0 and open[#open] <= e.ts - 1e-4 do open[#open] = nil end
    local ends = e.ts + e.dur
    assert(#open == 0 or ends <= open[#open] + 1e-4 or e.ts + 1e-4 >= open[#open], e.name)
    open[#open + 1] = ends
    count[e.name] = (count[e.name] or 0) + 1
  end
  for _, row in ipairs(p.operations) do equal(count[row.name], row.calls) end
  equal(count["blocks.0.1"], 3)
  for _, e in ipairs(events) do
    if e.name == "linear" and e.cat == "operation" then
      assert(e.args.flops > 0 and e.args.bytes > 0)
    end
  end
end)

test("names are quoted in the trace", function()
  local Odd = nn.module 'a "quoted"\\\n name'
  function Odd.forward(_, x) return x end
  sel.profile(function() Odd()(sel.ones(1)) end, { trace = "odd.json" })
  local found
  for _, e in ipairs(read_trace "odd.json") do found = found or e.cat == "layer" and e.name end
  equal(found, 'a "quoted"\\\n name')
end)

test("an empty trace", function()
  sel.profile(function() end, { trace = "empty.json" })
  equal(#read_trace "empty.json", 0)
end)

-- ---- errors ----

test("an error passes through and ends the recording", function()
  local Bad = nn.module "Bad"
  function Bad:init() self.layer = nn.linear(2, 2) end
  function Bad:forward(x) return self.layer(x) end
  local bad = Bad()
  raises(function() sel.profile(function() bad(sel.ones(3)) end, { trace = "none.json" }) end,
         "layer (linear)", "2 features")
  equal(io.open "none.json", nil)
  raises(function() sel.profile(function() error "mine" end) end, "mine")
  -- The next one works, and an error that is caught leaves no trace.
  local p = sel.profile(function()
    pcall(bad, sel.ones(3))
    sel.ones(2):exp()
    return bad(sel.ones(1, 2))
  end)
  equal(calls(p.layers, "Bad"), 2)
  equal(row_of(p.layers, "layer").calls, 2)
end)

test("recordings don't nest", function()
  local p = sel.profile(function()
    raises(function() sel.profile(function() end) end, "profile", "don't nest")
    return sel.ones(2):exp()
  end)
  equal(calls(p.operations, "exp"), 1)
end)

test("mistakes", function()
  raises(function() sel.profile() end, "profile: argument 1 (fn): expected a function")
  raises(function() sel.profile(print, { file = "x" }) end, "profile: no option 'file'")
  raises(function() sel.profile(print, { trace = true }) end, "option 'trace'", "a file name")
  raises(function() sel.profile(print, { synchronize = 1 }) end, "option 'synchronize'")
  raises(function() sel.profile(function() end, { trace = "no/such/folder.json" }) end, "no/such")
end)
