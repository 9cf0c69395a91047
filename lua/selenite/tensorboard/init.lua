-- sel.tensorboard: a writer of event files, which TensorBoard shows while they grow.
--
-- A writer makes a file of its own in its folder and only appends to it, whole records at a time,
-- so that what was there is safe from it and a killed run loses what it hadn't flushed, no more.
-- Names are those of PyTorch's SummaryWriter.

local ffi = require "ffi"
local errors = require "selenite.errors"
local folder = require "selenite.folder"
local arguments = require "selenite.arguments"
local graph = require "selenite.graph"
local label = require "selenite.plot.label"
local numbers = require "selenite.plot.numbers"
local plot = require "selenite.plot"
local figure = require "selenite.plot.figure"
local record = require "selenite.tensorboard.record".record
local summary = require "selenite.tensorboard.summary"
local graph_def = require "selenite.tensorboard.graph_def"

ffi.cdef [[
typedef struct { long seconds, nanoseconds; } sel_lua_wall_time;
int sel_lua_wall_clock(int clock, sel_lua_wall_time *out) __asm__("clock_gettime");
int sel_lua_getpid(void) __asm__("getpid");
int sel_lua_gethostname(char *name, size_t size) __asm__("gethostname");
]]

local LARGEST_STEP = 2 ^ 53

local wall = ffi.new "sel_lua_wall_time"
local function wall_time()
  ffi.C.sel_lua_wall_clock(0, wall)
  return tonumber(wall.seconds) + tonumber(wall.nanoseconds) * 1e-9
end

local writer = {}
writer.__index = writer

-- ---- the file ----

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

-- A name that no file has: later ones sort behind, which is how TensorBoard orders them.
local function new_path(path, time)
  local host = ffi.new "char[65]"
  ffi.C.sel_lua_gethostname(host, 64)
  local base = ("%s/events.out.tfevents.%010d.%s.%d")
    :format(path, math.floor(time), ffi.string(host):gsub("[^%w%-]", "_"), ffi.C.sel_lua_getpid())
  local n = 0
  while exists(base .. "." .. n) do n = n + 1 end
  return base .. "." .. n
end

-- What a writer has still to write; flushed when the writer is collected, too.
local function flush(waiting)
  if #waiting == 0 then return true end
  local bytes = table.concat(waiting)
  for i = #waiting, 1, -1 do waiting[i] = nil end
  local written, message = waiting.file:write(bytes)
  if written then written, message = waiting.file:flush() end
  return written, message
end

local function add(self, step, field)
  local waiting = self.waiting
  if not waiting.file then errors.raise "tensorboard: the writer was closed" end
  local time = self.now()
  waiting[#waiting + 1] = record(summary.event(time, step, field))
  if time - self.flushed >= self.flush_secs then self:flush() end
end

-- ---- what is given ----

local function check_tag(operation, tag)
  errors.expect("string", operation, 1, "tag", tag)
  return label.clean(tag)
end

local function check_step(operation, step)
  if step == nil then return 0 end
  if type(step) ~= "number" or step % 1 ~= 0 or step < 0 or step > LARGEST_STEP then
    errors.argument(operation, 3, "step", "a whole number from 0", step)
  end
  return step
end

-- A number, also one in a tensor.
local function number_of(operation, position, name, value)
  if arguments.is_tensor(value) and value:numel() == 1 then value = value:item() end
  if type(value) == "boolean" then value = value and 1 or 0 end
  if type(value) ~= "number" then
    errors.argument(operation, position, name, "a number", value)
  end
  return value
end

-- ---- adding ----

-- writer:add_scalar(tag, value, step): a point of a curve. Tags with the same words before a "/",
-- as "loss/train" and "loss/test", are shown together. step is 0 unless given.
function writer:add_scalar(tag, value, step)
  tag, step = check_tag("add_scalar", tag), check_step("add_scalar", step)
  add(self, step, summary.scalar(tag, number_of("add_scalar", 2, "value", value)))
end

-- writer:add_histogram(tag, values, step, bins): how a tensor's values (or a list of numbers) are
-- spread, in equal bins (30). Values that aren't finite are left out.
function writer:add_histogram(tag, values, step, bins)
  tag, step = check_tag("add_histogram", tag), check_step("add_histogram", step)
  bins = bins or 30
  if type(bins) ~= "number" or bins % 1 ~= 0 or bins < 1 or bins > 10000 then
    errors.argument("add_histogram", 4, "bins", "a whole number from 1 to 10000", bins)
  end
  local data, count = numbers.read_all("add_histogram: argument 2 (values)", values)
  add(self, step, summary.histogram(tag, data, count, bins))
end

-- writer:add_image(tag, image, step, options): a picture, with the options of sel.plot.image.
function writer:add_image(tag, image, step, options)
  self:add_figure(tag, plot.image(image, options), step)
end

-- writer:add_figure(tag, figure, step): a figure of sel.plot as an image; see its save for which of
-- them need Debian's libcairo2.
function writer:add_figure(tag, f, step)
  tag, step = check_tag("add_figure", tag), check_step("add_figure", step)
  if getmetatable(f) ~= figure then
    errors.argument("add_figure", 2, "figure", "a figure of sel.plot", f)
  end
  add(self, step, summary.image(tag, f:pixels()))
end

-- Valid UTF-8 without control characters other than the ends of lines.
local function clean_lines(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = label.clean(line) end
  return table.concat(lines, "\n")
end

-- writer:add_text(tag, text, step): a text in Markdown.
function writer:add_text(tag, text, step)
  tag, step = check_tag("add_text", tag), check_step("add_text", step)
  errors.expect("string", "add_text", 2, "text", text)
  add(self, step, summary.text(tag, clean_lines(text)))
end

-- writer:add_graph(x, named): the operations that made tensor x, as sel.graph draws them; `named`
-- is a module or a table name -> tensor.
function writer:add_graph(x, named)
  add(self, 0, graph_def(graph.graph(x, named)))
end

-- Entries of a table as a list of { name, value }, in the order of names.
local function sorted(operation, position, name, given)
  errors.expect("table", operation, position, name, given)
  local list = {}
  for key, value in pairs(given) do
    if type(key) ~= "string" then
      errors.argument(operation, position, name, "a table name -> value", given)
    end
    list[#list + 1] = { label.clean(key), value }
  end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return list
end

-- writer:add_hparams(hparams, metrics): with what a run was made (a table name -> number, text or
-- boolean) and what came of it (name -> number), a row of TensorBoard's table of runs. Once for a
-- writer; the metrics are scalars as well.
function writer:add_hparams(hparams, metrics)
  local values = sorted("add_hparams", 1, "hparams", hparams)
  local results = sorted("add_hparams", 2, "metrics", metrics or {})
  for _, entry in ipairs(values) do
    local kind = type(entry[2])
    if kind ~= "number" and kind ~= "string" and kind ~= "boolean" then
      errors.raise(("add_hparams: '%s': expected a number, text or boolean, got %s")
                   :format(entry[1], errors.describe(entry[2])))
    end
    if kind == "string" then entry[2] = label.clean(entry[2]) end
  end
  for _, entry in ipairs(results) do
    entry[2] = number_of("add_hparams", 2, "metrics." .. entry[1], entry[2])
  end
  if self.has_hparams then
    errors.raise "add_hparams: this writer has its hyperparameters; another run is another folder"
  end
  self.has_hparams = true
  for _, field in ipairs { summary.hparams(self.now(), values, results) } do add(self, 0, field) end
  for _, entry in ipairs(results) do add(self, 0, summary.scalar(entry[1], entry[2])) end
end

-- ---- the end ----

-- writer:flush(): writes what waits. Happens by itself when something is added flush_secs seconds
-- after the last time.
function writer:flush()
  self.flushed = self.now()
  if not self.waiting.file then return end
  local written, message = flush(self.waiting)
  if not written then errors.raise(("tensorboard: %s: %s"):format(self.path, message)) end
end

-- writer:close(): flushes and closes; adding more is an error. A writer that is forgotten closes
-- itself at the latest when the program ends.
function writer:close()
  if not self.waiting.file then return end
  self:flush()
  self.waiting.file:close()
  self.waiting.file = nil
end

-- ---- in sel.train ----

local known_callback = { every = true }

-- writer:callback{every = 1}: for sel.train's option callbacks: the loss of every so-many-th step
-- as "loss/step", and each row of the run's history, with its epoch as step.
function writer:callback(options)
  errors.check_options("callback", options, known_callback)
  local every = options and options.every or 1
  if type(every) ~= "number" or every % 1 ~= 0 or every < 1 then
    errors.option("callback", "every", "a whole number from 1", every)
  end
  return {
    step = function(run)
      if run.step % every == 0 then self:add_scalar("loss/step", run.loss, run.step) end
    end,
    epoch = function(_, row)
      for _, entry in ipairs(sorted("callback", 2, "row", row)) do
        if type(entry[2]) == "number" and entry[1] ~= "epoch" and entry[1] ~= "step" then
          self:add_scalar("epoch/" .. entry[1], entry[2], row.epoch)
        end
      end
    end,
    finish = function() self:flush() end,
  }
end

-- ---- making one ----

local known = { flush_secs = true, now = true }

-- sel.tensorboard(path, options): a writer of event files in folder `path`, one folder a run, made
-- when it isn't there. Options: flush_secs = 10, seconds after which what was added is written;
-- now, a function that gives the time in seconds since 1970. Look with: tensorboard --logdir FOLDER
-- Returns a writer with the methods add_scalar, add_histogram, add_image, add_figure, add_text,
-- add_graph, add_hparams, flush, close, callback.
local function new(path, options)
  errors.expect("string", "tensorboard", 1, "path", path)
  errors.check_options("tensorboard", options, known)
  options = options or {}
  local flush_secs, now = options.flush_secs or 10, options.now or wall_time
  if type(flush_secs) ~= "number" or flush_secs ~= flush_secs or flush_secs < 0 then
    errors.option("tensorboard", "flush_secs", "a number of seconds", flush_secs)
  end
  if type(now) ~= "function" then errors.option("tensorboard", "now", "a function", now) end
  if path == "" then errors.argument("tensorboard", 1, "path", "a folder", path) end
  folder.make(path)
  local time = now()
  local self = { path = new_path(path, time), flush_secs = flush_secs, now = now, flushed = time }
  local file, message = io.open(self.path, "wb")
  if not file then errors.raise("tensorboard: " .. message) end
  local waiting = { file = file }
  self.waiting = waiting
  self.guard = newproxy(true)
  getmetatable(self.guard).__gc = function() if waiting.file then pcall(flush, waiting) end end
  setmetatable(self, writer)
  add(self, 0, summary.version)
  self:flush()
  return self
end

return { new = new }
