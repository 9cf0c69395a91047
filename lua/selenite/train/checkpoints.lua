-- The folder of a run's checkpoints: a file for each, the newest few kept, and the best model.
--
-- step-000000412.safetensors is the run after step 412: the tensors of state.lua, and its table as
-- JSON under the metadata key "selenite.train". best.safetensors is the model alone, as
-- sel.save(path, model:state_dict()) writes it. A file appears whole or not at all (core's
-- atomic_file.c), so the newest is always one to go on from; a folder belongs to one run.

local errors = require "selenite.errors"
local files = require "selenite.files"
local folder = require "selenite.folder"
local json = require "selenite.json"
local options_of = require "selenite.train.options"
local score = require "selenite.train.score"
local state = require "selenite.train.state"

local KEY = "selenite.train"

local checkpoints = {}
checkpoints.__index = checkpoints

-- Paths of all checkpoints, oldest first.
local function all(self)
  local paths = {}
  for _, name in ipairs(folder.list(self.folder)) do
    if name:find "^step%-%d+%.safetensors$" then paths[#paths + 1] = self.folder .. "/" .. name end
  end
  return paths
end

local function is_alive(process)
  local file = io.open("/proc/" .. process .. "/stat")
  if file then file:close() end
  return file ~= nil
end

-- Removes the oldest beyond `keep`.
local function remove_old(self)
  local paths = all(self)
  for i = 1, #paths - self.keep do os.remove(paths[i]) end
end

-- Removes what killed runs of this machine left half-written.
local function remove_remains(self)
  for _, name in ipairs(folder.list(self.folder)) do
    local process = name:match "^%.selenite%-(%d+)%-%d+%.tmp$"
    if process and not is_alive(process) then os.remove(self.folder .. "/" .. name) end
  end
end

-- The newest checkpoint's path, nil where there is none.
function checkpoints:latest()
  local paths = all(self)
  return paths[#paths]
end

-- Whether one is due after the step that was taken, in the middle of an epoch; at the end of one.
function checkpoints:is_due(step) return self.every ~= nil and step % self.every == 0 end
function checkpoints:is_due_after_epoch(step, ends)
  return ends or not self.every or self:is_due(step)
end

-- Writes the run as it stands (see state.capture).
function checkpoints:write(run, position)
  local tensors, rest = state.capture(run, position)
  local path = ("%s/step-%09d.safetensors"):format(self.folder, rest.step)
  files.save(path, tensors, { [KEY] = json.encode(rest) })
  remove_old(self)
end

-- Writes the model beside the checkpoints if this epoch's score is the best.
function checkpoints:write_if_best(run, record)
  if not run.best or not run.best:update(record) then return end
  files.save(self.folder .. "/best.safetensors", run.options.model:state_dict(),
             { [KEY] = json.encode { epoch = record.epoch, step = record.step,
                                     score = run.best.name, value = run.best.best } })
end

-- Puts the run where the checkpoint at `path` was written.
local function read(run, path)
  local tensors, metadata = files.load(path)
  if not metadata[KEY] then
    errors.raise(("train: %s is no checkpoint: it lacks the metadata '%s'"):format(path, KEY))
  end
  local ok, rest = pcall(json.decode, metadata[KEY])
  if not ok then errors.raise(("train: %s: %s"):format(path, rest:match "json: .*")) end
  state.restore(run, path, tensors, rest)
end

-- Goes on from what the option `resume` names: a file, or the newest checkpoint where there is one.
-- A new run must not mix with an old one's files.
function checkpoints.resume(self, run, resume)
  if type(resume) == "string" then return read(run, resume) end
  if not self then
    if resume then errors.raise "train: option 'resume': there is no folder of checkpoints" end
    return
  end
  local latest = self:latest()
  if latest and not resume then
    errors.raise(("train: %s is there from an earlier run; resume = true goes on with it, or take "
                  .. "another folder"):format(latest))
  end
  if latest then read(run, latest) end
end

-- From the option checkpoints = { folder =, every =, keep =, best =, mode = }, or the folder alone.
function checkpoints.new(run, given)
  if type(given) == "string" then given = { folder = given } end
  local o = options_of.read("train: checkpoints", given, options_of.checkpoints)
  state.check(run)
  folder.make(o.folder)
  if o.best then run.best = score.new("train: checkpoints", o.best, run, o.mode) end
  local self = setmetatable({ folder = o.folder, every = o.every, keep = o.keep }, checkpoints)
  remove_remains(self)
  return self
end

return checkpoints
