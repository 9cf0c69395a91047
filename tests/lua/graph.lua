-- sel.graph: the tape as a drawing.

local sel = require "selenite"
local check = require "check"
local test, equal, contains, raises = check.test, check.equal, check.contains, check.raises

local function loss_of_linear()
  local model = sel.nn.sequential(sel.nn.linear(3, 2), sel.nn.relu())
  return model(sel.ones(4, 3)):sum(), model
end

test("operations and parameters", function()
  local loss, model = loss_of_linear()
  equal(sel.graph(loss, model):dot(), [[
digraph selenite {
  node [fontname="sans-serif", fontsize=11];
  edge [fontname="sans-serif", fontsize=10];
  n1 [label="0.weight\nf32[2, 3]", shape=box, style=filled, fillcolor="#d6e6f4"];
  n2 [label="0.bias\nf32[2]", shape=box, style=filled, fillcolor="#d6e6f4"];
  n3 [label="linear\nf32[4, 2]"];
  n4 [label="relu\nf32[4, 2]"];
  n5 [label="sum\nf32[]"];
  n1 -> n3;
  n2 -> n3;
  n3 -> n4;
  n4 -> n5;
}
]])
  equal(tostring(sel.graph(loss, model)), sel.graph(loss, model):dot())
end)

test("what is used twice stands once", function()
  local x = sel.ones(2, { requires_grad = true })
  local y = x * x
  local text = sel.graph(y + y, { ["x \"1\""] = x }):dot()
  contains(text, [[label="x \"1\"\nf32[2]"]], "n1 -> n2;\n  n1 -> n2;\n  n2 -> n3;\n  n2 -> n3;")
  equal(select(2, text:gsub("label", "")), 3)
end)

test("several results, functions of one's own, leaves without names", function()
  local x = sel.ones(2, 4, { requires_grad = true })
  local values = x:sort(2)
  contains(sel.graph(values):dot(), 'n1 [label="leaf\\nf32[2, 4]"', 'label="sort\\n')
  local double = sel.func {
    name = "double", forward = function(_, t) return t * 2 end,
    backward = function(_, gradient) return gradient * 2 end,
  }
  contains(sel.graph(double(x)):dot(), 'label="double\\nf32[2, 4]"')
  contains(sel.graph(x, { x = x }):dot(), 'n1 [label="x\\nf32[2, 4]"')
  contains(sel.graph(sel.ones(2)):dot(), 'n1 [label="leaf\\nf32[2]"')
end)

test("a long chain", function()
  local x = sel.ones(1, { requires_grad = true })
  for _ = 1, 20000 do x = x + 1 end
  equal(select(2, sel.graph(x):dot():gsub(" %-> ", "")), 20000)
end)

test("after backward", function()
  local loss, model = loss_of_linear()
  loss:backward(nil, { retain_graph = true })
  equal(#sel.graph(loss, model), 5)
  loss:backward()
  raises(function() sel.graph(loss) end, "graph: backward has dropped the record", "retain_graph")
end)

test("files", function()
  local g = sel.graph((loss_of_linear()))
  g:save "graph.dot"
  local file = io.open "graph.dot"
  equal(file:read "*a", g:dot())
  file:close()
  if check.run "command -v dot" == "" then
    raises(function() g:save "graph.svg" end, "package graphviz")
  else
    g:save "graph.svg"
    file = io.open "graph.svg"
    contains(file:read "*a", "<svg", "linear")
    file:close()
  end
end)

test("mistakes", function()
  raises(function() sel.graph(3) end, "argument 1 (x): expected a tensor", "got the number 3")
  local freed = sel.ones(2)
  freed:free()
  raises(function() sel.graph(freed) end, "expected a tensor with elements, got a freed tensor")
  raises(function() sel.graph(sel.ones(1), 3) end, "graph: argument 2 (named)")
  raises(function() sel.graph(sel.ones(1), { x = 3 }) end, "entry 'x': expected a tensor")
  raises(function() sel.graph(sel.ones(1)):save "graph.txt" end, "ends in .dot, .gv, .svg")
end)
