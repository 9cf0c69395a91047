-- The layers of the rnn plugin beside their golden cases: stepwise use, lengths, initial values,
-- refusals. Run by tests/lua/run.lua.

local sel = require "selenite"
local nn = sel.nn
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

local sequences = {
  { nn.rnn, nn.rnn_cell, { input_size = 3, hidden_size = 5, dtype = "f64" } },
  { nn.rnn, nn.rnn_cell,
    { input_size = 3, hidden_size = 5, nonlinearity = "relu", dtype = "f64" } },
  { nn.lstm, nn.lstm_cell, { input_size = 3, hidden_size = 5, dtype = "f64" } },
  { nn.gru, nn.gru_cell, { input_size = 3, hidden_size = 5, dtype = "f64" } },
}

local function close(got, expected, tolerance)
  equal(got:shape(), expected:shape())
  near((got - expected):abs():max():item(), 0, tolerance or 1e-12)
end

local function all_states(h, c) return c and { h, c } or { h } end

-- ---- stepwise ----

test("states carried from step to step give the whole sequence", function()
  sel.manual_seed(1)
  local x = sel.randn(6, 2, 3, { dtype = "f64" })
  for _, entry in ipairs(sequences) do
    local layer = entry[1](entry[3])
    local y, h, c = layer(x)
    local states = {}
    for t = 1, 6 do
      local part
      part, states[1], states[2] = layer(x:narrow(1, t, 1), states[1], states[2])
      close(part, y:narrow(1, t, 1))
    end
    close(states[1], h)
    if c then close(states[2], c) end
  end
end)

test("a cell with the layer's parameters gives its outputs and gradients", function()
  sel.manual_seed(2)
  for _, entry in ipairs(sequences) do
    local layer, cell = entry[1](entry[3]), entry[2](entry[3])
    local state = {}
    for name, t in pairs(layer:state_dict()) do state[name:gsub("_l0", "")] = t end
    cell:load_state_dict(state)
    local x = sel.randn(4, 2, 3, { dtype = "f64" })
    local y = layer(x)
    y:sum():backward()
    local outputs, states = {}, {}
    for t = 1, 4 do
      states = all_states(cell(x:select(1, t), unpack(states)))
      outputs[t] = states[1]
    end
    close(sel.stack(outputs, 1), y)
    sel.stack(outputs, 1):sum():backward()
    for name in cell:named_parameters() do close(cell[name].grad, layer[name .. "_l0"].grad) end
  end
end)

test("without a tape the numbers are the same", function()
  for _, entry in ipairs(sequences) do
    local layer, x = entry[1](entry[3]), sel.randn(5, 2, 3, { dtype = "f64" })
    local recorded = { layer(x) }
    sel.no_grad(function()
      for i, t in ipairs { layer(x) } do close(t, recorded[i]:detach(), 0) end
    end)
  end
end)

-- ---- lengths ----

test("behind its length a row is zero, and its states are those at its length", function()
  sel.manual_seed(3)
  local x = sel.randn(5, 3, 3, { dtype = "f64" })
  local lengths = sel.tensor({ 5, 0, 2 }, { dtype = "i64" })
  local layer = nn.lstm { input_size = 3, hidden_size = 4, bidirectional = true, dtype = "f64" }
  local y, h, c = layer(x, nil, nil, lengths)
  equal(y:select(2, 2):abs():max():item(), 0)
  equal(y:narrow(1, 3, 3):select(2, 3):abs():max():item(), 0)
  equal(h:select(2, 2):abs():max():item(), 0)
  local short, short_h, short_c = layer(x:narrow(1, 1, 2):narrow(2, 3, 1))
  close(y:narrow(1, 1, 2):narrow(2, 3, 1), short)
  close(h:narrow(2, 3, 1), short_h)
  close(c:narrow(2, 3, 1), short_c)
end)

-- ---- sizes ----

test("an empty batch passes forward and back", function()
  for _, entry in ipairs(sequences) do
    local layer = entry[1](entry[3])
    local x = sel.zeros(4, 0, 3, { dtype = "f64" }):requires_grad_()
    local y, h = layer(x)
    equal(y:shape(), { 4, 0, 5 })
    equal(h:shape(), { 1, 0, 5 })
    y:sum():backward()
    equal(x.grad:shape(), { 4, 0, 3 })
    equal(layer.weight_hh_l0.grad:abs():sum():item(), 0)
  end
end)

test("f16 is computed in f32", function()
  local layer = nn.gru(3, 4)
  local x = sel.randn(4, 2, 3)
  local y = layer(x)
  close(layer:to("f16")(x:to("f16")):to("f32"), y, 2e-2)
end)

-- ---- initial values, dropout ----

test("parameters start uniform within 1 / sqrt(hidden_size), with PyTorch's names", function()
  sel.manual_seed(4)
  local layer = nn.lstm { input_size = 30, hidden_size = 100, num_layers = 2, bidirectional = true }
  local names = {}
  for name, p in layer:named_parameters() do
    names[#names + 1] = name
    local largest = p:abs():max():item()
    assert(largest <= 0.1 and largest > 0.095, name)
    near(p:mean():item(), 0, 0.02)
  end
  equal(#names, 16)
  equal(names[1], "weight_ih_l0")
  equal(names[8], "bias_hh_l0_reverse")
  equal(layer.weight_ih_l1_reverse:shape(), { 400, 200 })
end)

test("dropout between layers acts in training alone", function()
  local layer = nn.gru { input_size = 3, hidden_size = 8, num_layers = 2, dropout = 0.5 }
  local x = sel.randn(4, 2, 3)
  local first, second = layer(x), layer(x)
  assert((first - second):abs():max():item() > 0)
  layer:eval()
  close(layer(x), (layer(x)), 0)
  local single = nn.gru { input_size = 3, hidden_size = 8, dropout = 0.5 }
  close(single(x), (single(x)), 0)
end)

test("embedding's padding row starts as zero and stays", function()
  sel.manual_seed(5)
  local layer = nn.embedding { num_embeddings = 400, embedding_dim = 50, padding_idx = 2 }
  equal(layer.weight:select(1, 3):abs():sum():item(), 0)
  near(layer.weight:mean():item(), 0, 0.03)
  near(layer.weight:std():item(), 1, 0.03)
  layer(sel.tensor({ 2, 5, 2 }, { dtype = "i64" })):sum():backward()
  equal(layer.weight.grad:select(1, 3):abs():sum():item(), 0)
  equal(layer.weight.grad:select(1, 6):sum():item(), 50)
end)

-- ---- refusals ----

test("wrong inputs are refused with their shapes", function()
  local lstm, cell = nn.lstm(3, 4), nn.gru_cell(3, 4)
  local x = sel.randn(5, 2, 3)
  local function lengths(...) return sel.tensor({ ... }, { dtype = "i64" }) end
  raises(function() lstm(sel.randn(5, 2, 4)) end, "lstm: an input [L, N, 3], or [L, 3]",
         "got f32[5, 2, 4]")
  raises(function() lstm(sel.randn(0, 2, 3)) end, "at least one step", "f32[0, 2, 3]")
  raises(function() lstm(x, sel.zeros(1, 3, 4)) end, "h0: expected [1, 2, 4], got f32[1, 3, 4]")
  raises(function() lstm(x, nil, sel.zeros(2, 2, 4)) end, "c0: expected [1, 2, 4]")
  raises(function() lstm(x, nil, nil, lengths(5)) end, "lengths: expected [2], got i64[1]")
  raises(function() lstm(x, nil, nil, lengths(5, 6)) end,
         "row 1 has length 6, but the sequence has 5 steps")
  raises(function() lstm(x, nil, nil, sel.ones(2)) end, "expected i64 lengths, got f32[2]")
  raises(function() lstm(sel.randn(5, 3), nil, nil, lengths(5)) end, "lengths belong to a batch")
  raises(function() cell(sel.randn(2, 4)) end, "gru_cell: input: expected [*, 3], got f32[2, 4]")
  raises(function() cell(sel.randn(2, 3), sel.zeros(1, 4)) end, "h: expected [2, 4]")
  raises(function() nn.embedding(4, 2)(lengths(1, 4)) end, "4")
  raises(function() nn.embedding { num_embeddings = 4, embedding_dim = 2, padding_idx = 4 } end,
         "padding_idx is 4, but the ids end at 3")
  raises(function() nn.rnn { input_size = 3, hidden_size = 4, nonlinearity = "gelu" } end,
         "one of tanh, relu")
end)

test("a state_dict that does not fit names what is wrong", function()
  local state = nn.gru(3, 4):state_dict()
  state.weight_hh_l0, state.weight_hh_l1 = nil, sel.zeros(2)
  raises(function() nn.gru(3, 4):load_state_dict(state) end, "weight_hh_l0", "weight_hh_l1")
end)

test("a gradient of the gradient is an error that names the operation", function()
  local layer, x = nn.lstm(3, 4), sel.randn(2, 1, 3):requires_grad_()
  local y = layer(x)
  local g = sel.grad(y:sum(), x, { create_graph = true })
  raises(function() sel.grad(g:sum(), x) end, "recurrence_grad", "has no gradient")
end)
