-- The function's own test: selenite test.lua build/lib/selenite/squareplus.so
local sel = require "selenite"
sel.load_plugin(arg[1])

local layer = sel.nn.squareplus(4)
local x = sel.tensor({ 0, 1.5, -1.5 }, { requires_grad = true })
local y = layer(x)
assert(y:get(1) == 1 and y:get(2) == 2 and y:get(3) == 0.5)
y:sum():backward()
assert(x.grad:get(1) == 0.5)
assert(math.abs(x.grad:get(2) - 0.8) < 1e-6 and math.abs(x.grad:get(3) - 0.2) < 1e-6)
print "1 passed, 0 failed"
