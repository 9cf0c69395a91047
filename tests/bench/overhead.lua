-- What an operation costs beside its kernel, from Lua: the rows of overhead.c. Prints a table,
-- judges nothing. Run by hand: build/selenite tests/bench/overhead.lua

local sel = require "selenite"

local REPEATS, ROUNDS = 500, 400

local x = sel.zeros(1)
local w = sel.zeros(1, 1, { requires_grad = true })

-- The best of several rounds; what collecting the handles costs is part of it.
local function measure(name, run)
  local best = math.huge
  for _ = 1, ROUNDS do
    local start = os.clock()
    for _ = 1, REPEATS do run() end
    best = math.min(best, (os.clock() - start) / REPEATS)
  end
  print(("%-24s %8.0f ns"):format(name, best * 1e9))
end

sel.set_num_threads(1) -- os.clock counts the time of all threads
measure("add", function() return x + x end)
measure("add in place", function() return x:add_(x) end)
measure("view", function() return x:unsqueeze(1) end)
sel.no_grad(measure, "linear", function() return x:linear(w) end)
measure("linear, recorded", function() return x:linear(w) end)
measure("linear and backward", function()
  x:linear(w):backward()
  w.grad = nil
end)
