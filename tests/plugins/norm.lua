-- The normalisation layers of the cnn plugin beside their golden cases: running statistics over
-- several batches, empty batches, low precision, refusals. Run by tests/lua/run.lua.

local sel = require "selenite"
local nn = sel.nn
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

local function distance(a, b) return (a - b):abs():max():item() end

-- ---- running statistics ----

test("running statistics follow every batch of training and none of evaluation", function()
  sel.manual_seed(1)
  local layer = nn.batch_norm1d { num_features = 3, momentum = 0.25, dtype = "f64" }
  local mean, var = sel.zeros(3, { dtype = "f64" }), sel.ones(3, { dtype = "f64" })
  for _ = 1, 4 do
    local x = sel.randn(6, 3, 5, { dtype = "f64" }) * 3 + 1
    layer(x)
    mean = mean * 0.75 + x:mean { 1, 3 } * 0.25
    var = var * 0.75 + x:var { 1, 3 } * 0.25
  end
  near(distance(layer.running_mean, mean), 0, 1e-12)
  near(distance(layer.running_var, var), 0, 1e-12)
  equal(layer.num_batches_tracked:item(), 4)
  layer:eval()
  local x = sel.randn(2, 3, 5, { dtype = "f64" })
  local expected = (x - mean:reshape(1, 3, 1)) / (var:reshape(1, 3, 1) + 1e-5):sqrt()
  near(distance(layer(x), expected), 0, 1e-12)
  equal(layer.num_batches_tracked:item(), 4)
end)

test("cumulative statistics are the mean of all batches", function()
  local layer = nn.batch_norm2d { num_features = 2, cumulative = true }
  local sum = sel.zeros(2)
  for _ = 1, 3 do
    local x = sel.randn(2, 2, 3, 3)
    layer(x)
    sum = sum + x:mean { 1, 3, 4 }
  end
  near(distance(layer.running_mean, sum / 3), 0, 1e-6)
end)

test("a constant channel gives its bias, and a variance of 0", function()
  local layer = nn.batch_norm2d { num_features = 2, momentum = 1 }
  local y = layer(sel.full({ 3, 2, 4, 4 }, 1000.1))
  equal(y:abs():max():item(), 0)
  equal(layer.running_var:abs():max():item(), 0)
end)

test("state_dict holds PyTorch's names", function()
  local names = {}
  for name in pairs(nn.batch_norm2d(2):state_dict()) do names[#names + 1] = name end
  table.sort(names)
  equal(names, { "bias", "num_batches_tracked", "running_mean", "running_var", "weight" })
  equal(next(nn.instance_norm2d(2):state_dict()), nil)
end)

-- ---- sizes and dtypes ----

test("an empty batch passes forward and back, and moves nothing", function()
  for _, entry in ipairs {
    { nn.batch_norm1d(3), { 0, 3 } }, { nn.batch_norm2d(3), { 0, 3, 2, 2 } },
    { nn.group_norm(1, 3), { 0, 3, 4 } }, { nn.layer_norm(3), { 0, 3 } },
    { nn.rms_norm(3), { 2, 0, 3 } }, { nn.instance_norm2d { num_features = 3, affine = true },
                                       { 0, 3, 2, 2 } },
  } do
    local layer, x = entry[1], sel.zeros(entry[2]):requires_grad_()
    local y = layer(x)
    equal(y:shape(), entry[2])
    y:sum():backward()
    equal(x.grad:shape(), entry[2])
    equal(layer.weight.grad:abs():sum():item(), 0)
    if layer.running_mean then equal(layer.running_mean:abs():sum():item(), 0) end
  end
end)

test("f16 and bf16 are computed in f32", function()
  local x = sel.randn(4, 6) * 5 + 3
  local layers = { nn.layer_norm(6), nn.rms_norm(6), nn.batch_norm1d(6), nn.group_norm(2, 6) }
  for _, layer in ipairs(layers) do
    local y = layer(x)
    for dtype, tolerance in pairs { f16 = 1e-2, bf16 = 6e-2 } do
      local leaf = x:to(dtype):requires_grad_()
      local low = layer:to(dtype)(leaf)
      equal(low:dtype(), dtype)
      near(distance(low:to "f32", y), 0, tolerance)
      low:sum():backward()
      equal(leaf.grad:dtype(), dtype)
      equal(layer.weight.grad:dtype(), dtype)
    end
  end
end)

test("gradients of gradients of whole layers", function()
  local x = sel.randn(4, 3, 2, { dtype = "f64" }):requires_grad_()
  for _, layer in ipairs { nn.batch_norm1d(3), nn.layer_norm({ 3, 2 }), nn.group_norm(3, 3) } do
    layer:to "f64"
    local function slope()
      local y = layer(x)
      return sel.grad((y * y * y):sum(), x, { create_graph = true }):square():sum()
    end
    local analytic = sel.grad(slope(), x):reshape(-1):totable()
    for i = 1, 24, 5 do
      local d, flat = 1e-5, x:detach():reshape(-1)
      sel.no_grad(function() flat:narrow(1, i, 1):add_(d) end)
      local above = slope():item()
      sel.no_grad(function() flat:narrow(1, i, 1):add_(-2 * d) end)
      local below = slope():item()
      sel.no_grad(function() flat:narrow(1, i, 1):add_(d) end)
      near(analytic[i], (above - below) / (2 * d), 1e-5)
    end
  end
end)

-- ---- refusals ----

test("wrong inputs are refused with their shapes", function()
  raises(function() nn.batch_norm2d(3)(sel.ones(2, 4, 2, 2)) end,
         "batch_norm2d: an input of 4 dims with 3 channels in dim 2 is expected",
         "got f32[2, 4, 2, 2]")
  raises(function() nn.batch_norm1d(3)(sel.ones(2, 3, 2, 2)) end, "2 or 3 dims")
  raises(function() nn.batch_norm1d(3)(sel.ones(1, 3)) end, "more than one value a channel",
         "f32[1, 3]")
  raises(function() nn.batch_norm1d(3)(sel.ones(2, 3):to "f64") end, "dtypes f64 and f32 differ")
  raises(function() nn.instance_norm2d(3)(sel.ones(2, 3, 1, 1)) end, "more than one value")
  raises(function() nn.group_norm(2, 3) end, "num_groups 2 does not divide num_channels 3")
  raises(function() nn.group_norm(2, 4)(sel.ones(2, 3, 5)) end, "an input [N, 4, ...] is expected")
  raises(function() nn.layer_norm({ 3, 2 })(sel.ones(2, 2, 3)) end,
         "layer_norm: an input [*, 3, 2] is expected, got f32[2, 2, 3]")
  raises(function() nn.rms_norm(3)(sel.ones(4)) end, "rms_norm: an input [*, 3]")
  raises(function() nn.layer_norm { normalized_shape = 3, eps = -1 } end, "eps", "got -1")
end)
