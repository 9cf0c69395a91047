-- Metrics: small cases by hand, uneven batches, states, mistakes.

local sel = require "selenite"
local metrics = sel.metrics
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

-- Scores whose highest is at the given class ids.
local function scores_of(ids, classes)
  return sel.tensor(ids, { dtype = "i64" }):one_hot(classes):float() * 2 - 1
end
local function ids_of(list) return sel.tensor(list, { dtype = "i64" }) end

test("accuracy counts over examples, also in uneven batches", function()
  local m = metrics.accuracy()
  m:update(scores_of({ 0, 1, 2, 2 }, 3), ids_of { 0, 1, 1, 2 })
  m:update(scores_of({ 1 }, 3), ids_of { 0 })
  near(m:compute(), 3 / 5)
  m:reset()
  m:update(ids_of { 1, 2 }, ids_of { 1, 2 })
  equal(m:compute(), 1)
end)

test("accuracy of two classes, of places, and with targets that don't count", function()
  local m = metrics.accuracy()
  m:update(sel.tensor { 0.5, -0.5, 2 }, sel.tensor { 1, 1, 1 })
  near(m:compute(), 2 / 3)
  local p = metrics.accuracy { threshold = 0.5 }
  p:update(sel.tensor { 0.4, 0.6 }, ids_of { 0, 1 })
  equal(p:compute(), 1)
  local ignoring = metrics.accuracy { ignore_index = -100 }
  local scores = scores_of({ 0, 1, 1, 0 }, 2):reshape(2, 2, 2):transpose(2, 3) -- [N, classes, T]
  ignoring:update(scores, ids_of { { 0, -100 }, { 1, 1 } })
  near(ignoring:compute(), 2 / 3)
end)

test("top_k", function()
  local scores = sel.tensor { { 0.1, 0.5, 0.3, 0.2 }, { 0.4, 0.3, 0.2, 0.1 }, { 1, 2, 3, 4 } }
  local m = metrics.top_k { k = 2 }
  m:update(scores:slice(1, 1, 2), ids_of { 2, 2 })
  m:update(scores:slice(1, 3, 3), ids_of { 3 })
  near(m:compute(), 2 / 3)
  raises(function() metrics.top_k():update(scores, ids_of { 0, 0, 0 }) end,
         "top_k: k is 5, but there are 4 classes")
end)

-- 0 taken for 0 twice and for 1 once; 1 for 1; 2 for 1 and for 2. Class 3 doesn't occur.
local actual, predicted = { 0, 0, 0, 1, 2, 2 }, { 0, 0, 1, 1, 1, 2 }

-- Precision and recall: 0: 1, 2/3; 1: 1/3, 1; 2: 1, 1/2.
local f1_of_classes = { 4 / 5, 1 / 2, 2 / 3 }

test("confusion: rows are the actual classes", function()
  local m = metrics.confusion { classes = 4 }
  m:update(ids_of { 0, 0, 1, 1 }, ids_of { 0, 0, 0, 1 })
  m:update(scores_of({ 1, 2 }, 4), ids_of { 2, 2 })
  equal(m:compute(), { { 2, 1, 0, 0 }, { 0, 1, 0, 0 }, { 0, 1, 1, 0 }, { 0, 0, 0, 0 } })
  check.contains(sel.plot.confusion(m:compute(), { "a", "b", "c", "d" }), "recall")
  raises(function() m:update(ids_of { 4 }, ids_of { 0 }) end,
         "confusion: outputs: expected class ids from 0 to 3, got 4")
  raises(function() m:update(ids_of { 0 }, ids_of { -1 }) end, "targets", "got -1")
end)

test("f1: macro is over the classes that occur, micro over all examples", function()
  for average, expected in pairs {
    macro = (f1_of_classes[1] + f1_of_classes[2] + f1_of_classes[3]) / 3, micro = 4 / 6 } do
    local m = metrics.f1 { classes = 4, average = average }
    m:update(ids_of(predicted):slice(1, 1, 5), ids_of(actual):slice(1, 1, 5))
    m:update(ids_of(predicted):slice(1, 6, 6), ids_of(actual):slice(1, 6, 6))
    near(m:compute(), expected)
    m:reset()
    m:update(ids_of { 1 }, ids_of { 1 })
    equal(m:compute(), 1)
  end
  local m = metrics.f1 { classes = 4, average = "none" }
  m:update(ids_of(predicted), ids_of(actual))
  local each = m:compute()
  near({ each[1], each[2], each[3] }, f1_of_classes)
  assert(each[4] ~= each[4])
end)

test("perplexity of equally likely tokens is their number", function()
  local m = metrics.perplexity()
  m:update(sel.zeros(2, 8, 3), sel.zeros(2, 3, { dtype = "i64" }))
  near(m:compute(), 8)
  m:reset()
  -- Probabilities 1/2 and 1/4 of the right token, one token left out: e^((ln 2 + ln 4) / 2).
  local logits = sel.tensor { { 0.5, 0.5 }, { 0.25, 0.75 }, { 0.9, 0.1 } }:log()
  m:update(logits:slice(1, 1, 2), ids_of { 0, 0 })
  m:update(logits:slice(1, 3, 3), ids_of { -100 })
  near(m:compute(), 8 ^ 0.5)
end)

test("mae and mean weigh each element, each example", function()
  local m = metrics.mae()
  m:update(sel.tensor { 1, 2, 3 }, sel.tensor { 2, 2, 5 })
  m:update(sel.tensor { 4 }, sel.tensor { 0 })
  near(m:compute(), 7 / 4)
  local mean = metrics.mean()
  mean:update(1, 3)
  mean:update(5)
  near(mean:compute(), 2)
  mean:reset()
  assert(mean:compute() ~= mean:compute())
end)

test("a state goes on where it was taken", function()
  for _, make in ipairs {
    function() return metrics.accuracy() end, function() return metrics.top_k { k = 2 } end,
    function() return metrics.f1 { classes = 3 } end,
    function() return metrics.confusion { classes = 3 } end,
    function() return metrics.perplexity() end } do
    local one, other = make(), make()
    local scores, targets = sel.randn(10, 3), sel.randint(0, 3, { 10 })
    one:update(scores:slice(1, 1, 6), targets:slice(1, 1, 6))
    local state = one:state_dict()
    one:update(scores:slice(1, 7, 10), targets:slice(1, 7, 10))
    other:load_state_dict(state)
    other:update(scores:slice(1, 7, 10), targets:slice(1, 7, 10))
    equal(other:compute(), one:compute())
    other:load_state_dict(state)
    other:update(scores:slice(1, 7, 10), targets:slice(1, 7, 10))
    equal(other:compute(), one:compute()) -- the state itself is not counted in
  end
  raises(function() metrics.accuracy():load_state_dict { right = 1 } end,
         "accuracy: state.count: expected a number, got nothing")
end)

test("mistakes", function()
  raises(function() metrics.accuracy { k = 1 } end, "accuracy: no option 'k'",
         "ignore_index, threshold")
  raises(function() metrics.confusion() end, "confusion: option 'classes' is required")
  raises(function() metrics.confusion { classes = 1.5 } end, "a whole number of at least 2")
  raises(function() metrics.f1 { classes = 3, average = "mean" } end,
         "option 'average': expected 'macro', 'micro' or 'none'")
  raises(function() metrics.accuracy():update(1, ids_of { 1 }) end,
         "accuracy: argument 1 (outputs): expected a tensor, got the number 1")
  raises(function() metrics.accuracy():update(sel.ones(3, 2), ids_of { 1, 0 }) end,
         "expected outputs [N, classes, ...] and class ids [N, ...], got a tensor f32[3, 2]")
  raises(function() metrics.mae():update(sel.ones(3), sel.ones(2)) end, "of one shape", "f32[2]")
  raises(function() metrics.mean():update "x" end, "mean: argument 1 (value): expected a number")
end)
