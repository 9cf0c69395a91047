-- gpt, the positional encodings and nn.generate beside their golden cases: the cache, tied weights,
-- initial values, formulas, sampling, refusals. Run by tests/lua/run.lua.

local sel = require "selenite"
local nn = sel.nn
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

local function i64(values) return sel.tensor(values, { dtype = "i64" }) end

local function close(got, expected, tolerance)
  equal(got:shape(), expected:shape())
  near((got - expected):abs():max():item(), 0, tolerance)
end

-- A small gpt with the given changes.
local function tiny(changes)
  local options = { vocab_size = 13, n_positions = 12, n_embd = 16, n_layer = 2, n_head = 4,
                    dropout = 0 }
  for name, value in pairs(changes or {}) do options[name] = value end
  return nn.gpt(options)
end

local kinds = {
  {}, { position = "rotary", n_kv_heads = 2, norm = "rms", activation = "swiglu" },
  { position = "sinusoidal", n_kv_heads = 1 }, { position = "none", bias = false },
}

-- ---- the cache ----

test("logits step by step are those of the whole sequence", function()
  sel.manual_seed(1)
  local ids = i64 { { 1, 7, 3, 12, 0, 5, 5 }, { 2, 0, 9, 4, 11, 1, 8 } }
  for _, kind in ipairs(kinds) do
    for dtype, tolerance in pairs { f64 = 1e-12, f32 = 1e-5 } do
      local model = tiny(kind):to(dtype)
      local whole, present = model(ids)
      equal(present, nil)
      sel.no_grad(function()
        for _, lengths in ipairs { { 1, 1, 1, 1, 1, 1, 1 }, { 3, 1, 2, 1 }, { 7 } } do
          local past, from, parts = sel.zeros(0), 1, {}
          for i, n in ipairs(lengths) do
            parts[i], past = model(ids:narrow(2, from, n), past)
            from = from + n
          end
          close(sel.cat(parts, 2), whole, tolerance)
          equal(past:shape(), { 2, 2, 2, kind.n_kv_heads or 4, 7, 4 })
        end
      end)
    end
  end
end)

test("a cache is not written by the calls that go on from it", function()
  local model = tiny { dtype = "f64" }
  local _, past = model(i64 { { 1, 2 } }, sel.zeros(2, 2, 1, 4, 0, 4, { dtype = "f64" }))
  local copy = past:clone()
  local first = model(i64 { { 3 } }, past)
  model(i64 { { 4 } }, past)
  close(past, copy, 0)
  close((model(i64 { { 3 } }, past)), first, 0)
end)

test("with a past, gradients are those of the new positions alone", function()
  local model = tiny { dtype = "f64", position = "rotary" }
  local ids = i64 { { 1, 2, 3 }, { 4, 5, 6 } }
  local _, past = model(ids, sel.zeros(0))
  equal(past.requires_grad, false)
  local weight = sel.randn(2, 3, 13, { dtype = "f64" })
  local query = model.transformer.h["0"].attn.c_attn.weight
  local function value() return (model(ids, past) * weight):sum() end
  value():backward()
  local analytic, step = query.grad:narrow(1, 1, 1), 1e-6
  local numeric = {}
  sel.no_grad(function()
    local row = query:select(1, 1)
    for j = 1, row:size(1) do
      local cell = row:narrow(1, j, 1)
      cell:add_(step)
      local above = value():item()
      cell:sub_(2 * step)
      numeric[j] = (above - value():item()) / (2 * step)
      cell:add_(step)
    end
  end)
  near(analytic:reshape(-1), numeric, 1e-6)
end)

-- ---- parameters ----

test("lm_head.weight is transformer.wte.weight, also after moving and loading", function()
  local model = tiny()
  local function tied()
    model.transformer.wte.weight:detach():fill_(0.25)
    equal(model.lm_head.weight:min():item(), 0.25)
  end
  tied()
  model:to("f64")
  tied()
  local count, names = 0, {}
  for name in model:named_parameters() do
    count = count + 1
    names[name] = true
  end
  equal(count, #model:parameters())
  equal(names["lm_head.weight"], nil)
  local state = model:state_dict()
  assert(state["lm_head.weight"] and state["transformer.wte.weight"])
  state["lm_head.weight"] = nil -- files hold tied weights once
  state["transformer.wte.weight"] = sel.ones(13, 16)
  model:load_state_dict(state)
  equal(model.lm_head.weight:min():item(), 1)
  state["transformer.wte.weight"] = nil
  raises(function() model:load_state_dict(state) end, "missing: lm_head.weight",
         "missing: transformer.wte.weight")
  equal(tiny { tie_weights = false }:num_parameters() - model:num_parameters(), 13 * 16)
end)

test("an optimizer changes tied weights once", function()
  local model = tiny()
  local before = model.lm_head.weight:detach():clone()
  local optimizer = sel.optim.sgd(model:parameters(), { lr = 1 })
  model(i64 { { 1, 2 } }):sum():backward()
  local grad = model.lm_head.weight.grad:clone()
  optimizer:step()
  close(model.lm_head.weight:detach(), before - grad, 1e-6)
end)

test("parameters start as GPT-2's, or as wide as initializer_range says", function()
  for _, range in ipairs { 0.02, 0.06 } do
    sel.manual_seed(3)
    local model = nn.gpt { vocab_size = 500, n_positions = 100, n_embd = 64, n_layer = 8,
                           n_head = 4, initializer_range = range ~= 0.02 and range or nil }
    for name, p in model:named_parameters() do
      local std = name:find "c_proj" and range / 4 or range
      if name:find "bias" then
        equal(p:abs():max():item(), 0)
      elseif name:find "ln_" then
        equal(p:min():item(), 1)
        equal(p:max():item(), 1)
      else
        near(p:std():item() / std, 1, 0.05)
        near(p:mean():item() / std, 0, 0.05)
      end
    end
  end
end)

test("the defaults are GPT-2 small", function()
  local model = nn.gpt { dtype = "bf16" }
  equal(model:num_parameters(), 124439808)
  equal(model.transformer.h["11"].attn.c_attn.weight:shape(), { 768, 2304 })
end)

test("dropout acts in training alone", function()
  local model, ids = tiny { dropout = 0.2 }, i64 { { 1, 2, 3 } }
  assert((model(ids) - model(ids)):abs():max():item() > 0)
  model:eval()
  close(model(ids), (model(ids)), 0)
end)

test("bf16 is near f32", function()
  sel.manual_seed(4)
  local model, ids = tiny(), i64 { { 1, 2, 3 } }
  local y = model(ids)
  local half, past = model:to("bf16")(ids, sel.zeros(0))
  close(half:to("f32"), y, 2e-2)
  equal(past:dtype(), "bf16")
end)

-- ---- positional encodings ----

test("sinusoidal_encoding adds sines and cosines", function()
  for _, features in ipairs { 6, 5 } do
    local layer = nn.sinusoidal_encoding(features, 50, { dtype = "f64" })
    equal(layer.pe:shape(), { 50, 1, features })
    local y = layer(sel.zeros(50, features, { dtype = "f64" })):totable()
    for p = 0, 49 do
      for i = 0, features - 1 do
        local angle = p / 10000 ^ (2 * math.floor(i / 2) / features)
        near(y[p + 1][i + 1], i % 2 == 0 and math.sin(angle) or math.cos(angle), 1e-12)
      end
    end
  end
end)

test("a product of turned vectors depends on their distance alone", function()
  local layer = nn.rotary_encoding(8)
  local q, k = sel.randn(1, 8), sel.randn(1, 8)
  local function product(i, j) return (layer(q, i64 { i }) * layer(k, i64 { j })):sum():item() end
  near(product(7, 4), product(103, 100), 1e-4)
end)

test("an encoding's dropout acts in training alone", function()
  local layer = nn.learned_encoding { d_model = 8, max_len = 4, dropout = 0.5 }
  assert(layer(sel.ones(4, 2, 8)):eq(0):any():item() ~= 0)
  layer:eval()
  close(layer(sel.ones(4, 2, 8)) - layer.weight:unsqueeze(2), sel.ones(4, 2, 8), 1e-6)
end)

-- ---- generating ----

test("the same seed draws the same ids, temperature 0 takes the likeliest", function()
  sel.manual_seed(5)
  local model, ids = tiny():eval(), i64 { { 1, 2 }, { 3, 4 } }
  local function ids_of(options)
    options.max_new_tokens = options.max_new_tokens or 10
    sel.manual_seed(6)
    return nn.generate(model, ids, options)
  end
  local drawn = ids_of {}
  equal(drawn:shape(), { 2, 12 })
  equal(drawn:totable(), ids_of({}):totable())
  equal(drawn:narrow(2, 1, 2):totable(), ids:totable())
  local likeliest = ids_of { temperature = 0 }
  for t = 2, 11 do
    local logits = model(likeliest:narrow(2, 1, t)):select(2, -1)
    equal(logits:argmax(-1):totable(), likeliest:select(2, t + 1):totable())
  end
  for _, options in ipairs { { top_k = 1 }, { top_p = 0 }, { top_k = 3, top_p = 1e-9 } } do
    equal(ids_of(options):totable(), likeliest:totable())
  end
  equal(ids_of({ top_k = 99, top_p = 1 }):totable(), drawn:totable())
  equal(nn.generate(model, ids[1], { max_new_tokens = 10, temperature = 0 }):totable(),
        likeliest[1]:totable())
  equal(ids_of({ max_new_tokens = 0 }):totable(), ids:totable())
  equal(sel.grad_enabled(), true)
end)

-- A model of the contract in Lua: the logits of a position are a table's row for its id.
local function table_model(rows, calls)
  local logits = sel.tensor(rows)
  return function(ids, past)
    if calls then calls[#calls + 1] = { ids:size(2), past:numel() } end
    local n = past:numel() + ids:size(2)
    return logits:index_select(1, ids:reshape(-1)):reshape(ids:size(1), ids:size(2), #rows[1]),
           sel.zeros(n)
  end
end

test("top_k and top_p draw from what they say, by the probabilities", function()
  local p = { 0.5, 0.3, 0.15, 0.05 }
  local row = {}
  for i = 1, 4 do row[i] = math.log(p[i]) end
  local model = table_model { row, row, row, row }
  local function shares(options)
    sel.manual_seed(7)
    options.max_new_tokens = 1
    local drawn = nn.generate(model, sel.zeros(20000, 1, { dtype = "i64" }), options)
    local list = {}
    for i = 0, 3 do list[i + 1] = drawn:select(2, 2):eq(i):to("f64"):mean():item() end
    return list
  end
  near(shares {}, p, 0.02)
  near(shares { top_k = 2 }, { 0.625, 0.375, 0, 0 }, 0.02)
  near(shares { top_p = 0.85 }, { 0.5 / 0.95, 0.3 / 0.95, 0.15 / 0.95, 0 }, 0.02)
  near(shares { top_p = 0.75 }, { 0.625, 0.375, 0, 0 }, 0.02)
  near(shares { temperature = 0.5 }, { 0.25 / 0.365, 0.09 / 0.365, 0.0225 / 0.365, 0.0025 / 0.365 },
       0.02)
end)

test("a row ends with stop, the whole when all rows have ended", function()
  local next_is = { { 0, 9, 0, 0 }, { 0, 0, 9, 0 }, { 0, 0, 0, 9 }, { 9, 0, 0, 0 } } -- i to i + 1
  local seen = {}
  local out = nn.generate(table_model(next_is), i64 { { 0 }, { 2 } }, {
    max_new_tokens = 10, temperature = 0, stop = 3,
    on_ids = function(ids) seen[#seen + 1] = ids:reshape(-1):totable() end })
  equal(out:totable(), { { 0, 1, 2, 3 }, { 2, 3, 3, 3 } })
  equal(seen, { { 1, 3 }, { 2, 3 }, { 3, 3 } })
end)

test("a full context goes on from its last half", function()
  local calls = {}
  local model = table_model({ { 0, 9 }, { 9, 0 } }, calls)
  nn.generate(model, i64 { 0, 1, 0 }, { max_new_tokens = 7, context = 6 })
  equal(calls, { { 3, 0 }, { 1, 3 }, { 1, 4 }, { 1, 5 }, { 3, 0 }, { 1, 3 }, { 1, 4 } })
  local small = tiny():eval()
  equal(nn.generate(small, i64 { 1 }, { max_new_tokens = 40, context = 12 }):size(1), 41)
  raises(function() nn.generate(small, i64 { 1 }, { max_new_tokens = 40 }) end,
         "n_positions is 12, too few for 12 earlier positions")
end)

-- ---- refusals ----

test("wrong inputs and options are refused by name", function()
  local model, ids = tiny(), i64 { { 1, 2 } }
  raises(function() model(i64 { { 1, 13 } }) end, "gpt.transformer.wte", "13")
  raises(function() model(i64 { 1, 2 }) end, "gpt.transformer", "expected [N, T], got i64[2]")
  raises(function() model(sel.zeros(1, 2)) end, "expected i64 or i32, got f32[1, 2]")
  raises(function() model(sel.zeros(1, 13, { dtype = "i64" })) end,
         "n_positions is 12, too few for 0 earlier positions and i64[1, 13]")
  raises(function() model(ids, sel.zeros(2, 2, 1, 4, 11, 4)) end,
         "n_positions is 12, too few for 11 earlier positions and i64[1, 2]")
  raises(function() model(ids, sel.zeros(2, 2, 2, 4, 3, 4)) end,
         "past: expected f32[2, 2, 1, 4, P, 4], got f32[2, 2, 2, 4, 3, 4]")
  raises(function() model(ids, sel.zeros(2, 2, 1, 4, 3, 4, { dtype = "f64" })) end,
         "past: expected f32[2, 2, 1, 4, P, 4], got f64[2, 2, 1, 4, 3, 4]")
  raises(function() tiny { n_head = 3 } end, "n_embd, 16, is no multiple of n_head, 3")
  raises(function() tiny { n_kv_heads = 3 } end, "n_head, 4, is no multiple of n_kv_heads, 3")
  raises(function() tiny { n_head = 16, position = "rotary" } end, "even size")
  raises(function() tiny { activation = "tanh" } end, "activation", "swiglu")
  raises(function() tiny { dtype = "i64" } end, "dtype", "i64")
  raises(function() nn.rotary_encoding(5) end, "size is even, got 5")
  raises(function() nn.rotary_encoding(4)(sel.randn(2, 6)) end, "[*, length, 4], got f32[2, 6]")
  local encoding = nn.learned_encoding(4, 3)
  raises(function() encoding(sel.randn(4, 2, 4)) end, "3 positions", "f32[4, 2, 4]")
  raises(function() encoding(sel.randn(2, 2, 4), i64 { 2 }) end, "3 positions", "from 2 on")
  raises(function() encoding(sel.randn(2, 2, 4), i64 { -1 }) end, "offset", "-1")
  raises(function() encoding(sel.randn(2, 2, 4), sel.zeros(1)) end, "one i64, got f32[1]")
  raises(function() encoding(sel.randn(2, 2, 5)) end, "[length, N, 4], got f32[2, 2, 5]")
  raises(function() nn.generate(model, ids) end, "max_new_tokens")
  raises(function() nn.generate(model, ids, { max_new_tokens = 1.5 }) end, "whole number", "1.5")
  raises(function() nn.generate(model, ids, { max_new_tokens = 1, topk = 3 }) end, "topk", "top_k")
  raises(function() nn.generate(nn.embedding(5, 3), ids, { max_new_tokens = 1 }) end,
         "expected the model to give logits and present", "nothing")
  raises(function() nn.generate(model, { 1, 2 }, { max_new_tokens = 1 }) end, "ids", "a tensor")
  raises(function() nn.generate(model, sel.zeros(1, 0), { max_new_tokens = 1 }) end, "[N, T]")
end)
