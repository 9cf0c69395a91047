-- The resnet plugin beside its golden cases: whole networks from PyTorch's state_dicts
-- (tests/golden/make_resnet.py), sizes, initial values, training, refusals. Run by
-- tests/lua/run.lua.

local sel = require "selenite"
local nn = sel.nn
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises
local contains = check.contains

local golden = os.getenv "SEL_TEST_DIR" .. "/golden/"

local function names_of(state)
  local names = {}
  for name in pairs(state) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- ---- state_dicts ----

local outputs = require "device".load(golden .. "resnet_outputs.safetensors")
local narrow = { resnet18 = { num_classes = 5, width = 3 },
                 resnet50 = { num_classes = 5, width = 1 } }

for name, options in pairs(narrow) do
  test(name .. " takes PyTorch's state_dict by name and gives its outputs", function()
    local state = sel.load(golden .. name .. ".safetensors")
    local model = nn[name](options)
    equal(names_of(model:state_dict()), names_of(state))
    model:load_state_dict(state):eval()
    local got, expected = model(outputs[name .. ".input"]), outputs[name .. ".output"]
    local excess = (got - expected):abs() - expected:abs():clamp(1, math.huge) * 1e-5
    equal(got:shape(), { 2, 5 })
    assert(excess:max():item() <= 0, (got - expected):abs():max():item())
  end)
end

test("a state_dict that does not fit is reported name by name, and nothing is written", function()
  local state = sel.load(golden .. "resnet18.safetensors")
  state["layer2.0.downsample.0.weight"] = nil
  state["layer3.1.bn3.weight"] = sel.ones(3)
  state["fc.weight"] = sel.zeros(7, 24)
  local model = nn.resnet18(narrow.resnet18)
  local before = model.conv1.weight:clone()
  raises(function() model:load_state_dict(state) end, "the state does not fit resnet18",
         "missing: layer2.0.downsample.0.weight", "unexpected: layer3.1.bn3.weight",
         "shape: fc.weight has [7, 24] in the file, [5, 24] in the module")
  equal((model.conv1.weight - before):abs():max():item(), 0)
  raises(function() nn.resnet34(narrow.resnet18):load_state_dict(state) end,
         "missing: layer1.2.conv1.weight", "missing: layer3.5.bn2.num_batches_tracked")
end)

-- ---- sizes ----

test("numbers of parameters are the published ones", function()
  equal(nn.resnet18():num_parameters(), 11689512)
  equal(nn.resnet34():num_parameters(), 21797672)
  equal(nn.resnet50():num_parameters(), 25557032)
  equal(nn.resnet50({ groups = 32, width_per_group = 4 }):num_parameters(), 25028904) -- ResNeXt
  -- of the paper's table, 0.27 M ... 1.7 M without projections, which have 2752 of these
  local counts = { [20] = 272474, [32] = 466906, [44] = 661338, [56] = 855770, [110] = 1730714 }
  for depth, count in pairs(counts) do
    local named, general = nn["resnet" .. depth](), nn.resnet_cifar(depth)
    equal(named:num_parameters(), count)
    equal(names_of(named:state_dict()), names_of(general:state_dict()))
  end
end)

test("extents from stage to stage", function()
  local x = sel.randn(2, 1, 37, 50)
  local model = nn.resnet18 { in_channels = 1, width = 2, num_classes = 3 }
  local y = model.maxpool(model.conv1(x))
  equal(y:shape(), { 2, 2, 10, 13 })
  equal(model.layer4(model.layer3(model.layer2(model.layer1(y)))):shape(), { 2, 16, 2, 2 })
  equal(model(x):shape(), { 2, 3 })
  model = nn.resnet18 { in_channels = 1, width = 2, num_classes = 3, stem = "small" }
  equal(model.conv1(x):shape(), { 2, 2, 37, 50 })
  equal(model.maxpool, nil)
  equal(nn.bottleneck(6, 4, { stride = 3 })(sel.randn(1, 6, 7, 8)):shape(), { 1, 16, 3, 3 })
end)

test("an empty batch passes forward and back; one image is enough for evaluation", function()
  for _, preact in ipairs { false, true } do
    local model = nn.resnet_cifar { depth = 8, width = 2, preact = preact }
    local x = sel.zeros(0, 3, 9, 9):requires_grad_()
    local y = model(x)
    equal(y:shape(), { 0, 10 })
    y:sum():backward()
    equal(x.grad:shape(), { 0, 3, 9, 9 })
    for name, p in model:named_parameters() do
      if p.grad:abs():sum():item() ~= 0 then error(name) end
    end
    model:eval()
    equal(model(sel.zeros(0, 3, 9, 9)):shape(), { 0, 10 })
    equal(model(sel.randn(1, 3, 1, 1)):shape(), { 1, 10 })
    local images = sel.randn(3, 3, 11, 7)
    near((model(images)[2] - model(images:narrow(1, 2, 1))[1]):abs():max():item(), 0, 1e-5)
  end
end)

-- ---- initial values ----

test("convolutions start as He et al. draw them, norms as 1 and 0", function()
  sel.manual_seed(3)
  local model = nn.resnet18()
  for name, p in model:named_parameters() do
    if name:find "conv" or name:find "downsample.0" then
      local variance = 2 / (p:size(1) * p:size(3) * p:size(4))
      near(p:var():item() / variance, 1, 8 / math.sqrt(p:numel()))
      near(p:mean():item() / math.sqrt(variance), 0, 5 / math.sqrt(p:numel()))
      assert(p:abs():max():item() > 3 * math.sqrt(variance), "no normal distribution")
    elseif name:find "bn" or name:find "downsample.1" then
      local start = name:find "weight$" and 1 or 0
      equal((p - start):abs():max():item(), 0)
    end
    assert(p.requires_grad and p.is_leaf, name)
  end
end)

test("zero_init_residual makes blocks start as their shortcut, and they still learn", function()
  local x = sel.randn(4, 8, 5, 5)
  for _, name in ipairs { "basic_block", "bottleneck", "preact_block", "preact_bottleneck" } do
    local planes = name:find "bottleneck" and 2 or 8
    local block = nn[name] { inplanes = 8, planes = planes, zero_init_residual = true }
    local y = block(x)
    local expected = name:find "preact" and x or x:relu()
    equal((y - expected):abs():max():item(), 0)
    y:square():sum():backward()
    local learns = 0
    for _, p in block:named_parameters() do learns = learns + p.grad:abs():sum():item() end
    assert(learns > 0, name)
  end
  local model = nn.resnet20 { zero_init_residual = true }
  equal(model.layer2["1"].bn2.weight:abs():max():item(), 0)
  equal(model.layer2["1"].bn1.weight:min():item(), 1)
  equal(model.bn1.weight:min():item(), 1)
end)

-- ---- training ----

test("networks learn a batch by heart", function()
  for _, preact in ipairs { false, true } do
    sel.manual_seed(5)
    local model = nn.resnet_cifar { depth = 14, width = 8, in_channels = 1, num_classes = 4,
                                    preact = preact, zero_init_residual = true }
    local x, y = sel.randn(16, 1, 8, 8), sel.randint(0, 4, { 16 })
    local adam = sel.optim.adam(model:parameters(), { lr = 5e-3 })
    local first, last
    for _ = 1, 40 do
      local loss = sel.cross_entropy(model(x), y)
      adam:zero_grad()
      loss:backward()
      adam:step()
      first, last = first or loss:item(), loss:item()
    end
    assert(first > 1 and last < 0.05, ("from %g to %g"):format(first, last))
    equal(model.layer3["1"].bn1.num_batches_tracked:item(), 40)
    model:eval()
    assert(sel.cross_entropy(model(x), y):item() < 0.3)
    equal(model.layer3["1"].bn1.num_batches_tracked:item(), 40)
  end
end)

test("gradients of gradients pass through a block", function()
  sel.manual_seed(6)
  local x = sel.randn(2, 3, 3, 3, { dtype = "f64" }):requires_grad_()
  for _, name in ipairs { "basic_block", "preact_block" } do
    local block = nn[name] { inplanes = 3, planes = 2, stride = 2, dtype = "f64" }
    local function slope()
      return sel.grad(block(x):square():sum(), x, { create_graph = true }):square():sum()
    end
    local analytic = sel.grad(slope(), x):reshape(-1):totable()
    local flat = x:detach():reshape(-1)
    for i = 1, 54, 11 do
      local d = 1e-6
      sel.no_grad(function() flat:narrow(1, i, 1):add_(d) end)
      local above = slope():item()
      sel.no_grad(function() flat:narrow(1, i, 1):add_(-2 * d) end)
      local below = slope():item()
      sel.no_grad(function() flat:narrow(1, i, 1):add_(d) end)
      near(analytic[i], (above - below) / (2 * d), 1e-5)
    end
  end
end)

test("dtypes", function()
  local model = nn.resnet_cifar(8, { width = 2 }):to "f64"
  equal(model.layer1["0"].conv2.weight:dtype(), "f64")
  equal(model(sel.randn(2, 3, 8, 8, { dtype = "f64" })):dtype(), "f64")
  model = nn.resnet_cifar(8, { width = 2, dtype = "bf16" })
  equal(model.bn1.running_var:dtype(), "bf16")
  equal(model.bn1.num_batches_tracked:dtype(), "i64")
  local y = model(sel.randn(2, 3, 8, 8):to "bf16")
  equal(y:dtype(), "bf16")
  y:sum():backward()
  equal(model.conv1.weight.grad:dtype(), "bf16")
end)

test("print shows the tree", function()
  local text = tostring(nn.resnet_cifar { depth = 8, width = 2, preact = true })
  contains(text, [[
resnet_cifar(depth=8, width=2, preact=true
  (conv1): conv2d(in_channels=3, out_channels=2, kernel_size=3, stride=1, padding=1, bias=false)
  (layer1): sequential(
    (0): preact_block(inplanes=2, planes=2, stride=1
      (bn1): batch_norm2d(num_features=2)
      (conv1): conv2d(]], [[
      (downsample): sequential(
        (0): conv2d(in_channels=2, out_channels=4, kernel_size=1, stride=2, padding=0, bias=false)
      )
    )
  )
]], [[

  (bn): batch_norm2d(num_features=8)
  (relu): relu()
  (avgpool): adaptive_avg_pool2d(output_size=1)
  (flatten): flatten(start_dim=2, end_dim=-1)
  (fc): linear(in_features=8, out_features=10)
)]])
end)

-- ---- refusals ----

test("options that don't go together", function()
  for _, depth in ipairs { 21, 18, 10 } do
    raises(function() nn.resnet_cifar(depth) end,
           "resnet_cifar: depth is 6 n + 2, such as 20, 32, 44, 56 or 110, got " .. depth)
  end
  raises(function() nn.resnet_cifar(2) end, "depth", "got 2")
  raises(function() nn.resnet_cifar() end, "depth", "must be given")
  raises(function() nn.resnet20 { depth = 20 } end, "resnet20", "depth")
  raises(function() nn.resnet18 { stem = "tiny" } end, "stem is one of large, small", "tiny")
  raises(function() nn.resnet18 { groups = 2 } end, "resnet18", "groups")
  raises(function() nn.resnet18 { dtype = "i64" } end, "resnet18", "float dtype", "i64")
  raises(function() nn.resnet18 { width = 0 } end, "width", "got 0")
  raises(function() nn.basic_block(3) end, "basic_block", "planes", "must be given")
  raises(function() nn.basic_block(3, 4, 0) end, "stride", "got 0")
  raises(function() nn.bottleneck { inplanes = 8, planes = 4, base_width = 15 } end,
         "bottleneck: planes * base_width is at least 64, got 4 * 15")
end)

test("inputs that don't fit", function()
  local model = nn.resnet18 { width = 2 }
  raises(function() model(sel.ones(2, 1, 32, 32)) end, "resnet18.conv1",
         "an input of 3 channels is expected", "f32[2, 1, 32, 32]")
  raises(function() model(sel.ones(3, 32, 32)) end,
         "resnet18: an input [N, C, height, width] is expected, got f32[3, 32, 32]")
  raises(function() model(sel.ones(2, 3, 32, 32):to "f64") end, "resnet18.conv1", "f64")
  raises(function() model(sel.ones(1, 3, 32, 32)) end, "resnet18.layer4.0.bn1",
         "more than one value a channel", "f32[1, 16, 1, 1]")
  raises(function() model(sel.ones(2, 3, 0, 32)) end, "resnet18.conv1", "f32[2, 3, 0, 32]")
  raises(function() nn.preact_block(4, 4)(sel.ones(2, 3, 5, 5)) end, "preact_block.bn1",
         "4 channels", "f32[2, 3, 5, 5]")
  raises(function() nn.bottleneck(4, 4)(sel.ones(4, 5, 5)) end, "bottleneck: an input [N, C,")
  model.layer2["0"].conv1.weight = sel.ones(4, 5, 3, 3)
  raises(function() model(sel.ones(2, 3, 64, 64)) end,
         "resnet18.layer2.0.conv1", "an input of 5 channels is expected, got f32[2, 2, 16, 16]")
end)
