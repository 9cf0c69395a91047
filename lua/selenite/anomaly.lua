-- Where NaN and infinity come from: sel.detect_anomaly, and the search behind it.
--
-- Core tells of each operation the worst it was given and made, and which operation left what it
-- was given (profile.h). From a result, the way back leads to the operation that made the first
-- such value. NaN is what is looked for; an infinity counts where NaN was made of it, or where it
-- is what came out, since masks are made of infinities too.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local arguments = require "selenite.arguments"
local inspect = require "selenite.profile.inspection"

local C = library.C
local M = {}

local words = { [C.SEL_INFINITE] = "infinity", [C.SEL_NAN] = "nan" }

-- "blocks.2 (linear)", as errors name a layer: the way from the outermost one.
local function layer_text(recording, event)
  local names, kind, i = {}, nil, event.layer
  while i >= 0 do
    local layer = C.sel_profile_event_at(recording, i)
    kind = kind or ffi.string(layer.type)
    table.insert(names, 1, ffi.string(layer.name))
    i = layer.layer
  end
  table.remove(names, 1)
  if not kind then return "outside of layers" end
  if #names == 0 then return "in layer " .. kind end
  return ("in layer %s (%s)"):format(table.concat(names, "."), kind)
end

-- "'div' in the gradient of 'sqrt'"
local function operation_text(recording, event)
  local text, i = ("'%s'"):format(ffi.string(event.name)), event.parent
  while i >= 0 do
    local around = C.sel_profile_event_at(recording, i)
    if around.kind == C.SEL_PROFILE_GRADIENT then
      return ("%s in the gradient of '%s'"):format(text, ffi.string(around.name))
    end
    i = around.parent
  end
  return text
end

local function where_text(recording, i)
  local event = C.sel_profile_event_at(recording, i)
  return operation_text(recording, event) .. " " .. layer_text(recording, event)
end

-- Follows the way back from event i while its operation was given at least `worst`.
local function follow(recording, i, worst)
  while true do
    local result = C.sel_profile_result_at(recording, i)
    if result.given < worst or result.source < 0 then return i, result end
    i = result.source
  end
end

-- M.explain(recording, i): "the first nan was made by 'sqrt' in layer 1 (Root)", for an event whose
-- result isn't finite.
function M.explain(recording, i)
  local worst = C.sel_profile_result_at(recording, i).made
  local first, result = follow(recording, i, worst)
  local where, word = where_text(recording, first), words[tonumber(worst)]
  if result.given >= worst then
    return ("%s came into %s with an input that had it before"):format(word, where)
  end
  local text = ("the first %s was made by %s"):format(word, where)
  if result.given == C.SEL_FINITE then return text end
  if result.source < 0 then return text .. ", of an infinity in an input that had it before" end
  local cause = follow(recording, result.source, C.SEL_INFINITE)
  return ("%s, of an infinity made by %s"):format(text, where_text(recording, cause))
end

-- The first event that made a NaN of numbers, nil where there is none.
local function first_nan(recording)
  for i = 0, C.sel_profile_count(recording) - 1 do
    local result = C.sel_profile_result_at(recording, i)
    if result.made == C.SEL_NAN and result.given ~= C.SEL_NAN then return i end
  end
end

-- M.maker(t): inside inspect: the event that left what isn't finite in t, nil for none.
function M.maker(t)
  local event = C.sel_profile_maker(t)
  return event >= 0 and event or nil
end

local function pack(...) return { n = select("#", ...), ... } end

-- sel.detect_anomaly(fn, ...): returns fn(...), and raises an error if a NaN was made in it or one
-- of the tensors it returns isn't finite: which operation made the first such value, and in which
-- layer. Looks at every result, backward's too, so it is slow; for a training step that goes wrong.
function M.detect_anomaly(fn, ...)
  errors.expect("function", "detect_anomaly", 1, "fn", fn)
  local results, made
  local recording, ok, failure = inspect(nil, function(...)
    results = pack(fn(...))
    for i = 1, results.n do
      made = made or arguments.is_tensor(results[i]) and M.maker(results[i]) or nil
    end
  end, ...)
  if not recording then errors.raise("detect_anomaly: " .. tostring(ok)) end
  if not ok then errors.rethrow(failure) end
  made = first_nan(recording) or made
  if made then errors.raise("detect_anomaly: " .. M.explain(recording, made)) end
  return unpack(results, 1, results.n)
end

return M
