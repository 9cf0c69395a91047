-- The backend's own test: selenite test.lua build/lib/selenite/plain.so
local sel = require "selenite"
sel.load_plugin(arg[1])

local x = sel.tensor({ { 1, 2 }, { 3, 4 } })
local there = x:to "plain"
assert(there:device() == "plain")
assert(there:to("cpu"):eq(x):all():item(), "bytes changed on their way")
print "1 passed, 0 failed"
