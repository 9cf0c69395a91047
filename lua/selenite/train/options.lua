-- The options of sel.train: what there is, what each must be, and what stands where none is given.
--
-- These tables are what is checked, and what the error of an unknown option lists; the table in
-- docs/train.md has a row for each.

local errors = require "selenite.errors"
local module = require "selenite.nn.module"

local M = {}

-- ---- kinds: a text for the error, and a test ----

local function is_callable(value)
  return type(value) == "function" or module.is_module(value)
end

local function has_methods(...)
  local names = { ... }
  return function(value)
    if type(value) ~= "table" then return false end
    for _, name in ipairs(names) do
      if type(value[name]) ~= "function" then return false end
    end
    return true
  end
end

local function of_type(name)
  return function(value) return type(value) == name end
end

local function is_whole(value) return type(value) == "number" and value % 1 == 0 end
local function is_count(value) return is_whole(value) and value >= 1 end

local kinds = {
  module = { "a module", module.is_module },
  callable = { "a function or module", is_callable },
  fn = { "a function", of_type "function" },
  table = { "a table", of_type "table" },
  boolean = { "true or false", of_type "boolean" },
  text = { "a text", of_type "string" },
  whole = { "a whole number", is_whole },
  count = { "a whole number from 1", is_count },
  positive = { "a number above 0",
               function(value) return type(value) == "number" and value > 0 end },
  not_negative = { "a number from 0",
                   function(value) return type(value) == "number" and value >= 0 end },
  optimizer = { "an optimizer", has_methods("step", "zero_grad") },
  data = { "a loader, or what has its methods size() and batches(epoch, first)",
           has_methods("size", "batches") },
  schedule = { "a schedule", has_methods "step" },
  folder = { "the name of a folder, or a table",
             function(value) return type(value) == "string" or type(value) == "table" end },
  resume = { "true, false or the name of a checkpoint",
             function(value) return type(value) == "boolean" or type(value) == "string" end },
  progress = { "true, false or a table",
               function(value) return type(value) == "boolean" or type(value) == "table" end },
  every = { "'step' or 'epoch'", function(value) return value == "step" or value == "epoch" end },
  mode = { "'min' or 'max'", function(value) return value == "min" or value == "max" end },
}

-- Checks a table of options against `known`, name -> { kind, default or "required" }; returns a
-- complete copy. `operation` is what errors begin with.
function M.read(operation, given, known)
  errors.check_options(operation, given, known)
  local result = {}
  for name, row in pairs(known) do
    local kind, default = kinds[row[1]], row[2]
    local value = given and given[name]
    if value == nil then value = default end
    if value == "required" then
      errors.raise(("%s: option '%s' is required: %s"):format(operation, name, kind[1]))
    end
    if value ~= nil and not kind[2](value) then errors.option(operation, name, kind[1], value) end
    result[name] = value
  end
  return result
end

-- What one pass over data takes: sel.evaluate.
M.evaluate = {
  model = { "module", "required" },
  loss = { "callable", "required" },
  data = { "data", "required" },
  metrics = { "table", {} },
  forward = { "fn" },
}

M.train = {
  model = { "module", "required" },
  loss = { "callable", "required" },
  optimizer = { "optimizer", "required" },
  data = { "data", "required" },
  epochs = { "count", "required" },
  validation = { "data" },
  metrics = { "table", {} },
  forward = { "fn" },
  schedule = { "schedule" },
  schedule_every = { "every" },
  schedule_score = { "text" },
  clip = { "positive" },
  accumulate = { "count", 1 },
  early_stopping = { "table" },
  callbacks = { "table", {} },
  checkpoints = { "folder" },
  resume = { "resume", false },
  seed = { "whole" },
  progress = { "progress", true },
  check = { "boolean", true },
}

M.early_stopping = {
  score = { "text" },
  mode = { "mode" },
  patience = { "count", 5 },
  min_delta = { "not_negative", 0 },
}

M.checkpoints = {
  folder = { "text", "required" },
  every = { "count" },
  keep = { "count", 3 },
  best = { "text" },
  mode = { "mode" },
}

return M
