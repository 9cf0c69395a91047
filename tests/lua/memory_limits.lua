-- The size of the whole process: what a user's machine notices.

local sel = require "selenite"
local nn, optim = sel.nn, sel.optim
local check = require "check"

local function resident_megabytes()
  for line in io.lines "/proc/self/status" do
    local kilobytes = line:match "^VmRSS:%s+(%d+)"
    if kilobytes then return kilobytes / 1024 end
  end
end

local function peak_megabytes()
  for line in io.lines "/proc/self/status" do
    local kilobytes = line:match "^VmHWM:%s+(%d+)"
    if kilobytes then return kilobytes / 1024 end
  end
end

check.test("operations that each make a temporary of 1 MB stay under 256 MB", function()
  local x = sel.ones(2 ^ 18)
  for _ = 1, 20000 do
    local _ = x * 2
  end
  assert(peak_megabytes() < 256, peak_megabytes() .. " MB")
end)

check.test("a training loop doesn't grow", function()
  local model = nn.sequential(nn.linear(64, 128), nn.relu(), nn.linear(128, 10))
  local optimizer = optim.adam(model:parameters(), { lr = 1e-3 })
  local x, y = sel.randn(256, 64), sel.randint(0, 10, { 256 })
  local after_second
  for epoch = 1, 20 do
    for _ = 1, 50 do
      optimizer:zero_grad()
      sel.cross_entropy(model(x), y):backward()
      optimizer:step()
    end
    if epoch == 2 then after_second = peak_megabytes() end
  end
  assert(peak_megabytes() - after_second < 8, peak_megabytes() - after_second .. " MB more")
  assert(resident_megabytes() < 256)
end)

-- Temporaries are released at the end of each step, so that when Lua collects makes no difference.
local function assert_steady(model, optimizer, loss)
  local function step()
    optimizer:zero_grad()
    loss(model):backward()
    optimizer:step()
  end
  for _ = 1, 3 do sel.scope(step) end
  local before = sel.memory().allocations
  for _ = 1, 20 do sel.scope(step) end
  check.equal(sel.memory().allocations - before, 0)
end

local function rows_of(y) return y:reshape(-1, y:shape()[#y:shape()]) end

check.test("a steady step of an MLP asks the system for no memory", function()
  local model = nn.sequential(nn.linear(64, 128), nn.batch_norm1d(128), nn.relu(), nn.dropout(0.5),
                              nn.linear(128, 10))
  local x, y = sel.randn(32, 64), sel.randint(0, 10, { 32 })
  assert_steady(model, optim.sgd(model:parameters(), { lr = 0.1, momentum = 0.9 }),
                function(net) return sel.cross_entropy(net(x), y) end)
end)

check.test("a steady step of a CNN asks the system for no memory", function()
  local model = nn.sequential(
    nn.conv2d(1, 16, 3, { padding = 1 }), nn.relu(), nn.max_pool2d(2),
    nn.conv2d(16, 32, 3, { padding = 1 }), nn.batch_norm2d(32), nn.relu(), nn.avg_pool2d(2),
    nn.flatten(), nn.linear(32 * 7 * 7, 10))
  local x, y = sel.randn(8, 1, 28, 28), sel.randint(0, 10, { 8 })
  assert_steady(model, optim.adam(model:parameters()),
                function(net) return sel.cross_entropy(net(x), y) end)
end)

check.test("a steady step of an LSTM asks the system for no memory", function()
  local Net = nn.module "Net"
  function Net:init()
    self.embedding, self.head = nn.embedding(30, 32), nn.linear(32, 30)
    self.lstm = nn.lstm(32, 32, 2)
  end
  function Net:forward(ids)
    local y = self.lstm(self.embedding(ids))
    return rows_of(self.head(y))
  end
  local model = Net()
  local ids, next_ids = sel.randint(0, 30, { 12, 4 }), sel.randint(0, 30, { 48 })
  assert_steady(model, optim.adam(model:parameters()),
                function(net) return sel.cross_entropy(net(ids), next_ids) end)
end)

check.test("a steady step of a GPT asks the system for no memory", function()
  local model = nn.gpt { vocab_size = 30, n_positions = 16, n_embd = 32, n_layer = 2, n_head = 4,
                         dropout = 0.1 }
  local ids, next_ids = sel.randint(0, 30, { 4, 16 }), sel.randint(0, 30, { 64 })
  assert_steady(model, optim.adamw(model:parameters()),
                function(net) return sel.cross_entropy(rows_of(net(ids)), next_ids) end)
end)
