-- A live progress line: epoch, batch, what is measured, examples a second, time left.
--
-- On a terminal the line is rewritten in place, at most ten times a second; elsewhere (a file, a
-- pipe) each epoch leaves one plain line.

local ffi = require "ffi"
local errors = require "selenite.errors"
local terminal = require "selenite.terminal"

-- Under names of our own: a script may declare the C library's functions in its own way.
ffi.cdef [[
typedef struct { long sec, nsec; } sel_lua_timespec;
int sel_lua_clock(int clock, sel_lua_timespec *out) __asm__("clock_gettime");
]]

local INTERVAL = 0.1 -- seconds between two drawings
local CLOCK_MONOTONIC = 1

local time_out = ffi.new "sel_lua_timespec"
local function now()
  ffi.C.sel_lua_clock(CLOCK_MONOTONIC, time_out)
  return tonumber(time_out.sec) + tonumber(time_out.nsec) * 1e-9
end

local progress = {}
progress.__index = progress

local function duration(seconds)
  seconds = math.max(math.floor(seconds + 0.5), 0)
  if seconds >= 3600 then
    return ("%d:%02d:%02d"):format(seconds / 3600, seconds / 60 % 60, seconds % 60)
  end
  return ("%d:%02d"):format(seconds / 60, seconds % 60)
end

local function count_text(n)
  if n >= 1e6 then return ("%.1fM"):format(n / 1e6) end
  if n >= 1e4 then return ("%.1fk"):format(n / 1e3) end
  return ("%.0f"):format(n)
end

-- "loss 0.421  accuracy 0.852" in the order of `names`.
local function values_text(names, values)
  local parts = {}
  for _, name in ipairs(names) do
    if values[name] then parts[#parts + 1] = ("%s %.3f"):format(name, values[name]) end
  end
  return table.concat(parts, "  ")
end

local known = { epochs = "required", batches = "required", unit = "examples",
                values = { "loss", "accuracy" }, output = io.stdout, done = 0 }

-- sel.progress{ epochs = 10, batches = loader:size(), unit = "images" }: values = names of what
-- will be shown, in order ({"loss", "accuracy"}).
local function new(options)
  errors.check_options("progress", options, known)
  local self = { seen = 0, drawn = 0, width = 0 }
  for name, default in pairs(known) do
    local value = options and options[name]
    if value == nil then value = default end
    if value == "required" then errors.raise("progress: option '" .. name .. "' is required") end
    self[name] = value
  end
  self.epoch = math.floor(self.done / self.batches) + 1
  self.batch = self.done % self.batches
  self.live = self.output == io.stdout and terminal.is_terminal(1)
  self.started = now()
  self.epoch_started = self.started
  return setmetatable(self, progress)
end

local function line(self, rate, left)
  return ("epoch %d/%d  %d/%d  %s  %s %s/s  %s left")
    :format(self.epoch, self.epochs, self.batch, self.batches,
            values_text(self.values, self.shown), count_text(rate), self.unit, duration(left))
end

local function draw(self, text, ending)
  text = text:sub(1, terminal.columns() - 1) -- a line that wraps couldn't be rewritten
  self.output:write("\r", text, (" "):rep(self.width - #text), ending)
  self.output:flush()
  self.width = ending == "\n" and 0 or #text
end

-- progress:step(n, values): one batch of n examples is done; values = { loss = 0.5, ... } to show.
function progress:step(n, values)
  self.batch, self.seen, self.shown = self.batch + 1, self.seen + n, values
  local time = now()
  if self.live and time - self.drawn >= INTERVAL then
    self.drawn = time
    local done = (self.epoch - 1) * self.batches + self.batch
    local left = (time - self.started) / (done - self.done) * (self.epochs * self.batches - done)
    draw(self, line(self, self.seen / (time - self.epoch_started), left), "")
  end
end

-- progress:finish_epoch(values): leaves a line for the epoch with these values and goes on to the
-- next.
function progress:finish_epoch(values)
  local time = now()
  local text = ("epoch %d/%d  %s  %s %s/s  %s")
    :format(self.epoch, self.epochs, values_text(self.values, values or self.shown or {}),
            count_text(self.seen / math.max(time - self.epoch_started, 1e-9)), self.unit,
            duration(time - self.started))
  if self.live then
    draw(self, text, "\n")
  else
    self.output:write(text, "\n")
    self.output:flush()
  end
  self.epoch, self.batch, self.seen, self.epoch_started = self.epoch + 1, 0, 0, time
end

-- progress:seconds(): time since it was made.
function progress:seconds() return now() - self.started end

return setmetatable({ now = now }, { __call = function(_, options) return new(options) end })
