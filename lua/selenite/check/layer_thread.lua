-- What one thread of `selenite check` does, in a Lua state of its own: runs the example of a layer
-- type some times, forward and backward; returns all numbers as text, with every bit.

local sel = require "selenite"
local layers = require "selenite.nn.layer"
local cases = require "selenite.check.case"

local ROUNDS = 20

return function(_, path, name)
  if not layers.find(name) then sel.load_plugin(path) end
  local case = cases.record(layers.find(name))
  local texts = {}
  local function add(list)
    for i = 1, list.n do
      local numbers = list[i] and list[i]:detach():to("f64"):flatten():totable() or {}
      for k, x in ipairs(numbers) do numbers[k] = ("%a"):format(x) end
      texts[#texts + 1] = table.concat(numbers, " ")
    end
  end
  for _ = 1, ROUNDS do
    add(cases.run(case, case.inputs))
    add(cases.gradients(case, case.inputs) or { n = 0 })
  end
  return table.concat(texts, "\n")
end
