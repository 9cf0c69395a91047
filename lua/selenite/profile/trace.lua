-- A profile as a trace file, in the Trace Event Format of Chrome's trace viewer and Perfetto:
-- an array of complete events ("ph": "X") with begin and duration in microseconds.
-- https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU

local library = require "selenite.library"
local files = require "selenite.files"

local C = library.C

local categories = {
  [C.SEL_PROFILE_OPERATION] = "operation", [C.SEL_PROFILE_GRADIENT] = "gradient",
  [C.SEL_PROFILE_LAYER] = "layer", [C.SEL_PROFILE_UPDATE] = "update",
  [C.SEL_PROFILE_DATA] = "data",
}

local function escape(character) return ("\\u%04x"):format(character:byte()) end
local function quote(text) return '"' .. text:gsub('[%c"\\]', escape) .. '"' end

local function arguments_of(event)
  if event.bytes == 0 and event.flops == 0 then return "" end
  return (',"args":{"bytes":%.0f,"flops":%.0f}'):format(event.bytes, event.flops)
end

-- Writes the events of `handle`; label(i) is what event i is called.
return function(path, handle, label)
  local lines = {}
  for i = 0, C.sel_profile_count(handle) - 1 do
    local event = C.sel_profile_event_at(handle, i)
    lines[i + 1] = ('{"name":%s,"cat":"%s","ph":"X","pid":1,"tid":1,"ts":%.3f,"dur":%.3f%s}')
      :format(quote(label(i)), categories[tonumber(event.kind)], event.start * 1e-3,
              (event["end"] - event.start) * 1e-3, arguments_of(event))
  end
  files.write_text(path, '{"displayTimeUnit":"ns","traceEvents":[\n' .. table.concat(lines, ",\n")
                         .. "\n]}\n")
end
