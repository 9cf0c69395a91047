-- What the prompt is made of, part by part: locals that last, blocks, values, names, history.

local check = require "check"
local sel = require "selenite"
local tokens = require "selenite.repl.lexer"
local persist = require "selenite.repl.locals"
local compile = require("selenite.repl.compile").compile
local names = require "selenite.repl.names"
local show = require "selenite.repl.show"
local complete = require("selenite.repl.complete").complete
local explain = require "selenite.repl.explain"
local history = require "selenite.repl.history"
local failure = require "selenite.repl.failure"
local sources = require "selenite.repl.sources"

local test, equal, contains = check.test, check.equal, check.contains

test("tokens", function()
  local function kinds(text)
    local list = {}
    for kind, first, last in tokens(text) do
      list[#list + 1] = kind .. ":" .. text:sub(first, last)
    end
    return list
  end
  equal(kinds [==[a1 = "x\"y" .. [=[ ]] ]=] -- rest]==],
        { "name:a1", "symbol:=", [[string:"x\"y"]], "symbol:..", "string:[=[ ]] ]=]",
          "comment:-- rest" })
  equal(kinds "0x1p-4+1e+5 .5 t[1]", { "number:0x1p-4", "symbol:+", "number:1e+5", "number:.5",
                                       "name:t", "symbol:[", "number:1", "symbol:]" })
  equal(kinds "--[[ a\nb ]] c", { "comment:--[[ a\nb ]]", "name:c" })
  equal(kinds "f('abc", { "name:f", "symbol:(", "open:'abc" })
  equal(kinds "x = [[abc", { "name:x", "symbol:=", "open:[[abc" })
  equal(kinds "::a::", { "symbol:::", "name:a", "symbol:::" })
end)

-- Runs blocks one after the other as the prompt does; returns what the last one gives.
local function session(...)
  local environment = setmetatable({}, { __index = _G })
  local result
  for _, text in ipairs { ... } do result = { assert(compile(text, "=in", environment))() } end
  return result, environment
end

test("top-level locals last", function()
  equal(session("local x = 1", "x + 1"), { 2 })
  equal(session("local a, b = 1", "tostring(a) .. tostring(b)"), { "1nil" })
  equal(session("x = 5 local x local y = 2", "tostring(x) .. y"), { "nil2" })
  equal(session("local function f(n) if n == 0 then return 7 end return f(n - 1) end", "f(3)"),
        { 7 })
  equal(session("local x = 2 local x = x + 1", "x"), { 3 })
  equal(session("local s = 'local t = 1' -- local u = 2", "tostring(u) .. s"), { "nillocal t = 1" })
  equal(session("::top:: local x = 4", "x"), { 4 })
  equal(session("local x -- nothing\n(function() y = 3 end)()", "tostring(x) .. y"), { "nil3" })
end)

test("locals inside of something end with it", function()
  for _, text in ipairs { "do local x = 1 end", "for _ = 1, 2 do local x = 1 end",
                          "if true then local x = 1 elseif y then local x = 2 end",
                          "while not y do local x = 1 y = x end", "repeat local x = 1 until x",
                          "local function f() local x = 1 end f()",
                          "local g = function() local x = 1 end g()" } do
    local _, environment = session(text)
    equal(environment.x, nil)
    equal(persist("local z = 1 " .. text .. " local w = 2"):gsub("%s+", " "),
          " z = 1 " .. text:gsub("^local ", "") .. " w = 2")
  end
end)

test("lines keep their numbers", function()
  local text = "local a = 1\n\nlocal b\nlocal function f() end"
  equal(persist(text), "      a = 1\n\n      b = nil;\n      function f() end")
end)

test("an expression gives its values, a block its last lines", function()
  equal(session "1, 2", { 1, 2 })
  equal(session "x = 1", {})
  equal(session "local x = 20\nfor i = 1, 2 do x = x + i end\nx * 2", { 46 })
  equal(session "local t = {\n  1,\n  2 }\n#t", { 2 })
  equal(session "return 3", { 3 })
  equal(session "-- only a comment", {})
end)

test("only what ends too early asks for more", function()
  local function incomplete(text) return (select(3, compile(text, "=in", {}))) or false end
  for _, text in ipairs { "for i = 1, 3 do", "f(", "x =", "{ 1,", "1 +", "local function f()",
                          "x = [[abc", "if x then", "--[[ comment" } do
    equal({ text, incomplete(text) }, { text, true })
  end
  for _, text in ipairs { "x y", "x = = 1", ")", "'abc", "end", "for for", "1 + * 2", "x = 1" } do
    equal({ text, incomplete(text) }, { text, false })
  end
end)

test("values are shown", function()
  equal(show.values({ 1, "a\n\"b", nil, true }, 4), "1\t\"a\\n\\\"b\"\tnil\ttrue")
  equal(show.values({}, 0), nil)
  equal(show.text { 3, 2, b = 1, a = { x = {} } }, "{ 3, 2, a = { x = {} }, b = 1 }")
  equal(show.text { a = { b = { c = { d = 1 } } } }, "{ a = { b = { c = { ... } } } }")
  equal(show.text { [2] = 1, ["a b"] = 2 }, '{ [2] = 1, ["a b"] = 2 }')
  local t = {}
  t.t = t
  equal(show.text(t), "{ t = { itself } }")
  local long = {}
  for i = 1, 100 do long[i] = i end
  contains(show.text(long), "39,\n  40,\n  ... (60 more)\n}")
  contains(show.text(("x"):rep(5000)), "(5000 bytes)")
  local mute = setmetatable({}, { __tostring = function() error "no" end })
  contains(show.text(mute), "can't be shown")
  contains(show.text(print), "built in")
  contains(show.text(sel.nn.linear(2, 3)), "linear")
end)

test("tensors are shown with what their numbers are like", function()
  equal(show.text(sel.tensor { 1, 2, 6 }), "[1., 2., 6.]\nf32[3] cpu  min 1  mean 3  max 6")
  equal(show.text(sel.tensor({ 1, 2 }, { dtype = "i64" })),
        "[1, 2]\ni64[2] cpu  min 1  mean 1.5  max 2")
  contains(show.text(sel.ones(2):gt(3)), "bool[2] cpu  min 0  mean 0  max 0")
  contains(show.text(sel.ones(2):half()), "mean 1")
  equal(show.text(sel.tensor(3)), "3. f32[] cpu")
  contains(show.text(sel.zeros(0)), "f32[0] cpu")
  local w = sel.ones(2, { requires_grad = true })
  contains(show.text(w), "requires_grad  min")
  w:sum():backward()
  contains(show.text(w), "requires_grad  has grad  min")
  contains(show.text(w * 2), "grad_fn=mul")
  local large = show.text(sel.zeros(20, 20))
  contains(large, "...", "f32[20, 20]")
  assert(#large < 600)
  equal(show.text { sel.ones(2, 2) }, "{ tensor f32[2, 2] }")
  local freed = sel.ones(3)
  freed:free()
  contains(show.text(freed), "freed")
end)

test("names are found without running anything", function()
  local ran = false
  local trap = setmetatable({ own = { deep = 1 } }, { __index = function() ran = true end })
  local environment = { sel = sel, nn = sel.nn, trap = trap, x = sel.ones(2), s = "text",
                        net = sel.nn.sequential(sel.nn.linear(2, 3)) }
  equal(names.find(environment, "trap.own.deep"), 1)
  equal(names.find(environment, "trap.other"), nil)
  equal(names.find(environment, "nothing.at.all"), nil)
  equal(names.find(environment, "f().x"), nil)
  assert(names.find(environment, "nn.conv2d"))
  assert(names.find(environment, "x:sum") == sel.sum)
  equal(names.find(environment, "s.upper") == string.upper, true)
  equal(names.find(environment, "trap['own'].deep"), 1)
  equal(ran, false)
end)

test("Tab completes", function()
  local ran = false
  local environment = setmetatable({
    sel = sel, nn = sel.nn, x = sel.ones(2), lonely = { apple = 1, apply = 2, run = print },
    trap = setmetatable({}, { __index = function() ran = true end }),
    layer = sel.nn.linear(2, 3) }, { __index = _G })
  local function tab(text) return { complete(environment, text) } end
  equal(tab "lon", { "ely" })
  equal(tab "y = lonely.ap", { "pl" })
  equal(tab "lonely.appl", { "", "apple  apply" })
  equal(tab "lonely:", { "run" })
  equal(tab "f(nn.max_pool2", { "d" })
  equal(tab "x:nume", { "l" })
  equal(tab "x.requires_g", { "rad" })
  equal(tab "layer.wei", { "ght" })
  equal(tab "layer:named_p", { "arameters" })
  equal(tab "repe", { "at" })
  equal(tab "string.for", { "mat" })
  equal(tab "trap.x", { "" })
  equal(tab "f().x", { "" })
  equal(tab "%timei", { "t" })
  equal(tab "?nn.max_pool2", { "d" })
  equal(tab "require 'selenite.repl.compi", { "le" })
  equal(tab "%reload selenite.repl.le", { "xer" })
  equal(ran, false)
end)

test("Tab completes names of files", function()
  local folder = os.tmpname()
  os.remove(folder)
  os.execute("mkdir " .. folder .. " && touch " .. folder .. "/alone.txt " .. folder .. "/beta1 "
             .. folder .. "/beta2 && mkdir " .. folder .. "/sub")
  equal({ complete({}, "%run " .. folder .. "/al") }, { "one.txt" })
  equal({ complete({}, "!cat " .. folder .. "/al") }, { "one.txt" })
  equal({ complete({}, "x = sel.load('" .. folder .. "/su") }, { "b/" })
  equal({ complete({}, "%run " .. folder .. "/beta") }, { "", "beta1  beta2" })
  equal({ complete({}, "%run " .. folder .. "/[") }, { "" })
  os.execute("rm -r " .. folder)
end)

test("explanations", function()
  local environment = setmetatable({ sel = sel, nn = sel.nn, optim = sel.optim, data = sel.data,
                                     t = sel.ones(2) }, { __index = _G })
  for _, name in ipairs { "nn.conv2d", "conv2d" } do
    contains(explain.explain(environment, name), "options", "stride", "example",
             "nn.conv2d(in_channels, out_channels, kernel_size, {",
             "[N, in_channels, height, width]")
  end
  contains(explain.explain(environment, "sel.profile"), "sel.profile(fn, options)", "calls fn()")
  contains(explain.explain(environment, "sel.train"), "sel.train(options)", "early_stopping")
  contains(explain.explain(environment, "sel.metrics.f1"), 'sel.metrics.f1{classes = 10, average')
  contains(explain.explain(environment, "sel.item"), "the value of a tensor of one element")
  contains(explain.explain(environment, "matmul"), "sel.matmul(a, b)", "As torch.matmul",
           "sel_matmul(sel_tensor *a")
  contains(explain.explain(environment, "t.topk"), "t.topk(x, k, dim = -1, largest = true)",
           "The k largest (smallest) along dim, in order.")
  contains(explain.explain(environment, "t.relu"), "\n(x < 0) ? 0 : x, element by element")
  contains(explain.explain(environment, "sel.leaky_relu_"), "(x, negative_slope = 0.01)",
           "(x < 0) ? negative_slope * x : x", "written into the first")
  contains(explain.explain(environment, "sel.min"), "x:min(), x:min(dim, keepdim)")
  contains(explain.explain(environment, "sel.rand_like"), "t's sizes")
  contains(explain.explain(environment, "optim.adamw"), "parameters: a list of tensors")
  contains(explain.explain(environment, "cross_entropy"), "from logits [N, classes, ...]",
           "label_smoothing = 0", "weight (a tensor)")
  contains(explain.explain(environment, "print"), "built in")
  contains(explain.explain(environment, "optim"), "adam()")
  contains(explain.explain(environment, "nowhere"), "nothing is called 'nowhere'")
  contains(explain.source(environment, "sel.manual_seed"), "function M.manual_seed(seed)",
           "C.sel_manual_seed")
  contains(explain.source(environment, "sel.item"), "function own.item(x)")
  contains(explain.source(environment, "sel.relu"), "written in C")
  sources.keep("in[1000]", "function mine(a)\n  return a\nend")
  setfenv(assert(loadstring("function mine(a)\n  return a\nend", "=in[1000]")), environment)()
  contains(explain.source(environment, "mine"), "in[1000]:1\nfunction mine(a)\n  return a\nend")
end)

test("errors show the user's lines", function()
  local text = "local function f(x)\n  return x:add(sel.ones(3)) + 1\nend\nlocal y = f(sel.ones(2))"
  sources.keep("in[1001]", text)
  local chunk = setfenv(assert(loadstring(text, "=in[1001]")), { sel = sel })
  local outside = failure.depth()
  local _, problem = xpcall(chunk, failure.catch)
  problem.outside = outside
  local report = failure.report(problem)
  contains(report, "in[1001]:2: add: ", "\n  in[1001]:2  return x:add(sel.ones(3)) + 1",
           "\n  in[1001]:4  local y = f(sel.ones(2))")
  equal(select(2, report:gsub("\n", "")), 2)
end)

test("history is kept, once each", function()
  local path = os.tmpname()
  os.remove(path)
  path = path .. "/state/history"
  local first = history.open(path)
  for _, text in ipairs { "a", "b\nc \\n", "a", "d" } do first:add(text) end
  equal(first, { "b\nc \\n", "a", "d" })
  equal(history.open(path), { "b\nc \\n", "a", "d" })
  local file = io.open(path, "w")
  for i = 1, 5000 do file:write("line ", i, "\n") end
  file:close()
  equal(#history.open(path), 2000)
  equal(history.open(path)[2000], "line 5000")
  local lines = 0
  for _ in io.lines(path) do lines = lines + 1 end
  equal(lines, 2000)
  os.execute("rm -r " .. path:match "^(.*)/state/")
  local none = history.open(nil)
  none:add "x"
  equal(none, { "x" })
end)
