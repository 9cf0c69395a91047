-- The layers of the transformer plugin beside their golden cases: stepwise generation, grouped
-- queries, gradients, dropout, memory, PyTorch's state_dicts, refusals. Run by tests/lua/run.lua.

local sel = require "selenite"
local nn = sel.nn
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

local state_dicts = assert(os.getenv "SEL_TEST_DIR") .. "/golden/state_dicts/"

local function close(got, expected, tolerance)
  equal(got:shape(), expected:shape())
  near((got - expected):abs():max():item(), 0, tolerance or 1e-12)
end

local function randn(...) return sel.randn({ ... }, { dtype = "f64" }) end

-- options with those of `more` added or replaced.
local function with(options, more)
  local all = {}
  for k, v in pairs(options) do all[k] = v end
  for k, v in pairs(more) do all[k] = v end
  return all
end

local BLOCK = { d_model = 8, nhead = 4, dim_feedforward = 12, dropout = 0, batch_first = true,
                causal = true, dtype = "f64" }

-- ---- stepwise generation ----

-- step(x, past) on pieces of x [N, L, width] gives, joined, what `whole` is.
local function in_pieces(step, x, past, whole, tolerance)
  local done, outputs = 0, {}
  for i, length in ipairs { 3, 1, 1, 2 } do
    outputs[i], past = step(x:narrow(2, done + 1, length), past)
    done = done + length
  end
  close(sel.cat(outputs, 2), whole, tolerance)
  return past
end

test("attention with past gives step by step what it gives at once", function()
  sel.manual_seed(1)
  for _, more in ipairs { {}, { num_kv_heads = 2 }, { rotary_base = 100 },
                          { num_kv_heads = 1, rotary_base = 10000, bias = false } } do
    for dtype, tolerance in pairs { f64 = 1e-12, f32 = 1e-5 } do
      local mha = nn.multihead_attention(with({ embed_dim = 8, num_heads = 4, causal = true,
                                                batch_first = true, dtype = dtype }, more))
      local heads = more.num_kv_heads or 4
      local x = sel.randn(2, 7, 8, { dtype = dtype })
      local present = in_pieces(function(part, past)
        return mha(part, { past = past })
      end, x, sel.zeros(2, 2, heads, 0, 2, { dtype = dtype }), (mha(x)), tolerance)
      equal(present:shape(), { 2, 2, heads, 7, 2 })
    end
  end
end)

test("past comes alike whether or not the batch is first", function()
  sel.manual_seed(2)
  local options = { embed_dim = 6, num_heads = 2, num_kv_heads = 1, dtype = "f64" }
  local a, b = nn.multihead_attention(options),
               nn.multihead_attention(with(options, { batch_first = true }))
  b:load_state_dict(a:state_dict())
  local x, past = randn(3, 2, 6), randn(2, 2, 1, 4, 3)
  local y, present = a(x, { past = past })
  local other, other_present = b(x:transpose(1, 2), { past = past })
  close(other:transpose(1, 2), y)
  close(other_present, present, 0)
  close(present:narrow(4, 1, 4), past, 0)
end)

test("without past there is no second result", function()
  equal(select("#", nn.multihead_attention(8, 2)(sel.randn(3, 1, 8))), 1)
  equal(select("#", nn.transformer_encoder(8, 2, 2)(sel.randn(3, 1, 8))), 1)
end)

test("masks count the keys of past", function()
  sel.manual_seed(3)
  local mha = nn.multihead_attention { embed_dim = 8, num_heads = 2, causal = true,
                                       batch_first = true, dtype = "f64" }
  local x = randn(2, 6, 8)
  local padding = sel.tensor({ { 0, 1, 0, 0, 0, 0 }, { 0, 0, 0, 1, 0, 0 } }, { dtype = "bool" })
  local whole = mha(x, nil, nil, padding)
  local past = sel.zeros(2, 2, 2, 0, 4, { dtype = "f64" })
  local first, second
  first, past = mha(x:narrow(2, 1, 4), nil, nil, padding:narrow(2, 1, 4), nil, past)
  second = mha(x:narrow(2, 5, 2), nil, nil, padding, nil, past)
  close(sel.cat({ first, second }, 2), whole)
end)

local stacks = {
  {}, { norm_first = true, activation = "swiglu", norm = "rms", rotary_base = 10000 },
  { num_kv_heads = 2, activation = "gelu", final_norm = true },
}

test("an encoder with past gives step by step what it gives at once", function()
  sel.manual_seed(4)
  for _, more in ipairs(stacks) do
    local options = with(BLOCK, with({ num_layers = 3 }, more))
    local heads = more.num_kv_heads or 4
    for dtype, tolerance in pairs { f64 = 1e-12, f32 = 1e-5 } do
      local encoder = nn.transformer_encoder(with(options, { dtype = dtype }))
      local x = sel.randn(2, 7, 8, { dtype = dtype })
      local present = in_pieces(function(part, past) return encoder(part, { past = past }) end, x,
                                sel.zeros(3, 2, 2, heads, 0, 2, { dtype = dtype }), (encoder(x)),
                                tolerance)
      equal(present:shape(), { 3, 2, 2, heads, 7, 2 })
    end
  end
end)

test("a decoder with past gives step by step what it gives at once", function()
  sel.manual_seed(5)
  for _, more in ipairs(stacks) do
    local decoder = nn.transformer_decoder(with(BLOCK, with({ num_layers = 2 }, more)))
    local x, memory = randn(2, 7, 8), randn(2, 5, 8)
    local padding = sel.tensor({ { 0, 0, 0, 1, 1 }, { 0, 0, 0, 0, 0 } }, { dtype = "bool" })
    local whole = decoder(x, memory, { memory_key_padding_mask = padding })
    in_pieces(function(part, past)
      return decoder(part, memory, { memory_key_padding_mask = padding, past = past })
    end, x, sel.zeros(2, 2, 2, more.num_kv_heads or 4, 0, 2, { dtype = "f64" }), whole)
  end
end)

test("a gradient passes through the cache", function()
  sel.manual_seed(6)
  local encoder = nn.transformer_encoder(with(BLOCK, { num_layers = 2 }))
  local x = randn(1, 5, 8):requires_grad_()
  local whole = sel.grad(encoder(x):pow(2):sum(), x)
  local past = sel.zeros(2, 2, 1, 4, 0, 2, { dtype = "f64" })
  local a, b
  a, past = encoder(x:narrow(2, 1, 3), nil, nil, past)
  b = encoder(x:narrow(2, 4, 2), nil, nil, past)
  close(sel.grad(a:pow(2):sum() + b:pow(2):sum(), x), whole)
end)

-- ---- heads ----

test("grouped queries are heads whose keys and values are repeated", function()
  sel.manual_seed(7)
  local few = nn.multihead_attention { embed_dim = 8, num_heads = 4, num_kv_heads = 2,
                                       dtype = "f64" }
  local all = nn.multihead_attention { embed_dim = 8, num_heads = 4, dtype = "f64" }
  equal(few.in_proj_weight:shape(), { 16, 8 })
  local state = few:state_dict()
  local function expanded(t) -- rows of q, then each kv head's rows twice
    local parts = { t:narrow(1, 1, 8) }
    for head = 0, 3 do
      local rows = t:narrow(1, 9 + 2 * head, 2)
      parts[#parts + 1], parts[#parts + 2] = rows, rows
    end
    return sel.cat(parts, 1)
  end
  state.in_proj_weight = expanded(state.in_proj_weight)
  state.in_proj_bias = expanded(state.in_proj_bias)
  all:load_state_dict(state)
  local x = randn(5, 2, 8)
  close(few(x), (all(x)))
end)

test("causal is the mask that hides later positions", function()
  sel.manual_seed(8)
  local later = sel.ones(5, 5):triu(1):to("bool")
  local causal = nn.multihead_attention { embed_dim = 8, num_heads = 2, causal = true }
  local plain = nn.multihead_attention { embed_dim = 8, num_heads = 2 }
  plain:load_state_dict(causal:state_dict())
  local x = sel.randn(5, 2, 8)
  close(causal(x), (plain(x, nil, nil, nil, later)), 1e-6)
  local q = sel.randn(2, 3, 5, 4)
  close(nn.scaled_dot_product_attention { causal = true }(q, q, q),
        nn.scaled_dot_product_attention()(q, q, q, later:logical_not()), 1e-6)
end)

test("rotary positions count alone by their distance", function()
  sel.manual_seed(9)
  local mha = nn.multihead_attention { embed_dim = 8, num_heads = 2, batch_first = true,
                                       rotary_base = 100, dtype = "f64" }
  local x = randn(1, 4, 8)
  local y = mha(x)
  local order = sel.tensor({ 3, 2, 1, 0 }, { dtype = "i64" })
  assert((mha(x:index_select(2, order)):index_select(2, order) - y):abs():max():item() > 1e-3)
  local hidden = sel.tensor({ { 1, 1, 1, 0, 0, 0, 0 } }, { dtype = "bool" })
  local later = mha(x, nil, nil, hidden, nil, sel.zeros(2, 1, 2, 3, 4, { dtype = "f64" }))
  close(later, y)
end)

-- ---- gradients ----

-- The gradient of sum(layer(...) * weight) along a random direction of every float input and
-- parameter against a central difference.
local function gradcheck(layer, ...)
  local inputs, n = { ... }, select("#", ...)
  local leaves = {}
  for i = 1, n do
    if inputs[i] and inputs[i]:dtype() == "f64" then leaves[#leaves + 1] = inputs[i] end
  end
  for _, t in pairs(leaves) do t:requires_grad_() end
  for _, p in ipairs(layer:parameters()) do leaves[#leaves + 1] = p end
  local weight
  local function loss()
    local y = layer(unpack(inputs, 1, n))
    weight = weight or sel.randn(y:shape(), { dtype = "f64" })
    return (y * weight):sum()
  end
  local grads = { sel.grad(loss(), leaves) }
  if type(grads[1]) == "table" then grads = grads[1] end
  sel.no_grad(function()
    for i, t in ipairs(leaves) do
      local direction, h = sel.randn(t:shape(), { dtype = "f64" }), 1e-5
      local start = t:clone()
      t:copy_(start + direction * h)
      local above = loss():item()
      t:copy_(start - direction * h)
      local below = loss():item()
      t:copy_(start)
      near((grads[i] * direction):sum():item(), (above - below) / (2 * h), 1e-6)
    end
  end)
end

test("gradients are those of differences", function()
  sel.manual_seed(10)
  for _, more in ipairs { { activation = "gelu" }, { activation = "swiglu", norm = "rms",
                          norm_first = true, num_kv_heads = 2, rotary_base = 100 } } do
    local options = with(BLOCK, more)
    gradcheck(nn.transformer_encoder_layer(options), randn(2, 5, 8))
    gradcheck(nn.transformer_decoder_layer(options), randn(2, 3, 8), randn(2, 5, 8))
    options.causal = nil
    gradcheck(nn.transformer(with(options, { num_encoder_layers = 1, num_decoder_layers = 1 })),
              randn(2, 5, 8), randn(2, 3, 8))
  end
end)

test("a gradient of the gradient is an error that names the operation", function()
  local layer, x = nn.transformer_encoder_layer(8, 2), sel.randn(2, 1, 8):requires_grad_()
  local g = sel.grad(layer:eval()(x):sum(), x, { create_graph = true })
  raises(function() sel.grad(g:sum(), x) end, "attention_grad", "has no gradient")
end)

-- ---- dropout, initial values ----

test("dropout keeps the mean and acts in training alone", function()
  sel.manual_seed(11)
  local one = sel.ones(1, 1, 4000, 4)
  local layer = nn.scaled_dot_product_attention { dropout = 0.25 }
  local y = layer(sel.zeros(1, 1, 4000, 4), sel.zeros(1, 1, 1, 4), sel.ones(1, 1, 1, 4))
  near(y:mean():item(), 1, 0.03) -- each query's only weight, 1, becomes 0 or 4/3
  near(y:eq(0):to("f32"):mean():item(), 0.25, 0.03)
  close(layer:eval()(one, one, one), one, 1e-6)
  local encoder = nn.transformer_encoder { d_model = 8, nhead = 2, num_layers = 2, dropout = 0.3 }
  local x = sel.randn(4, 2, 8)
  assert((encoder(x) - encoder(x)):abs():max():item() > 0)
  encoder:eval()
  close(encoder(x), (encoder(x)), 0)
end)

-- With p of a branch's result dropped and its own parts fixed, the residual alone is what remains.
test("each branch's result is dropped", function()
  sel.manual_seed(12)
  local layer = nn.transformer_encoder_layer { d_model = 8, nhead = 2, dropout = 1,
                                               norm_first = true }
  local x = sel.randn(5, 2, 8)
  close(layer(x), x, 0)
end)

test("a transformer's matrices start as Xavier's, its biases as PyTorch's", function()
  sel.manual_seed(13)
  local model = nn.transformer { d_model = 32, nhead = 4, num_encoder_layers = 1,
                                 num_decoder_layers = 1, dim_feedforward = 96 }
  for name, p in model:named_parameters() do
    assert(p.requires_grad, name)
    if p:dim() == 2 then
      local bound = math.sqrt(6 / (p:size(1) + p:size(2)))
      local largest = p:abs():max():item()
      assert(largest <= bound and largest > 0.97 * bound, name)
    elseif name:find "in_proj_bias" or name:find "out_proj.bias" then
      equal(p:abs():max():item(), 0)
    end
  end
end)

-- ---- memory ----

test("memory does not grow with the square of the length", function()
  local length = 2048 -- the scores of one head would take 16 MB
  local encoder = nn.transformer_encoder_layer { d_model = 8, nhead = 2, dim_feedforward = 8,
                                                 causal = true }
  local x = sel.randn(length, 1, 8):requires_grad_()
  local padding = sel.zeros(1, length, { dtype = "bool" })
  collectgarbage()
  local before = sel.memory().live
  encoder(x, nil, padding):sum():backward()
  local taken = sel.memory().peak - before
  assert(taken < 8 * 2 ^ 20, ("%.1f MB"):format(taken / 2 ^ 20))
end)

-- ---- state_dicts ----

local function expect_run(name, layer)
  layer:load_state_dict(sel.load(state_dicts .. name .. ".safetensors"))
  local run = require "device".load(state_dicts .. name .. "_run.safetensors")
  close(layer:eval()(run["in.0"], run["in.1"]), run.out, 1e-5)
end

test("state_dicts saved by PyTorch load by name and give its outputs", function()
  expect_run("transformer_encoder", nn.transformer_encoder {
    d_model = 8, nhead = 2, num_layers = 3, dim_feedforward = 12, batch_first = true,
    final_norm = true })
  expect_run("transformer", nn.transformer {
    d_model = 8, nhead = 2, num_encoder_layers = 2, num_decoder_layers = 2, dim_feedforward = 12 })
end)

test("a state_dict that does not fit names what is wrong", function()
  local state = sel.load(state_dicts .. "transformer_encoder.safetensors")
  local layer = nn.transformer_encoder { d_model = 8, nhead = 2, num_layers = 2,
                                         dim_feedforward = 10 }
  raises(function() layer:load_state_dict(state) end, "layers.2.self_attn.in_proj_weight",
         "norm.weight", "layers.0.linear1.weight")
end)

-- ---- refusals ----

test("options that contradict each other are refused", function()
  raises(function() nn.multihead_attention(6, 4) end, "embed_dim, 6, is no multiple", "4")
  raises(function() nn.multihead_attention { embed_dim = 8, num_heads = 4, num_kv_heads = 3 } end,
         "num_heads, 4, is no multiple of num_kv_heads, 3")
  raises(function() nn.multihead_attention { embed_dim = 6, num_heads = 2, rotary_base = 100 } end,
         "rotary_base", "3")
  raises(function() nn.transformer_encoder_layer(6, 4) end,
         "transformer_encoder_layer: d_model, 6, is no multiple of nhead, 4")
  raises(function() nn.transformer(6, 4) end, "transformer: d_model, 6, is no multiple of nhead, 4")
  raises(function() nn.transformer_encoder { d_model = 8, nhead = 4, num_layers = 1,
                                             num_kv_heads = 3 } end,
         "nhead, 4, is no multiple of num_kv_heads, 3")
  raises(function() nn.transformer_encoder(8, 4, 0) end, "num_layers")
  raises(function() nn.transformer_encoder_layer(8, 4, { activation = "tanh" }) end,
         "one of relu, gelu, swiglu")
end)

test("wrong inputs of attention are refused with their shapes", function()
  local mha = nn.multihead_attention { embed_dim = 8, num_heads = 4, num_kv_heads = 2 }
  local x = sel.randn(3, 2, 8)
  raises(function() mha(sel.randn(3, 2, 7)) end, "query: expected [L, N, 8], got f32[3, 2, 7]")
  raises(function() mha(x, sel.randn(5, 1, 8)) end, "key: expected [L, 2, 8], got f32[5, 1, 8]")
  raises(function() mha(x, x, sel.randn(4, 2, 8)) end,
         "value: expected [3, 2, 8], got f32[4, 2, 8]")
  raises(function() mha(x, nil, nil, nil, sel.zeros(3, 4)) end,
         "attn_mask: expected [3, 3] or [8, 3, 3], got f32[3, 4]")
  raises(function() mha(x, nil, nil, sel.zeros(3, 3)) end,
         "key_padding_mask: expected [2, 3], got f32[3, 3]")
  raises(function() mha(x, nil, nil, nil, nil, sel.zeros(2, 2, 4, 5, 2)) end,
         "past: expected [2, 2, 2, P, 2], got f32[2, 2, 4, 5, 2]")
  raises(function() mha(x, nil, nil, sel.zeros(2, 3), nil, sel.zeros(2, 2, 2, 5, 2)) end,
         "key_padding_mask: expected [2, 8]")
  local q = sel.randn(1, 2, 3, 4)
  raises(function() nn.scaled_dot_product_attention()(q, q, q, sel.zeros(2, 3)) end,
         "scaled_dot_product_attention", "[1, 2, 3, 3]", "f32[2, 3]")
end)

test("wrong inputs of stacks are refused with the way to the layer", function()
  local encoder = nn.transformer_encoder(8, 4, 2)
  local x = sel.randn(3, 2, 8)
  raises(function() encoder(sel.randn(3, 2, 7)) end,
         "transformer_encoder.layers.0.", "src: expected [L, N, 8], got f32[3, 2, 7]")
  raises(function() encoder(x, sel.zeros(3, 4)) end,
         "transformer_encoder.layers.0.self_attn.multihead_attention: attn_mask: "
         .. "expected [3, 3] or [8, 3, 3], got f32[3, 4]")
  raises(function() encoder(x, nil, nil, sel.zeros(3, 2, 2, 4, 5, 2)) end,
         "transformer_encoder.layers.stack: ", "past: expected [2, 2, N, heads, P, size]",
         "got f32[3, 2, 2, 4, 5, 2]")
  raises(function() encoder(x, nil, nil, sel.zeros(2, 2, 2, 4, 5, 3)) end,
         "transformer_encoder.layers.0.self_attn.multihead_attention: past: "
         .. "expected [2, 2, 4, P, 2]")
  local model = nn.transformer { d_model = 8, nhead = 2, num_encoder_layers = 1,
                                 num_decoder_layers = 1, dim_feedforward = 8 }
  raises(function() model(x, sel.randn(3, 1, 8)) end, "transformer.decoder.layers.0.",
         "memory: expected [L, 1, 8], got f32[3, 2, 8]")
  raises(function() model(x, x, nil, nil, sel.zeros(2, 3)) end,
         "transformer.decoder.layers.0.multihead_attn.multihead_attention: ",
         "attn_mask: expected [3, 3]")
  raises(function() model(x) end, "tgt", "missing")
end)
