-- sel.summary: a model as a table: layers as a tree, what each gives, parameters, FLOPs, memory.
--
-- The model runs once, in evaluation mode, under a recording that looks at results. Rows are the
-- modules as they lie in each other; figures come from the recording's events.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local arguments = require "selenite.arguments"
local autograd = require "selenite.autograd"
local generator = require "selenite.generator"
local columns = require "selenite.columns"
local module = require "selenite.nn.module"
local evaluation = require "selenite.nn.evaluation"
local inspect = require "selenite.profile.inspection"

local C = library.C
local summary = {}
summary.__index = summary

-- ---- the run ----

-- Runs the model; returns the recording, modules by their event's number, and the bytes that the
-- results keep alive.
local function run(model, ...)
  local module_of, results = {}, nil
  local function entered(event, m) module_of[event] = m end
  local device = arguments.device("summary", (...):device())
  memory.collect()
  local before, drawn = memory.usage(device).live, generator.get_rng_state()
  local recording, ok, failure = inspect(entered, function(...)
    results = { evaluation(model, autograd.enable_grad, model, ...) }
  end, ...)
  generator.set_rng_state(drawn)
  if not recording then errors.raise("summary: " .. tostring(ok)) end
  if not ok then errors.rethrow(failure) end
  memory.collect()
  local kept = memory.usage(device).live - before
  return recording, module_of, #results > 0 and kept or 0 -- results live until here
end

-- The child of module m that events call `name`.
local function child_of(m, name)
  for each, child in m:children() do
    if each == name then return child end
  end
end

-- module -> { calls, output, flops }; those of children count for what is around them.
local function measure(recording, module_of)
  local measured = {}
  local function row_of(m)
    measured[m] = measured[m] or { calls = 0, flops = 0, output = "" }
    return measured[m]
  end
  for i = 0, C.sel_profile_count(recording) - 1 do
    local event = C.sel_profile_event_at(recording, i)
    local around = event.layer
    if event.kind == C.SEL_PROFILE_LAYER then
      local outer = module_of[around]
      module_of[i] = module_of[i] or outer and child_of(outer, ffi.string(event.name))
      if module_of[i] then
        local row, text = row_of(module_of[i]), C.sel_profile_result_at(recording, i).text
        row.calls = row.calls + 1
        if text ~= nil then row.output = ffi.string(text) end
      end
    end
    while around >= 0 and event.flops > 0 do
      if module_of[around] then
        local row = row_of(module_of[around])
        row.flops = row.flops + event.flops
      end
      around = C.sel_profile_event_at(recording, around).layer
    end
  end
  return measured
end

-- ---- counting ----

local function bytes_of(t) return t:numel() * C.sel_dtype_size(C.sel_tensor_dtype(t)) end

local function count_parameters(m)
  local all, trainable, bytes = 0, 0, 0
  for _, parameter in ipairs(m:parameters()) do
    all, bytes = all + parameter:numel(), bytes + bytes_of(parameter)
    if parameter.requires_grad then trainable = trainable + parameter:numel() end
  end
  for _, buffer in m:named_buffers() do bytes = bytes + bytes_of(buffer) end
  return all, trainable, tonumber(bytes)
end

-- Rows of m and all below it, in order; a module that is met again says where it was.
local function add_rows(rows, m, name, path, depth, measured, seen)
  local all, trainable = count_parameters(m)
  local got = measured[m] or { calls = 0, flops = 0, output = "" }
  rows[#rows + 1] = { name = name, path = path, depth = depth, type = m:class_name(),
                      calls = got.calls, output = got.output, parameters = all,
                      trainable = trainable, flops = got.flops, same_as = seen[m] }
  if seen[m] then return end
  seen[m] = path
  for child_name, child in m:children() do
    local below = path == "" and child_name or path .. "." .. child_name
    add_rows(rows, child, child_name, below, depth + 1, measured, seen)
  end
end

-- ---- as text ----

local function with_commas(n)
  local text = ("%d"):format(n)
  repeat
    local count
    text, count = text:gsub("^(%d+)(%d%d%d)", "%1,%2")
  until count == 0
  return text
end

-- "401.41k", and with a unit "9.41 kB".
local function with_unit(n, unit)
  for _, step in ipairs { { 1e12, "T" }, { 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" } } do
    if n >= step[1] then
      return ("%.2f%s%s%s"):format(n / step[1], unit == "" and "" or " ", step[2], unit)
    end
  end
  return ("%d%s%s"):format(n, unit == "" and "" or " ", unit)
end

local function label_of(row)
  local label = ("  "):rep(row.depth) .. (row.name ~= "" and row.name .. " " or "") .. row.type
  if row.same_as then return label .. " (the same as " .. row.same_as .. ")" end
  if row.calls == 0 then return label .. " (not used)" end
  return row.calls > 1 and ("%s, %d times"):format(label, row.calls) or label
end

-- summary:text(depth): what print shows; with depth, layers at most so deep in others.
function summary:text(depth)
  local lines = { { "layer", "output", "parameters", "trainable", "FLOPs" } }
  for _, row in ipairs(self.rows) do
    if not depth or row.depth <= depth then
      lines[#lines + 1] = { label_of(row), row.output, with_commas(row.parameters),
                            with_commas(row.trainable), with_unit(row.flops, "") }
    end
  end
  local totals = ("%s parameters, %s of them trainable; %s FLOPs, 2 for a multiply-add")
    :format(with_commas(self.parameters), with_commas(self.trainable), with_unit(self.flops, ""))
  local kept = ("memory: %s of parameters and buffers, %s that a backward pass would hold")
    :format(with_unit(self.bytes, "B"), with_unit(self.activation_bytes, "B"))
  return columns(lines, 2) .. "\n\n" .. totals .. "\n" .. kept
end
summary.__tostring = function(self) return self:text() end

-- sel.summary(model, ...): runs model(...) once and returns a table of its layers; print shows it.
-- Fields: rows, each with path, name, type, depth, calls, output ("f32[2, 10]"), parameters,
-- trainable, flops (with all below it); parameters, trainable, flops, bytes (parameters and
-- buffers), activation_bytes (what a backward pass would hold). It runs in evaluation mode and
-- leaves modes, gradients, running statistics and random numbers as they were.
function summary.new(model, ...)
  if not module.is_module(model) then
    errors.argument("summary", 1, "model", "a module", model)
  end
  if not arguments.is_tensor((...)) then
    errors.argument("summary", 2, "input", "a tensor", (...))
  end
  local recording, module_of, kept = run(model, ...)
  local rows = {}
  add_rows(rows, model, "", "", 0, measure(recording, module_of), {})
  local parameters, trainable, bytes = count_parameters(model)
  return setmetatable({ rows = rows, parameters = parameters, trainable = trainable,
                        bytes = bytes, flops = rows[1].flops, activation_bytes = kept }, summary)
end

return summary.new
