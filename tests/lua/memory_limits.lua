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
