-- What is proposed for names that aren't there, and other errors of the first hour.

local sel = require "selenite"
local check = require "check"
local suggest = require "selenite.suggest"
local test, equal, raises = check.test, check.equal, check.raises
local nn, optim, data = sel.nn, sel.optim, sel.data

test("the same letters in another form, a slip, a name from elsewhere, or nothing", function()
  local names = { batch_norm2d = true, linear = true, matmul = true, max = true, t = true }
  for name, expected in pairs { BatchNorm2d = "batch_norm2d", batchnorm2d = "batch_norm2d",
                                linaer = "linear", Linear = "linear", bmm = "matmul", T = "t" } do
    equal(suggest(name, names), ("; did you mean '%s'?"):format(expected))
  end
  for _, name in ipairs { "mix", "a", "tolist", "frobnicate" } do
    equal(suggest(name, names), "")
  end
end)

test("in errors", function()
  raises(function() return nn.Conv2d end, "nn has no 'Conv2d'; did you mean 'conv2d'?")
  raises(function() return nn.xyz end, "no loaded plugin brings a layer type")
  raises(function() return sel.ones(1).tolist end, "did you mean 'totable'?")
end)

test("a module where its parts are wanted, a tensor where a number is", function()
  local model = nn.linear(2, 2)
  raises(function() optim.adam(model) end, "adam: expected a list of parameters, as model:param")
  raises(function() sel.save("m.safetensors", model) end, "as model:state_dict() gives it")
  raises(function() return "loss " .. sel.ones(1) end, "x:item() is the number")
  raises(function() return sel.ones(1) .. " loss" end, "x:item() is the number")
end)

test("a dot where a colon belongs", function()
  local model = nn.sequential(nn.linear(2, 2))
  raises(function() local _ = model.parameters() end,
         "parameters: argument 1 (m): expected a module, as in m:parameters(), got nothing")
  raises(function() local _ = model[1].state_dict() end, "as in m:state_dict()")
  raises(function() local _ = model.to "f64" end, "as in m:to()")
end)

test("a loader is asked for its batches", function()
  local loader = data.loader(data.tensor_dataset(sel.ones(2, 2)))
  raises(function() loader() end, "for ... in loader:batches() do") -- as `in loader` would
end)
