-- Losses as functions and as modules.

local sel = require "selenite"
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

local logits = sel.tensor { { 2, 0, 0 }, { 0, 3, 0 } }
local target = sel.tensor({ 0, 2 }, { dtype = "i64" })

test("cross_entropy and its options", function()
  local first = -math.log(math.exp(2) / (math.exp(2) + 2))
  local second = -math.log(1 / (math.exp(3) + 2))
  near(sel.cross_entropy(logits, target), (first + second) / 2)
  near(sel.cross_entropy(logits, target, { reduction = "sum" }), first + second)
  near(sel.cross_entropy(logits, target, { reduction = "none" }), { first, second })
  near(sel.cross_entropy(logits, target, { weight = sel.tensor { 1, 1, 3 } }),
       (first + 3 * second) / 4)
  near(sel.cross_entropy(logits, target, { ignore_index = 2 }), first)
  near(logits:cross_entropy(target), (first + second) / 2)
  near(sel.nll_loss(logits:log_softmax(2), target), (first + second) / 2)
end)

test("regression losses", function()
  local x, y = sel.tensor { 0, 3 }, sel.tensor { 0.5, 0 }
  near(sel.mse_loss(x, y), (0.25 + 9) / 2)
  near(sel.l1_loss(x, y), 1.75)
  near(sel.smooth_l1_loss(x, y, { reduction = "none" }), { 0.125, 2.5 })
  near(sel.smooth_l1_loss(x, y, { beta = 4, reduction = "none" }), { 0.03125, 1.125 })
  near(sel.huber_loss(x, y, { delta = 2, reduction = "none" }), { 0.125, 4 })
end)

test("binary losses and kl_div", function()
  local x, y = sel.tensor { 0, 2 }, sel.tensor { 1, 0 }
  near(sel.bce_with_logits_loss(x, y, { reduction = "none" }),
       { math.log(2), math.log(1 + math.exp(2)) })
  near(sel.bce_loss(sel.tensor { 0.5 }, sel.tensor { 1 }), math.log(2))
  near(sel.bce_with_logits_loss(x, y, { pos_weight = sel.tensor { 3 }, reduction = "none" }),
       { 3 * math.log(2), math.log(1 + math.exp(2)) })
  local p, q = sel.tensor({ { 0.5, 0.5 } }):log(), sel.tensor { { 1, 0 } }
  near(sel.kl_div_loss(p, q, { reduction = "sum" }), math.log(2))
  near(sel.kl_div_loss(p, q, { reduction = "batchmean" }), math.log(2))
  near(sel.kl_div_loss(p, q), math.log(2) / 2)
end)

test("mistakes", function()
  raises(function() sel.cross_entropy(logits) end,
         "cross_entropy: argument 2 (target): expected a tensor, got nothing")
  raises(function() sel.cross_entropy(logits, target, { weigth = 1 }) end,
         "cross_entropy: no option 'weigth'", "weight")
  raises(function() sel.cross_entropy(logits, target, { weight = 1 }) end,
         "option 'weight': expected a tensor")
  raises(function() sel.mse_loss(logits, logits, { reduction = "avg" }) end,
         "mse_loss", "'mean', 'sum' or 'none'", '"avg"')
  raises(function() sel.mse_loss(logits, logits, "sum") end, "a table of options")
  raises(function() sel.cross_entropy(logits, sel.tensor({ 0, 3 }, { dtype = "i64" })) end,
         "cross_entropy", "3")
end)

test("losses as modules", function()
  local nn = sel.nn
  near(nn.mse_loss()(sel.tensor { 1 }, sel.tensor { 3 }), 4)
  local loss = nn.cross_entropy_loss { weight = sel.tensor { 1, 1, 3 }, label_smoothing = 0.1 }
  near(loss(logits, target), sel.cross_entropy(logits, target,
    { weight = sel.tensor { 1, 1, 3 }, label_smoothing = 0.1 }):item())
  equal(tostring(loss), "cross_entropy_loss(label_smoothing=0.1)")
  equal(#loss:parameters(), 0)
  raises(function() nn.mse_loss { beta = 1 } end, "mse_loss: no option 'beta'")
end)
