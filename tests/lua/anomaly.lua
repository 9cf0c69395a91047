-- sel.detect_anomaly, and what sel.train says about NaN and infinity.

local sel = require "selenite"
local nn, optim, data = sel.nn, sel.optim, sel.data
local check = require "check"
local test, equal, raises = check.test, check.equal, check.raises

local function class(name, forward)
  local new = nn.module(name)
  function new.forward(_, x) return forward(x) end
  return new
end
local Log = class("Log", function(x) return (x - x):log() end)
local Scale = class("Scale", function(x) return x * 0 end)
local Root = class("Root", function(x) return (x * 0):sqrt() end) -- its gradient is infinite

local function anomaly(fn, ...)
  raises(function() sel.detect_anomaly(fn) end, "detect_anomaly: " .. table.concat { ... })
end

test("the layer and operation that made the first NaN, and the infinity it was made of", function()
  local x = sel.randn(4, 3)
  local net = nn.sequential(nn.linear(3, 4), nn.sequential(nn.relu(), Log()), Scale(),
                            nn.linear(4, 2))
  anomaly(function() return net(x):sum() end,
          "the first nan was made by 'mul' in layer 2 (Scale), of an infinity made by 'log' in ",
          "layer 1.1 (Log)")
  anomaly(function() return (x * 0 / 0):tanh() end, "the first nan was made by 'div' outside of ",
          "layers")
  anomaly(function() return Log()(x) end, "the first infinity was made by 'log' in layer Log")
end)

test("inside of plugin layers, too", function()
  local layer = nn.transformer_encoder_layer(8, 2, 16)
  local x = sel.full({ 2, 3, 8 }, math.huge)
  anomaly(function() return layer(x) end, "the first nan was made by 'linear' in layer self_attn ",
          "(multihead_attention), of an infinity in an input that had it before")
end)

test("in backward: the gradient's operation and the layer that ran forward", function()
  local net = nn.sequential(nn.linear(3, 4), Root())
  anomaly(function()
    local loss = net(sel.ones(2, 3)):sum()
    loss:backward()
    return loss
  end, "the first nan was made by 'mul' in the gradient of 'mul' in layer 1 (Root), of an ",
       "infinity made by 'div' in the gradient of 'sqrt' in layer 1 (Root)")
end)

test("what came in with an input is told from what was made", function()
  local bad = sel.tensor { 1, 0 / 0 }
  anomaly(function() return bad:exp() end,
          "nan came into 'exp' outside of layers with an input that had it before")
end)

test("masks of infinities are no anomaly", function()
  local mask = sel.ones(4, 4):triu(1):bool()
  local function attend(scores) return scores:masked_fill(mask, -math.huge):softmax(2) end
  local y = sel.detect_anomaly(attend, sel.zeros(4, 4))
  check.near(y:sum(), 4)
  anomaly(function() return sel.zeros(2, 2):masked_fill(sel.ones(2, 2):bool(), -math.huge)
            :softmax(2) end,
          "the first nan was made by 'softmax' outside of layers, of an infinity made by 'where'")
end)

test("fused functions", function()
  local f = sel.fuse("a, b -> log(a) * b")
  anomaly(function() return f(sel.zeros(3), sel.zeros(3)) end, "the first nan was made by 'fuse'")
end)

test("results come back, errors go on up, and profiles stay what they are", function()
  local function count(...) return select("#", ...), ... end
  local function with_hole(a, b) return a, nil, b end
  local n, first, second, third = count(sel.detect_anomaly(with_hole, 1, 2))
  equal({ n, first, tostring(second), third }, { 3, 1, "nil", 2 })
  raises(function() sel.detect_anomaly(function() error "mine" end) end, "mine")
  raises(function() sel.detect_anomaly(function() return nn.linear(2, 2)(sel.ones(3)) end) end,
         "linear: ")
  raises(function() sel.detect_anomaly() end, "detect_anomaly: argument 1 (fn): expected a func")
  sel.profile(function()
    raises(function() sel.detect_anomaly(function() end) end, "detect_anomaly: profile: ",
           "don't nest")
  end)
  equal(#sel.profile(function() return sel.ones(2):exp() end).operations, 2)
end)

-- ---- in sel.train ----

-- A function that trains on 20 examples in batches of 6, and one that looks at what it left.
local function train_with(options)
  sel.manual_seed(1)
  local model = options.model or nn.sequential(nn.linear(3, 4), nn.dropout(0.5), nn.linear(4, 2))
  local x, y = sel.randn(20, 3), sel.randint(0, 2, { 20 })
  if options.spoil then options.spoil(x) end
  local before
  return function()
    sel.train { model = model, loss = options.loss or sel.cross_entropy, progress = false,
      optimizer = optim.sgd(model:parameters(), { lr = 0.1 }), epochs = 1,
      data = data.loader(data.tensor_dataset(x, y), { batch_size = 6 }),
      accumulate = options.accumulate,
      callbacks = { step = function()
        before = { sel.get_rng_state(), model:state_dict()["0.weight"]:clone():flatten():totable() }
        if options.step then options.step(model) end
      end } }
  end, function() -- parameters and generator are those after the last step
    equal({ sel.get_rng_state(), model:state_dict()["0.weight"]:flatten():totable() }, before)
    for _, parameter in ipairs(model:parameters()) do equal(parameter.grad, nil) end
  end
end

test("train: a loss that isn't finite", function()
  local calls = 0
  local train, check_untouched = train_with { loss = function(outputs, targets)
    calls = calls + 1
    local loss = sel.cross_entropy(outputs, targets)
    return calls >= 3 and (loss - loss) / 0 or loss
  end }
  raises(train, "train: step 3 (epoch 1, batch 3): the loss is nan: the first nan was made by "
                .. "'div' outside of layers")
  check_untouched()
end)

test("train: the layer that made it, from the same random numbers", function()
  local Rare = class("Rare", function(x) return (x:gt(0):sum() - 10):float():log() + x end)
  local net = nn.sequential(nn.linear(3, 4), nn.dropout(0.5), Rare(), nn.linear(4, 2))
  raises(train_with { model = net }, "the loss is ", "was made by 'log' in layer 2 (Rare)")
end)

test("train: gradients that aren't finite though the loss is", function()
  for accumulate = 1, 2 do
    local net = nn.sequential(nn.linear(3, 4), nn.relu(), nn.linear(4, 2), Root())
    local train = train_with { model = net, accumulate = accumulate }
    raises(train, "train: step 1 (epoch 1, batch 1): the gradient of 2.weight isn't finite: the "
           .. "first nan was made by 'mul' in the gradient of 'mul' in layer 3 (Root), of an "
           .. "infinity made by 'div' in the gradient of 'sqrt' in layer 3 (Root)")
  end
end)

test("train: what was there before", function()
  raises(train_with { spoil = function(x) x:slice(1, 14, 14):fill_(math.huge) end },
         "train: step 3 (epoch 1, batch 3): the loss is nan: field 1 of the batch isn't finite")
  raises(train_with { step = function(model)
    sel.no_grad(function() model[3].bias:fill_(0 / 0) end)
  end }, "train: step 2 (epoch 1, batch 2): the loss is nan: 2.bias wasn't finite before this step")
end)

test("train: what doesn't happen again, or in a profile, is named by its step", function()
  local calls = 0
  local function once(outputs, targets)
    calls = calls + 1
    return sel.cross_entropy(outputs, targets) / (calls == 2 and 0 or 1)
  end
  raises(train_with { loss = once },
         "train: step 2 (epoch 1, batch 2): the loss is inf: computed again, the same batch was ")
  calls = 0
  sel.profile(function()
    raises(train_with { loss = once }, "train: step 2 (epoch 1, batch 2): the loss is inf")
  end)
end)
