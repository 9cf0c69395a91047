-- Collection without being asked, early release, scopes. Limits of the whole process are in
-- memory_limits.lua.

local sel = require "selenite"
local memory = require "selenite.memory"
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

local MB = 2 ^ 20

local function live()
  memory.collect()
  return sel.memory().live
end

test("temporaries are collected without being asked for", function()
  local before = live()
  local x = sel.zeros(MB / 4)
  for _ = 1, 2000 do
    local _ = x + 1
  end
  assert(sel.memory().live - before < 200 * MB, "live " .. sel.memory().live)
  assert(sel.memory().peak - before < 300 * MB, "peak " .. sel.memory().peak)
end)

test("dropped tensors give their memory back", function()
  local before = live()
  do
    local kept = {}
    for i = 1, 10 do kept[i] = sel.zeros(MB / 4) end
    assert(live() - before >= #kept * MB)
  end
  equal(live() - before, 0)
end)

test("free gives memory back at once", function()
  local before = live()
  local x = sel.zeros(MB / 4)
  equal(x:free(), true)
  equal(sel.memory().live - before, 0)
  equal(tostring(x), "a freed tensor")
  raises(function() return x * 2 end, "mul: the tensor was freed")
  raises(function() return x[1] end, "index")
  raises(function() x:item() end, "freed")
  raises(function() x:reshape(2) end, "reshape", "freed")
  raises(function() sel.ones(2):matmul(x) end, "matmul")
end)

test("free leaves alone what the tape saved, and tensors that others hold", function()
  local x = sel.tensor({ 1, 2 }, { requires_grad = true })
  local y = x:exp()
  local z = (y * y):sum()
  equal(y:free(), true)
  z:backward()
  near(x.grad, { 2 * math.exp(2), 2 * math.exp(4) })
  equal(x.grad:free(), false)
  equal(x.grad:shape(), { 2 })
end)

test("scope frees what is made inside, except results", function()
  local before = live()
  local outside = sel.ones(MB / 4)
  local leaked
  local a, rest, number = sel.scope(function()
    leaked = outside + 1
    local kept = leaked * 2
    return kept, { deep = { leaked + 3 } }, 7
  end)
  equal(number, 7)
  equal(a:get(1), 4)
  equal(rest.deep[1]:get(1), 5)
  equal(sel.memory().live - before, 3 * 4 * MB / 4)
  raises(function() return leaked + 1 end, "add: the tensor was freed")
  equal(outside:get(1), 1)
end)

test("scopes nest", function()
  local inner_result, outer_result
  sel.scope(function()
    inner_result = sel.scope(function() return sel.ones(2) end)
    equal(inner_result:sum():item(), 2)
  end)
  raises(function() return inner_result + 1 end, "freed")
  outer_result = sel.scope(function() return sel.scope(function() return sel.ones(2) end) end)
  equal(outer_result:sum():item(), 2)
end)

test("scope does not free tensors it only passed through", function()
  local x = sel.ones(2)
  sel.scope(function()
    local _ = { x:to "f32", x:contiguous() }
  end)
  equal(x:sum():item(), 2)
  local w = sel.tensor({ 1 }, { requires_grad = true })
  sel.scope(function() (w * 3):sum():backward() end)
  near(w.grad, { 3 })
end)

test("a failed allocation is an error, not the end", function()
  raises(function() sel.empty(2 ^ 30, 2 ^ 20) end, "memory")
  equal(sel.ones(2):sum():item(), 2)
end)

test("sel.memory", function()
  local m = sel.memory()
  assert(m.live > 0 and m.peak >= m.live and m.cached >= 0 and m.allocations > 0)
  raises(function() sel.memory("moon") end, "memory", "moon")
end)
