-- vit beside its golden cases: initial values, dropout, refusals. Run by tests/lua/run.lua.

local sel = require "selenite"
local nn = sel.nn
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

-- A small vit with the given changes.
local function tiny(changes)
  local options = { image_size = 8, patch_size = 4, in_channels = 1, num_layers = 2, num_heads = 2,
                    hidden_dim = 32, mlp_dim = 64, num_classes = 5 }
  for name, value in pairs(changes or {}) do options[name] = value end
  return nn.vit(options)
end

-- Another classifier than the zeros it starts with.
local function awake(model)
  nn.init.normal_(model.heads.head.weight)
  return model
end

test("the defaults are vit_b_16", function()
  equal(nn.vit { dtype = "bf16" }:num_parameters(), 86567656)
end)

test("parameters start as torchvision's", function()
  sel.manual_seed(1)
  local model = nn.vit { image_size = 32, patch_size = 4, num_layers = 1, num_heads = 4,
                         hidden_dim = 128, mlp_dim = 256, num_classes = 3 }
  local block = "encoder.layers.encoder_layer_0."
  local deviations = { -- of xavier_uniform: sqrt(2 / (in + out))
    ["conv_proj.weight"] = math.sqrt(1 / 48), ["encoder.pos_embedding"] = 0.02,
    [block .. "self_attention.in_proj_weight"] = math.sqrt(2 / 512),
    [block .. "mlp.0.weight"] = math.sqrt(2 / 384), [block .. "mlp.0.bias"] = 1e-6,
    [block .. "mlp.3.weight"] = math.sqrt(2 / 384), [block .. "mlp.3.bias"] = 1e-6 }
  for name, p in model:named_parameters() do
    if deviations[name] then
      near(p:std():item() / deviations[name], 1, 0.15)
      deviations[name] = nil
    elseif name:find "ln" and name:find "weight" then
      equal(p:min():item(), 1)
    elseif not name:find "out_proj.weight" then
      equal(p:abs():max():item(), 0)
    end
  end
  equal(next(deviations), nil)
end)

test("dropout acts in training alone", function()
  local x = sel.randn(2, 1, 8, 8)
  for _, option in ipairs { "dropout", "attention_dropout" } do
    local model = awake(tiny { [option] = 0.3 })
    assert((model(x) - model(x)):abs():max():item() > 0, option)
    model:eval()
    equal((model(x) - model(x)):abs():max():item(), 0)
  end
end)

test("wrong images and options are refused with their sizes", function()
  local model = tiny()
  raises(function() model(sel.randn(2, 3, 8, 8)) end, "expected [N, 1, 8, 8], got f32[2, 3, 8, 8]")
  raises(function() model(sel.randn(2, 1, 8, 12)) end, "[N, 1, 8, 8]", "f32[2, 1, 8, 12]")
  raises(function() model(sel.randn(1, 8, 8)) end, "[N, 1, 8, 8]", "f32[1, 8, 8]")
  raises(function() model.encoder(sel.randn(2, 4, 32)) end,
         "vit_encoder: input: expected [N, 5, 32], got f32[2, 4, 32]")
  raises(function() tiny { patch_size = 3 } end, "image_size, 8, is no multiple of patch_size, 3")
  raises(function() tiny { num_heads = 3 } end, "hidden_dim, 32, is no multiple of num_heads, 3")
  raises(function() tiny { dtype = "i32" } end, "dtype", "i32")
end)
