-- The layer's own test: selenite test.lua build/lib/selenite/scale.so
local sel = require "selenite"
sel.load_plugin(arg[1])

local layer = sel.nn.scale { features = 2, init = 3 }
local x = sel.tensor({ { 1, 2 } }, { requires_grad = true })
local y = layer(x)
assert(y:get(1, 1) == 3 and y:get(1, 2) == 6)
y:sum():backward()
assert(x.grad:get(1, 1) == 3 and layer.weight.grad:get(2) == 2)

local ok, message = pcall(layer, sel.ones(1, 5))
assert(not ok and message:find("2 features", 1, true), message)
print "1 passed, 0 failed"
