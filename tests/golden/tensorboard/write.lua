-- Writes an event of every kind. tests/lua/tensorboard.lua compares the bytes; beside this file,
-- read.py has TensorBoard's own reader look at them.
--
-- usage: selenite write.lua FOLDER

local sel = require "selenite"

-- All but the image, whose bytes are zlib's as well.
local function add(writer)
  for step = 0, 3 do writer:add_scalar("loss/train", 2 ^ -step, step) end
  writer:add_scalar("loss/test", sel.tensor(0.25), 300)
  writer:add_histogram("weights", { -1, 0, 0, 1, 3, 0 / 0, 1 / 0 }, 2, 4)
  writer:add_histogram("constant", sel.full({ 2, 2 }, 5), 2)
  writer:add_text("note", "# Heading\n\nsecond line", 1)
  local w = sel.ones(3, 2, { requires_grad = true })
  local loss = (sel.ones(4, 3):matmul(w)):relu():sum()
  writer:add_graph(loss, { ["layer.weight"] = w })
  writer:add_hparams({ lr = 0.1, name = "first", shuffle = true }, { ["score/accuracy"] = 0.5 })
end

local function add_image(writer)
  writer:add_image("picture", sel.arange(0, 24):to "u8":reshape(3, 2, 4), 7)
end

if arg and arg[0]:find "write%.lua$" then
  local writer = sel.tensorboard(arg[1])
  add(writer)
  add_image(writer)
  writer:close()
end
return { add = add, add_image = add_image }
