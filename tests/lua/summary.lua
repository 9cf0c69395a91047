-- sel.summary: the table, its figures, and that the model stays as it was.

local sel = require "selenite"
local nn, optim = sel.nn, sel.optim
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

local Net = nn.module "Net"
function Net:init()
  self.first = nn.linear(4, 4)
  self.blocks = { nn.linear(4, 4), self.first, nn.linear(2, 2) }
  self.norm = nn.batch_norm1d(4)
  self.rest = nn.sequential(nn.dropout(0.5), nn.gru(4, 3))
  self:register_buffer("scale", sel.ones(4))
end
function Net:forward(x)
  for i = 1, 2 do x = self.blocks[i](x):relu() end
  return self.rest(self.norm(self.first(x) * self.scale):unsqueeze(1))
end

local function row_of(summary, path)
  for _, row in ipairs(summary.rows) do
    if row.path == path then return row end
  end
  error("no row " .. path, 2)
end

test("the table", function()
  local net = Net()
  net.first:requires_grad_(false)
  equal(sel.summary(net, sel.randn(5, 4)):text(), [[
layer                                  output        parameters  trainable  FLOPs
Net                                    f32[1, 5, 3]         135        115  1.11k
  first linear, 2 times                f32[5, 4]             20          0    320
  blocks.0 linear                      f32[5, 4]             20         20    160
  blocks.1 linear (the same as first)  f32[5, 4]             20          0    320
  blocks.2 linear (not used)                                  6          6      0
  norm batch_norm1d                    f32[5, 4]              8          8      0
  rest sequential                      f32[1, 5, 3]          81         81    630
    0 dropout                          f32[1, 5, 4]           0          0      0
    1 gru                              f32[1, 5, 3]          81         81    630

135 parameters, 115 of them trainable; 1.11k FLOPs, 2 for a multiply-add
memory: 596 B of parameters and buffers, 1.02 kB that a backward pass would hold]])
end)

test("large figures have units, deep layers can be left out", function()
  local net = nn.sequential(nn.conv2d(3, 64, 3, { padding = 1 }), nn.flatten(),
                            nn.linear(64 * 16 * 16, 1000))
  local summary = sel.summary(net, sel.randn(2, 3, 16, 16))
  equal(summary:text(0), [[
layer       output        parameters   trainable   FLOPs
sequential  f32[2, 1000]  16,386,792  16,386,792  67.31M

16,386,792 parameters, 16,386,792 of them trainable; 67.31M FLOPs, 2 for a multiply-add
memory: 65.55 MB of parameters and buffers, 139.26 kB that a backward pass would hold]])
  equal(summary.flops, 2 * 2 * (64 * 27 * 256 + 64 * 256 * 1000))
  equal(row_of(summary, "0").flops, 2 * 2 * 64 * 27 * 256)
end)

test("inside of plugin layers", function()
  local summary = sel.summary(nn.transformer_encoder_layer(8, 2, 16), sel.randn(2, 3, 8))
  equal(row_of(summary, "self_attn.out_proj").output, "f32[2, 3, 8]")
  equal(row_of(summary, "linear1").output, "f32[2, 3, 16]")
  equal(row_of(summary, "linear1").flops, 2 * 2 * 3 * 8 * 16)
  equal(row_of(summary, "self_attn").calls, 1)
end)

test("activations are what backward holds", function()
  local net = nn.sequential(nn.linear(64, 64), nn.tanh(), nn.linear(64, 64), nn.tanh())
  local x = sel.randn(1000, 64)
  local summary = sel.summary(net, x)
  near(summary.activation_bytes, 2 * 1000 * 64 * 4, 0.2) -- what each tanh gave
  net:requires_grad_(false)
  near(sel.summary(net, x).activation_bytes, 1000 * 64 * 4, 0.2) -- the output alone
  equal(summary.bytes, 2 * (64 * 64 + 64) * 4)
end)

test("several inputs, and models that call what isn't their own", function()
  local inner = nn.linear(2, 3)
  local Borrower = nn.module "Borrower"
  function Borrower:init() self.box = nn.sequential(inner) end
  function Borrower.forward(_, a, b) return inner(a) + inner(b) end
  local summary = sel.summary(Borrower(), sel.ones(1, 2), sel.ones(1, 2))
  equal(row_of(summary, "box.0").calls, 2)
  equal(row_of(summary, "box").calls, 0)
  equal(summary.flops, 2 * 2 * 2 * 3)
end)

test("the model stays as it was", function()
  local net = Net()
  net.norm:eval()
  local optimizer = optim.sgd(net:parameters(), { lr = 0.1 })
  net(sel.randn(5, 4)):sum():backward()
  local function look()
    local texts = { sel.get_rng_state(), tostring(net.training), tostring(net.norm.training),
                    tostring(net.rest[1].training), tostring(sel.grad_enabled()) }
    for name, t in pairs(net:state_dict()) do
      texts[#texts + 1] = name .. table.concat(t:flatten():totable(), " ")
    end
    for name, p in net:named_parameters() do
      texts[#texts + 1] = name .. (p.grad and table.concat(p.grad:flatten():totable(), " ") or "")
    end
    table.sort(texts)
    return texts
  end
  local x = sel.randn(5, 4)
  local before = look()
  sel.summary(net, x)
  sel.no_grad(sel.summary, net, x)
  raises(function() sel.summary(net, sel.ones(5, 3)) end, "blocks.0 (linear)")
  equal(look(), before)
  optimizer:step()
end)

test("a model that draws random numbers even so", function()
  local Noisy = nn.module "Noisy"
  function Noisy.forward(_, x) return x + sel.randn_like(x) end
  local state = sel.get_rng_state()
  sel.summary(Noisy(), sel.ones(2))
  equal(sel.get_rng_state(), state)
end)

test("mistakes", function()
  raises(function() sel.summary(1) end, "summary: argument 1 (model): expected a module")
  raises(function() sel.summary(nn.relu()) end, "summary: argument 2 (input): expected a tensor")
  sel.profile(function()
    raises(function() sel.summary(nn.relu(), sel.ones(1)) end, "summary: profile: ", "don't nest")
  end)
end)
