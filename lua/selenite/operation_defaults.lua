-- What a header can't say about the arguments of an operation: defaults, which tensors may be left
-- out, and what the numbers of pointwise operations are called.

local M = {}

-- "operation.argument" -> default, as Lua text.
M.defaults = {
  ["var.correction"] = "1", ["std.correction"] = "1", ["norm.p"] = "2",
  ["flatten.first_dim"] = "1", ["flatten.last_dim"] = "-1",
  ["sort.dim"] = "-1", ["argsort.dim"] = "-1", ["topk.dim"] = "-1", ["topk.largest"] = "true",
  ["pad.value"] = "0", ["tril.diagonal"] = "0", ["triu.diagonal"] = "0",
  ["uniform_.low"] = "0", ["uniform_.high"] = "1", ["normal_.mean"] = "0", ["normal_.std"] = "1",
  ["bernoulli_.p"] = "0.5", ["dropout.p"] = "0.5",
  ["clamp.min"] = "-1/0", ["clamp.max"] = "1/0", ["clamp_.min"] = "-1/0", ["clamp_.max"] = "1/0",
  ["leaky_relu.negative_slope"] = "0.01", ["leaky_relu_.negative_slope"] = "0.01",
  ["elu.alpha"] = "1", ["elu_.alpha"] = "1", ["celu.alpha"] = "1", ["celu_.alpha"] = "1",
  ["softplus.beta"] = "1", ["softplus.threshold"] = "20",
  ["softplus_.beta"] = "1", ["softplus_.threshold"] = "20",
  ["hardshrink.lambda"] = "0.5", ["hardshrink_.lambda"] = "0.5",
  ["softshrink.lambda"] = "0.5", ["softshrink_.lambda"] = "0.5",
  ["addcmul.value"] = "1", ["addcmul_.value"] = "1",
  ["addcdiv.value"] = "1", ["addcdiv_.value"] = "1",
  ["linear.bias"] = "nil", ["bilinear.bias"] = "nil",
  ["attention.mask"] = "nil", ["attention.causal"] = "false", ["attention.dropout"] = "0",
  ["attention.scale"] = "0", ["rotary.offset"] = "0", ["rotary.base"] = "10000",
  ["rotary.interleaved"] = "false",
}

-- What the scalar parameters s0, s1 of pointwise operations are called.
M.scalar_names = {
  clamp = { "min", "max" }, leaky_relu = { "negative_slope" }, elu = { "alpha" },
  celu = { "alpha" }, softplus = { "beta", "threshold" }, hardshrink = { "lambda" },
  softshrink = { "lambda" }, addcmul = { "value" }, addcdiv = { "value" },
}

return M
