-- An error as the prompt shows it: the message, then the user's own frames, innermost first, each
-- with its line of source. Frames of the library and of the prompt are left out
-- (selenite/errors.lua).

local errors = require "selenite.errors"
local sources = require "selenite.repl.sources"
local colour = require "selenite.repl.colour"

local MOST = 10 -- frames shown

local M = {}

-- For xpcall: what `report` takes.
function M.catch(e)
  local text = type(e) == "string" and e
    or (debug.getmetatable(e) or {}).__tostring and tostring(e)
    or ("(error object is a %s value)"):format(type(e))
  return { message = text, traceback = errors.traceback_of(e) }
end

local FRAME = "\t([^\n]-):(%d+): in ([^\n]+)"

-- How many frames of the user's there are now: those of a script that opened the prompt.
function M.depth() return select(2, errors.traceback():gsub(FRAME, "")) end

local function frames_of(failure)
  local frames = {}
  local function add(name, number, what)
    frames[#frames + 1] = { name = name, number = tonumber(number), what = what }
  end
  for name, number, what in failure.traceback:gmatch(FRAME) do
    add(name, number, what)
  end
  for _ = 1, failure.outside or 0 do frames[#frames] = nil end
  local name, number = failure.message:match "^(.-):(%d+): "
  if #frames == 0 and name then add(name, number, "") end -- a syntax error
  return frames
end

local function line_of(frame)
  local lines = sources.lines(frame.name)
  return lines and lines[frame.number] and lines[frame.number]:match "^%s*(.-)%s*$" or ""
end

-- Text for what catch made, or for a syntax error: { message =, traceback = "" }. `outside` frames
-- at the end are not shown.
function M.report(failure)
  if failure.message == "interrupted" then return colour.yellow "interrupted" end
  local lines = { colour.red(failure.message) }
  local frames, wide = frames_of(failure), 0
  local shown = math.min(#frames, MOST)
  for i = 1, shown do
    frames[i].at = ("%s:%d"):format(frames[i].name, frames[i].number)
    wide = math.max(wide, #frames[i].at)
  end
  for i = 1, shown do
    local frame = frames[i]
    local inside = frame.what:find "^function '" and colour.grey("   in " .. frame.what) or ""
    lines[#lines + 1] = ("  %s%s  %s%s"):format(colour.cyan(frame.at),
                                              (" "):rep(wide - #frame.at), line_of(frame), inside)
  end
  if #frames > shown then lines[#lines + 1] = ("  and %d more"):format(#frames - shown) end
  return table.concat(lines, "\n")
end

return M
