-- Operations as Lua functions: defaults, numbers for tensors, mistakes.

local sel = require "selenite"
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

test("arguments have PyTorch's defaults", function()
  local x = sel.tensor { -2, 0.5, 30 }
  near(x:leaky_relu(), { -0.02, 0.5, 30 })
  near(x:leaky_relu(0.1), { -0.2, 0.5, 30 })
  near(x:elu(), { math.exp(-2) - 1, 0.5, 30 })
  near(x:softplus(), { math.log(1 + math.exp(-2)), math.log(1 + math.exp(0.5)), 30 })
  near(x:clamp(-1, 1), { -1, 0.5, 1 })
  near(x:clamp(nil, 1), { -2, 0.5, 1 })
  near(x:clamp(0), { 0, 0.5, 30 })
  near(x:hardshrink(), { -2, 0, 30 })
end)

test("a number may stand for a tensor in pointwise operations", function()
  local a, b = sel.tensor { 0, 10 }, sel.tensor { 10, 20 }
  near(a:lerp(b, 0.5), { 5, 15 })
  near(sel.where(a:gt(5), a, -1), { -1, 10 })
  near(a:maximum(3), { 3, 10 })
  near(a:addcmul(b, b, 0.1), { 10, 50 })
end)

test("reductions over dims", function()
  local x = sel.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
  equal(x:sum():item(), 21)
  near(x:sum(1), { 5, 7, 9 })
  near(x:sum(-1), { 6, 15 })
  equal(x:sum(2, true):shape(), { 2, 1 })
  equal(x:sum({ 1, 2 }):dim(), 0)
  equal(x:mean({ 1, 2 }, true):shape(), { 1, 1 })
  near(x:var(2), { 1, 1 })
  near(x:var(2, 0), { 2 / 3, 2 / 3 })
  near(x:norm(), math.sqrt(91))
  near(x:norm(1, 2), { 6, 15 })
  equal(x:gt(5):any():item(), true)
  equal(x:gt(5):all():item(), false)
  raises(function() x:sum(3) end, "sum: argument 2 (dims): dimension 3 is out of range")
  raises(function() x:sum(0) end, "dimension 0")
  raises(function() x:sum("x") end, "sum: argument 2 (dims)", "a dimension or a table")
  raises(function() x:mean(1, 1) end, "mean: argument 3 (keepdim): expected a boolean")
end)

test("max, min, argmax, argmin", function()
  local x = sel.tensor { { 1, 5, 3 }, { 9, 2, 4 } }
  equal(x:max():item(), 9)
  local values, where = x:max(2)
  near(values, { 5, 9 })
  equal(where:totable(), { 1, 0 })
  equal(x:min(1, true):shape(), { 1, 3 })
  near(x:max(sel.tensor { 4, 4, 4 }), { { 4, 5, 4 }, { 9, 4, 4 } })
  equal(x:argmax():item(), 3)
  equal(x:argmax(2):totable(), { 1, 0 })
  equal(x:argmin(1):totable(), { 0, 1, 0 })
  raises(function() x:max(3) end, "max: argument 2 (dim): dimension 3")
end)

test("sort and topk", function()
  local x = sel.tensor { 3, 1, 2 }
  local values, where = x:sort()
  near(values, { 1, 2, 3 })
  equal(where:totable(), { 1, 2, 0 })
  near(x:sort(1, true), { 3, 2, 1 })
  equal(x:argsort():totable(), { 1, 2, 0 })
  local top, at = x:topk(2)
  near(top, { 3, 2 })
  equal(at:totable(), { 0, 2 })
  near(x:topk(1, 1, false), { 1 })
end)

test("indexing operations count inside tensors from 0", function()
  local x = sel.tensor { { 1, 2 }, { 3, 4 }, { 5, 6 } }
  local index = sel.tensor({ 2, 0 }, { dtype = "i64" })
  near(x:index_select(1, index), { { 5, 6 }, { 1, 2 } })
  near(x:gather(2, sel.tensor({ { 1 }, { 0 }, { 1 } }, { dtype = "i64" })), { { 2 }, { 3 }, { 6 } })
  near(x:embedding(index), { { 5, 6 }, { 1, 2 } })
  equal(index:one_hot():totable(), { { 0, 0, 1 }, { 1, 0, 0 } })
  equal(index:one_hot(4):shape(), { 2, 4 })
  near(x:masked_fill(x:gt(4), 0), { { 1, 2 }, { 3, 4 }, { 0, 0 } })
  near(x:masked_select(x:gt(4)), { 5, 6 })
  equal(x:gt(4):nonzero():totable(), { { 2, 0 }, { 2, 1 } })
  local outside = sel.tensor({ 3 }, { dtype = "i64" })
  raises(function() x:index_select(1, outside) end, "index_select", "3")
end)

test("products", function()
  local a = sel.tensor { { 1, 2 }, { 3, 4 } }
  near(a:matmul(a), { { 7, 10 }, { 15, 22 } })
  near(a:matmul(sel.tensor { 1, 1 }), { 3, 7 })
  near(a:linear(a), { { 5, 11 }, { 11, 25 } })
  near(a:linear(a, sel.tensor { 1, 0 }), { { 6, 11 }, { 12, 25 } })
  raises(function() a:matmul(sel.ones(3, 2)) end, "matmul", "[2, 2]", "[3, 2]")
end)

test("softmax", function()
  near(sel.tensor({ { 0, 0 } }):softmax(2), { { 0.5, 0.5 } })
  near(sel.tensor({ { 0, 0 } }):log_softmax(-1), { { -math.log(2), -math.log(2) } })
  raises(function() sel.ones(2):softmax() end,
         "softmax: argument 2 (dim)", "a dimension", "nothing")
end)

test("mistakes name function, argument, expected and got, at the user's line", function()
  raises(function() sel.relu() end, "relu: argument 1 (x): expected a tensor, got nothing")
  raises(function() sel.relu(1) end, "relu", "got the number 1")
  raises(function() sel.ones(2):add() end, "add: argument 2 (b): expected a tensor or a number")
  raises(function() sel.ones(2):matmul({}) end, "matmul: argument 2 (b)", "got a table")
  raises(function() sel.ones(2):cumsum() end, "cumsum: argument 2 (dim)")
  raises(function() return sel.ones(2, 3) + sel.ones(4) end, "add", "[2, 3]", "[4]")
  local line = debug.getinfo(1, "l").currentline + 1
  local _, message = pcall(function() return sel.ones(2) + sel.ones(3) end)
  check.contains(message, ("operations.lua:%d: "):format(line))
end)
