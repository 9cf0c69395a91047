-- The commands of the prompt: %name argument. Each has what it takes ("code", "file", "module" or
-- ""), a line of help, and run(session, argument), which returns the text to print or nil.
--
-- A session (selenite/repl/session.lua) has environment, entries (the blocks that ran) and compile,
-- call, show.

local persist = require "selenite.repl.locals"
local show = require "selenite.repl.show"
local timing = require "selenite.repl.timing"

local M = {}

local function megabytes(bytes) return ("%.1f MB"):format(tonumber(bytes) / 2 ^ 20) end

-- Lines of cells, each column as wide as its widest cell.
local function columns(rows)
  local widths, lines = {}, {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do widths[i] = math.max(widths[i] or 0, #cell) end
  end
  for i, row in ipairs(rows) do
    local cells = {}
    for j, cell in ipairs(row) do
      cells[j] = j == #row and cell or cell .. (" "):rep(widths[j] - #cell)
    end
    lines[i] = table.concat(cells, "  ")
  end
  return table.concat(lines, "\n")
end

local function words(text)
  local list = {}
  for word in text:gmatch "%S+" do list[#list + 1] = word end
  return list
end

local commands = {}

commands.time = { "code", "how long code takes; shows what it gives",
  run = function(session, code)
    local fn = session:compile(code)
    if not fn then return nil end
    local results = session:call(timing.time, fn)
    if not results then return nil end
    session:show(results, 2)
    return results[1]
  end }

commands.timeit = { "code", "how long code takes, run often; waits for the device",
  run = function(session, code)
    local fn = session:compile(code)
    local results = fn and session:call(timing.timeit, fn)
    return results and results[1]
  end }

commands.prof = { "code", "where the time of code goes: operations and layers",
  run = function(session, code)
    local fn = session:compile(code)
    local results = fn and session:call(require "selenite.profile", fn)
    return results and tostring(results[1])
  end }

commands.mem = { "", "memory of the devices and of Lua",
  run = function()
    local sel = require "selenite"
    local rows = { { "", "live", "cached", "peak" } }
    for _, device in ipairs(sel.devices()) do
      if device.available then
        local usage = sel.memory(device.name)
        rows[#rows + 1] = { device.name, megabytes(usage.live), megabytes(usage.cached),
                            megabytes(usage.peak) }
      end
    end
    rows[#rows + 1] = { "Lua", megabytes(collectgarbage "count" * 1024) }
    return columns(rows)
  end }

commands.run = { "file", "runs a script; its top-level variables stay",
  run = function(session, argument)
    local list = words(argument)
    local path = list[1]
    if not path then return "usage: %run file arguments" end
    local file, problem = io.open(path, "rb")
    if not file then return problem end
    local text = file:read "*a":gsub("^#[^\n]*", "")
    file:close()
    local fn = session:load(persist(text), "@" .. path)
    if not fn then return nil end
    local before = _G.arg
    _G.arg = { [0] = path, unpack(list, 2) }
    session:call(fn, unpack(list, 2))
    _G.arg = before
  end }

commands.reload = { "module", "loads a Lua module again; variables that hold it hold the new one",
  run = function(session, name)
    local before = package.loaded[name]
    if before == nil then return ("no module '%s' is loaded"):format(name) end
    package.loaded[name] = nil
    local results = session:call(require, name)
    if not results then
      package.loaded[name] = before
      return "the module loaded before stays"
    end
    for key, value in next, session.environment do
      if rawequal(value, before) then session.environment[key] = results[1] end
    end
    return "loaded " .. name
  end }

commands["reload-plugin"] = { "file", "loads a layer plugin again (sel.reload_plugin)",
  run = function(session, path)
    return session:call(require "selenite".reload_plugin, path) and "loaded " .. path
  end }

commands.save = { "file", "writes what ran without errors to a new file (-f: over an old one)",
  run = function(session, argument)
    local force, path = argument:match "^(%-f%s+)(%S+)$"
    path = path or argument:match "^%S+$"
    if not path then return "usage: %save file, %save -f file" end
    local old = not force and io.open(path, "rb")
    if old then
      old:close()
      return ("%s is there already; %%save -f %s writes over it"):format(path, path)
    end
    local file, problem = io.open(path, "wb")
    if not file then return problem end
    local ok
    ok, problem = file:write(table.concat(session.entries, "\n"), "\n")
    local closed, problem_at_close = file:close()
    if not (ok and closed) then return problem or problem_at_close end
    return ("wrote %d blocks to %s"):format(#session.entries, path)
  end }

commands.who = { "", "variables, and what they are",
  run = function(session)
    local rows = {}
    for name, value in next, session.environment do
      if type(name) == "string" and not rawequal(session.given[name], value) and name ~= "_" then
        local kind = type(value) == "cdata" and "tensor" or type(value)
        rows[#rows + 1] = { name, kind, show.summary(value) }
      end
    end
    table.sort(rows, function(a, b) return a[1] < b[1] end)
    return #rows > 0 and columns(rows) or "no variables yet"
  end }

local help_text = [[
A line is an expression, whose value is shown, or statements. A top-level local stays. Lines that
are not complete go on in the next line; Ctrl-C takes them back. _ is the last value.

?name       what something is: ?nn.conv2d
??name      its source
!command    runs a command of the shell
Tab         completes names and files; Ctrl-R searches what was entered
Ctrl-C      stops what runs, and keeps all variables; Ctrl-D ends
]]

commands.help = { "", "this text",
  run = function()
    local rows = {}
    for name, command in pairs(commands) do
      rows[#rows + 1] = { ("%%%s %s"):format(name, command[1]), command[2] }
    end
    table.sort(rows, function(a, b) return a[1] < b[1] end)
    return help_text .. "\n" .. columns(rows)
  end }

-- Names that begin with `start`.
function M.names_from(start)
  local list = {}
  for name in pairs(commands) do
    if name:sub(1, #start) == start then list[#list + 1] = name end
  end
  return list
end

-- What a command takes: "code", "file", "module" or ""; nil where there is no such command.
function M.takes(name) return commands[name] and commands[name][1] end

-- Runs a command and returns the text to print, or nil.
function M.run(session, name, argument)
  local command = commands[name]
  if not command then return ("there is no command %%%s; %%help lists them"):format(name) end
  if command[1] ~= "" and argument == "" then
    return ("usage: %%%s %s"):format(name, command[1])
  end
  return command.run(session, argument)
end

return M
