-- Classes of the user's own: what is found in their fields, and what is done to all of it.

local sel = require "selenite"
local nn = sel.nn
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

local function names_of(iterator)
  local names = {}
  for name in iterator do names[#names + 1] = name end
  return names
end

local Net = nn.module "Net"
function Net:init(width)
  self.scale = nn.parameter(sel.ones(1))
  self.zeta = nn.linear(2, width)
  self.blocks = { nn.linear(width, width), nn.sequential(nn.relu(), nn.linear(width, 1)) }
  self.width = width
  self:register_buffer("mean", sel.zeros(2))
  self:register_buffer("scratch", sel.zeros(1), false)
end
function Net:forward(x)
  local h = self.zeta(x - self.mean)
  for _, block in ipairs(self.blocks) do h = block(h) end
  return h * self.scale
end

test("parameters, buffers and children are found in the order of the fields", function()
  local net = Net(3)
  equal(names_of(net:named_parameters()),
        { "scale", "zeta.weight", "zeta.bias", "blocks.0.weight", "blocks.0.bias",
          "blocks.1.1.weight", "blocks.1.1.bias" })
  equal(names_of(net:named_buffers()), { "mean", "scratch" })
  equal(names_of(net:children()), { "zeta", "blocks.0", "blocks.1" })
  equal(names_of(net:named_modules()),
        { "", "zeta", "blocks.0", "blocks.1", "blocks.1.0", "blocks.1.1" })
  equal(#net:modules(), 6)
  equal(#net:parameters(), 7)
  equal(net:num_parameters(), 1 + 6 + 3 + 9 + 3 + 3 + 1)
end)

test("calling runs forward; fields are plain", function()
  local net = Net(3)
  equal(net(sel.ones(4, 2)):shape(), { 4, 1 })
  equal(net.width, 3)
  equal(net.nothing, nil)
  net.zeta = nil
  equal(names_of(net:children()), { "blocks.0", "blocks.1" })
end)

test("an activation kept in a field is no parameter, a frozen parameter stays one", function()
  local net = Net(2)
  net.cache = net(sel.ones(1, 2))
  equal(#net:parameters(), 7)
  net.scale:requires_grad_(false)
  equal(names_of(net:named_parameters())[1], "scale")
  net:requires_grad_(false)
  equal(#net:parameters(), 7)
  equal(net.zeta.weight.requires_grad, false)
end)

test("a frozen parameter before anything looked for it", function()
  local net = Net(2)
  net.extra = nn.parameter(sel.ones(1))
  net.extra:requires_grad_(false)
  equal(names_of(net:named_parameters())[8], "extra")
end)

test("fields set again, and tables that contain themselves", function()
  local net = Net(2)
  local zeta = net.zeta
  net.zeta = nil
  net.zeta = zeta
  net.config = { size = 3 }
  net.config.self = net.config
  equal(names_of(net:children()), { "zeta", "blocks.0", "blocks.1" })
  equal(#net:parameters(), 7)
end)

test("shared modules and tensors count once", function()
  local layer = nn.linear(2, 2)
  local seq = nn.sequential(layer, layer)
  equal(#seq:parameters(), 2)
  local other = nn.linear(2, 2)
  other.weight = layer.weight
  equal(#nn.sequential(layer, other):parameters(), 3)
  equal(other.weight == layer.weight, true)
end)

test("train and eval reach every module", function()
  local net = Net(2)
  equal({ net.training, net.zeta.training, net.blocks[2].training }, { true, true, true })
  equal(net:eval() == net, true)
  equal({ net.training, net.zeta.training, net.blocks[2].training, net.blocks[2][2].training },
        { false, false, false, false })
  net:train()
  equal(net.blocks[2][2].training, true)
end)

test("to changes float parameters and buffers, keeps gradients wanted and sharing", function()
  local net = Net(2)
  net.counts = nil
  net:register_buffer("counts", sel.zeros(1, { dtype = "i64" }))
  net.alias = net.scale
  net:to("f64")
  equal({ net.scale:dtype(), net.zeta.weight:dtype(), net.mean:dtype(), net.counts:dtype() },
        { "f64", "f64", "f64", "i64" })
  equal(net.scale.requires_grad, true)
  equal(net.alias == net.scale, true)
  equal(net(sel.ones(1, 2, { dtype = "f64" })):dtype(), "f64")
end)

test("zero_grad, apply", function()
  local net = Net(2)
  net(sel.ones(1, 2)):sum():backward()
  assert(net.scale.grad and net.zeta.weight.grad)
  net:zero_grad()
  equal({ net.scale.grad == nil, net.zeta.weight.grad == nil }, { true, true })
  local seen = {}
  net:apply(function(m) seen[#seen + 1] = m:class_name() end)
  equal(seen, { "linear", "relu", "sequential", "linear", "linear", "Net" })
end)

test("print shows the tree", function()
  equal(tostring(nn.sequential(nn.linear(2, 3), nn.sequential(nn.relu()))), [[
sequential(
  (0): linear(in_features=2, out_features=3)
  (1): sequential(
    (0): relu()
  )
)]])
  equal(tostring(nn.module "Empty"()), "Empty()")
end)

test("a class may have a parent", function()
  local Child = nn.module("Child", Net)
  function Child:forward(x) return Net.forward(self, x) + 1 end
  local child = Child(2)
  equal(child:class_name(), "Child")
  equal(#child:parameters(), 7)
  equal(child(sel.ones(1, 2)):shape(), { 1, 1 })
end)

test("several results pass through", function()
  local Two = nn.module "Two"
  function Two:forward(x) return x, x + 1, nil, 4 end -- luacheck: ignore self
  equal(select("#", Two()(sel.ones(1))), 4)
end)

test("mistakes", function()
  raises(function() nn.module(3) end, "module: argument 1 (name)")
  raises(function() nn.sequential(3) end, "sequential: argument 1 (module): expected a module")
  local NoForward = nn.module "NoForward"
  raises(function() NoForward()(1) end, "NoForward: the class has no forward")
  raises(function() nn.parameter(1) end, "parameter: argument 1")
  raises(function() return nn.linnear end, "nn has no 'linnear'")
  near(nn.parameter(sel.ones(1) * 3), { 3 })
end)
