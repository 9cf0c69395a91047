-- Measures a workload on both sides: starts their processes, checks that they compute the same, and
-- lets them run in turn, round by round, so that what disturbs the machine disturbs both.
--
-- A side is { name, command }; Selenite's is the first and writes the file that the others read.

local M = {}

-- ---- a worker: a process that answers lines ----

local worker = {}
worker.__index = worker

-- Its standard input is a named pipe, because io.popen gives one direction only.
function M.start(side, folder)
  local pipe = ("%s/%s.pipe"):format(folder, side.name)
  assert(os.execute(("rm -f '%s' && mkfifo '%s'"):format(pipe, pipe)) == 0, "can't make " .. pipe)
  local self = setmetatable({ side = side, path = folder .. "/workload.safetensors" }, worker)
  self.from = assert(io.popen(("%s <'%s'"):format(side.command, pipe), "r"))
  self.to = assert(io.open(pipe, "w"))
  os.remove(pipe)
  self.version = self:answer "start"
  return self
end

function worker:answer(question)
  local line = self.from:read "*l"
  if not line then
    error(("%s ended while it was told to %s"):format(self.side.name, question), 0)
  end
  return line
end

function worker:ask(command, ...)
  self.to:write(table.concat({ command, ... }, "\t"), "\n")
  self.to:flush()
  return self:answer(command .. " " .. table.concat({ ... }, " "))
end

-- The end of its input would not do: workers started later have the pipe open, too.
function worker:stop()
  self.to:write "quit\n"
  self.to:close()
  self.from:close()
end

-- ---- numbers ----

function M.median(list)
  local sorted = { unpack(list) }
  table.sort(sorted)
  local n = #sorted
  return n % 2 == 1 and sorted[(n + 1) / 2] or (sorted[n / 2] + sorted[n / 2 + 1]) / 2
end

local function numbers(text)
  local list = {}
  for word in text:gmatch "%S+" do list[#list + 1] = tonumber(word) or 0 / 0 end
  return list
end

-- Largest difference of the values of two sides, relative to their size; NaN when one is.
local function disagreement(a, b)
  local worst = 0
  for i = 1, #a do
    local difference = math.abs(a[i] - b[i]) / math.max(math.abs(a[i]), math.abs(b[i]), 1e-6)
    if difference > worst or difference ~= difference then worst = difference end
  end
  return worst
end

-- ---- a workload ----

-- Steps that fill `seconds`, after a warm-up. Without `seconds`, 1.
local function steps_for(each, seconds, tokens)
  if not seconds then return 1 end
  local n, spent, one = 1, 0
  repeat
    one = tonumber(each:ask("run", n)) * tokens
    spent = spent + one * n
    n = math.max(1, math.ceil(seconds / 2 / one))
  until spent > seconds / 2
  return math.max(1, math.ceil(seconds / one))
end

-- Measures `workload` with the given workers. settings: rounds, seconds (of a round), checks (steps
-- whose values are compared). Returns { name, kind, mode, difference, <side> = { seconds, samples,
-- steps, values, peak, baseline } }; what a side gives is of one step, or token, in seconds.
function M.workload(workload, workers, settings)
  local result = { name = workload.name, kind = workload.kind, mode = workload.mode }
  local tokens = workload.tokens or 1
  for _, each in ipairs(workers) do
    each:ask("load", workload.name, each.path)
    result[each.side.name] = {
      values = numbers(each:ask("check", workload.mode == "train" and settings.checks or 1)),
      samples = {}, steps = steps_for(each, settings.seconds, tokens) }
  end
  os.remove(workers[1].path)
  for round = 1, settings.rounds do
    for i = 1, #workers do
      local each = workers[round % 2 == 1 and i or #workers + 1 - i]
      local side = result[each.side.name]
      side.samples[round] = tonumber(each:ask("run", side.steps))
    end
  end
  for _, each in ipairs(workers) do
    local side = result[each.side.name]
    side.seconds = M.median(side.samples)
    side.peak, side.baseline = each:ask("memory"):match "(%d+) (%d+)"
    side.peak, side.baseline = tonumber(side.peak), tonumber(side.baseline)
  end
  if workers[2] then
    result.difference = disagreement(result[workers[1].side.name].values,
                                     result[workers[2].side.name].values)
  end
  return result
end

return M
