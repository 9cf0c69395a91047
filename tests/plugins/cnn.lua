-- The layers of the cnn plugin: numbers against PyTorch (tests/golden/make_cnn.py), initial values,
-- dropout, refusals. Run by tests/lua/run.lua.

local sel = require "selenite"
local nn = sel.nn
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

-- ---- numbers ----

local golden, about = require "device".load(os.getenv "SEL_TEST_DIR" .. "/golden/cnn.safetensors")

local function make(source)
  return assert(loadstring("local nn = ... return " .. source, "=" .. source))(nn)
end

-- The tensors of one case whose names begin with `prefix`, by the rest of the name.
local function tensors_of(case, prefix)
  local found = {}
  for name, t in pairs(golden) do
    local rest = name:match("^" .. case .. "%." .. prefix .. "(.+)$")
    if rest then found[rest] = t end
  end
  return found
end

-- Every element within 1e-5 times the larger of 1 and the expected value.
local function close(got, expected, what)
  equal(got:shape(), expected:shape())
  local excess = ((got - expected):abs() - expected:abs():clamp(1, math.huge) * 1e-5):max():item()
  if excess > 0 then
    error(("%s: %g beyond the tolerance"):format(what, excess), 2)
  end
end

-- The input lies in memory as `arrange` puts it; the gradients are the same.
local function compare(case, arrange)
  local layer = make(about[case])
  layer:load_state_dict(tensors_of(case, "parameter%."))
  local leaf = golden[case .. ".input"]:clone():requires_grad_()
  local output = layer(arrange(leaf))
  close(output, golden[case .. ".output"], "output")
  output:backward(golden[case .. ".weights"])
  close(leaf.grad, golden[case .. ".grad.input"], "gradient of the input")
  for name in layer:named_parameters() do
    close(layer[name].grad, golden[case .. ".grad." .. name], "gradient of the " .. name)
  end
end

-- The values of x with its dims in reversed order in memory.
local function transposed(x)
  local reversed = {}
  for d = x:dim(), 1, -1 do reversed[#reversed + 1] = d end
  return x:permute(reversed):contiguous():permute(reversed)
end

-- A case without images: empty output and input gradient, parameter gradients of 0.
local function compare_empty(case)
  local shape = {}
  for n in about[case .. ".input"]:gmatch "%d+" do shape[#shape + 1] = tonumber(n) end
  local layer = make(about[case])
  local x = sel.zeros(shape):requires_grad_()
  local output = layer(x)
  equal(output:size(1), 0)
  output:sum():backward()
  equal(x.grad:shape(), shape)
  for name in layer:named_parameters() do equal(layer[name].grad:abs():max():item(), 0) end
end

for case = 1, tonumber(about.count) do
  case = tostring(case)
  test(about[case] .. " [" .. about[case .. ".input"] .. "]", function()
    if about[case .. ".input"]:sub(1, 2) == "0," then
      compare_empty(case)
    else
      compare(case, function(x) return x end)
      compare(case, transposed)
    end
  end)
end

-- Dropout is random and counted below; all other types of the plugin are among the cases, those of
-- normalisation in a file of their own, which golden.lua compares.
test("every layer type has a case", function()
  local sources = {}
  for case = 1, tonumber(about.count) do sources[#sources + 1] = about[tostring(case)] end
  local _, norms = sel.load(os.getenv "SEL_TEST_DIR" .. "/golden/layers/norm.safetensors")
  for _, case in pairs(norms) do sources[#sources + 1] = "nn." .. case:gsub(" {", "{", 1) end
  sources = table.concat(sources, "\n")
  local ffi = require "ffi"
  local C = require "selenite.library".C
  local i, n = 0, 0
  local kind = C.sel_layer_type_at(0)
  while kind ~= nil do
    local name = ffi.string(kind.name)
    if ffi.string(C.sel_layer_type_origin(kind)):find "/cnn%.so$" and not name:find "^dropout" then
      if not sources:find("nn." .. name .. "[({]") then error(name .. " has none") end
      n = n + 1
    end
    i = i + 1
    kind = C.sel_layer_type_at(i)
  end
  assert(n >= 36, n)
end)

test("half precision is computed in f32", function()
  for _, dtype in ipairs { "f16", "bf16" } do
    local layer = nn.conv2d(2, 3, 3, { padding = 1 }):to(dtype)
    local x = sel.randn(2, 2, 5, 5):to(dtype):requires_grad_()
    local y = nn.upsample { scale_factor = 2 }(nn.max_pool2d(2)(layer(x)))
    equal(y:dtype(), dtype)
    nn.avg_pool2d(2)(y):sum():backward()
    equal(x.grad:dtype(), dtype)
    equal(layer.weight.grad:dtype(), dtype)
    equal(layer.bias.grad:to "f32":sum():item(), 2 * 3 * 4)
  end
end)

test("indices of maxima", function()
  local x = sel.tensor { { { 1, 5, 2, 0 }, { 3, 4, 9, 8 } } }
  local values, indices = nn.max_pool2d(2, { return_indices = true })(x)
  equal(values:totable(), { { { 5, 9 } } })
  equal(indices:totable(), { { { 1, 6 } } })
  equal(select("#", nn.max_pool2d(2)(x)), 1)
  values, indices = nn.adaptive_max_pool2d(1, { return_indices = true })(x)
  equal(values:totable(), { { { 9 } } })
  equal(indices:totable(), { { { 6 } } })
end)

-- ---- initial values and dropout ----

local function uniform(t, bound)
  local n = t:numel()
  assert(t:abs():max():item() <= bound * 1.000001)
  assert(t:abs():max():item() > 0.97 * bound)
  near(t:mean():item() / bound, 0, 5 / math.sqrt(3 * n))
  near((t * t):mean():item() * 3 / bound ^ 2, 1, 8 / math.sqrt(n))
end

test("initial values", function()
  sel.manual_seed(4)
  local layer = nn.conv2d(8, 64, { 5, 2 }, { groups = 2 })
  equal(layer.weight:shape(), { 64, 4, 5, 2 })
  uniform(layer.weight, 1 / math.sqrt(40))
  uniform(layer.bias, 1 / math.sqrt(40))
  layer = nn.conv_transpose2d(32, 50, 3, { dtype = "f64" })
  equal(layer.weight:shape(), { 32, 50, 3, 3 })
  equal(layer.weight:dtype(), "f64")
  uniform(layer.weight, 1 / math.sqrt(450))
  equal(nn.conv1d(2, 3, 3, { bias = false }).bias, nil)
end)

test("dropout of channels", function()
  sel.manual_seed(2)
  local layer = nn.dropout2d(0.25)
  local y = layer(sel.ones(100, 50, 2, 3))
  local low, high = y:amin { 3, 4 }, y:amax { 3, 4 }
  equal((low - high):abs():max():item(), 0) -- a channel stays whole
  local zeros = (low:eq(0)):to "f32":sum():item()
  near(zeros / 5000, 0.25, 0.03)
  near(high:max():item(), 1 / 0.75)
  layer:eval()
  equal(layer(sel.ones(1, 2, 1, 1)):sum():item(), 2)
  equal(nn.dropout1d(1)(sel.ones(2, 3, 4)):sum():item(), 0)
  raises(function() nn.dropout2d()(sel.ones(3, 4)) end, "dropout2d", "f32[3, 4]")
end)

-- ---- refusals ----

test("options that don't go together", function()
  raises(function() nn.conv2d(3, 4, 3, { groups = 2 }) end, "conv2d: groups divides",
         "2 for 3 and 4")
  raises(function() nn.conv2d(3, 4, 3, 2, "same") end, "conv2d: padding 'same' goes with stride 1")
  raises(function() nn.conv2d(3, 4, 3, { padding = "full" }) end,
         "option padding is 1 to 2 whole numbers, each at least 0, or one of same, valid",
         "got 'full'")
  raises(function() nn.conv2d(3, 4, 3, { padding = -1 }) end, "padding", "got -1")
  raises(function() nn.conv2d(3, 4, { 3, 3, 3 }) end, "kernel_size", "3 numbers")
  raises(function() nn.conv2d(3, 4, 0) end, "kernel_size", "got 0")
  raises(function() nn.conv2d(3, 4, 3, { padding_mode = "mirror" }) end, "padding_mode", "mirror")
  raises(function() nn.conv2d(3, 4, 3, { dtype = "i64" }) end, "float dtype")
  raises(function() nn.upsample() end, "upsample: one of size and scale_factor", "neither")
  raises(function() nn.upsample { size = 2, scale_factor = 2 } end, "both")
  raises(function() nn.upsample { size = 2, align_corners = true } end, "align_corners")
  raises(function() nn.max_pool2d "2" end, "kernel_size", "whole number")
end)

test("inputs that don't fit", function()
  local x = sel.ones(2, 3, 4, 5)
  raises(function() nn.conv2d(4, 2, 3)(x) end, "conv2d: an input of 4 channels is expected",
         "f32[2, 3, 4, 5]")
  raises(function() nn.conv2d(1, 2, 3)(sel.ones(9, 4, 5)) end, "an input of 1 channels",
         "got f32[9, 4, 5], which is one image [C, ...]; a batch is [N, C, ...]")
  raises(function() nn.conv2d(3, 2, 5)(x) end, "the kernel, which reaches over [5, 5]",
         "larger than the padded input, [4, 5] of f32[2, 3, 4, 5]")
  raises(function() nn.conv2d(3, 2, 3, { dilation = 2 })(x) end, "reaches over [5, 5]")
  raises(function() nn.conv2d(3, 2, 3)(x:to "f64") end, "dtypes f64 and f32 differ")
  raises(function() nn.conv1d(3, 2, 3)(x) end, "[N, C, length]", "f32[2, 3, 4, 5]")
  raises(function() nn.conv_transpose2d(2, 2, 3)(x) end, "an input of 2 channels is expected")
  raises(function() nn.conv_transpose2d(3, 2, 1, { padding = 9 })(x) end, "leaves no output")
  raises(function() nn.conv_transpose2d(3, 2, 3, { output_padding = 1 })(x) end,
         "output_padding below stride 1")
  raises(function() nn.max_pool2d(6)(x) end, "max_pool", "reaches over [6, 6]")
  raises(function() nn.max_pool2d(2, 2, 2)(x) end, "at most half the kernel 2, got 2")
  raises(function() nn.max_pool1d(2, 1, 1, 3)(sel.ones(1, 2)) end, "has no element of the input")
  raises(function() nn.avg_pool2d(2)(sel.ones(1, 2, 0, 3)) end, "avg_pool", "f32[1, 2, 0, 3]")
  raises(function() nn.adaptive_avg_pool2d(2)(sel.ones(3)) end, "adaptive_avg_pool", "f32[3]")
  raises(function() nn.reflection_pad2d(4)(x) end, "reflection padding from 0 to 3", "got 4")
  raises(function() nn.circular_pad1d(6)(x) end, "circular padding from 0 to 5", "got 6")
  raises(function() nn.pixel_shuffle(2)(x) end, "pixel_shuffle", "channels that 4 divides")
  raises(function() nn.pixel_unshuffle(2)(x) end, "pixel_unshuffle", "that 2 divides")
  raises(function() nn.upsample { scale_factor = 2, mode = "linear" } (x) end, "upsample",
         "with 1 extents", "f32[2, 3, 4, 5]")
end)
