-- Lua states of their own on threads of their own: two train different models at the same time and
-- get what each would get alone.

local states = require "selenite.states"
local check = require "check"
local test, equal, raises = check.test, check.equal, check.raises

-- Trains one of two networks on random numbers; returns all its parameters, with every bit.
local training = [[
  local which = select(1 + ..., ...)
  local sel = require "selenite"
  local nn = sel.nn
  sel.set_num_threads(1) -- of each kernel
  sel.manual_seed(which == "mlp" and 1 or 2)
  local model, x
  if which == "mlp" then
    model = nn.sequential(nn.linear(6, 16), nn.relu(), nn.dropout(0.2), nn.linear(16, 3))
    x = sel.randn(8, 6)
  else
    model = nn.sequential(nn.conv2d(1, 4, 3), nn.batch_norm2d(4), nn.relu(), nn.max_pool2d(2),
                          nn.flatten(), nn.linear(36, 3))
    x = sel.randn(8, 1, 8, 8)
  end
  local y = sel.randint(0, 3, { 8 })
  local optimizer = sel.optim.adamw(model:parameters(), { lr = 0.01 })
  for step = 1, 60 do
    local loss = sel.cross_entropy(model(x), y)
    optimizer:zero_grad()
    loss:backward()
    optimizer:step()
    if step % 20 == 0 then collectgarbage() end
  end
  local texts = {}
  for name, p in model:named_parameters() do
    local numbers = p:flatten():totable()
    for i, number in ipairs(numbers) do numbers[i] = ("%a"):format(number) end
    texts[#texts + 1] = name .. ": " .. table.concat(numbers, " ")
  end
  return table.concat(texts, "\n")]]

test("two trainings at the same time are two trainings one after the other", function()
  local alone = { states.run(1, training, "mlp"), states.run(1, training, "cnn") }
  assert(#alone[1] > 1000 and alone[1] ~= alone[2])
  for _ = 1, 3 do
    local together = { states.run(2, training, "mlp", "cnn") }
    equal(together[1] == alone[1], true)
    equal(together[2] == alone[2], true)
  end
end)

test("an error in one state, and code that is no Lua", function()
  raises(function() states.run(2, "error('no luck', 0)") end, "no luck")
  raises(function() states.run(1, "x = = 1") end, "unexpected symbol")
  raises(function() states.run(0, "return ''") end, "1 to 16 states")
  equal(states.run(1, "return select(2, ...)", "back"), "back")
  equal(states.run(1, "return 5"), "5")
end)
