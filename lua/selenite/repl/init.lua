-- The prompt: reads blocks, runs them, prints what they give.
--
-- What a line may be is in commands.lua (%help); how blocks become functions in compile.lua, how
-- values are shown in show.lua. This file reads the environment variables NO_COLOR, TERM,
-- XDG_STATE_HOME and HOME.

local errors = require "selenite.errors"
local is_terminal = require("selenite.terminal").is_terminal
local colour = require "selenite.repl.colour"
local commands = require "selenite.repl.commands"
local complete = require "selenite.repl.complete"
local explain = require "selenite.repl.explain"
local frame = require "selenite.repl.frame"
local history = require "selenite.repl.history"
local input = require "selenite.repl.input"
local new_session = require("selenite.repl.session").new
local C = require("selenite.library").C

local M = {}

local function variable(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

-- Where history is kept; nil where no folder is known.
local function history_path()
  local state = variable "XDG_STATE_HOME"
  if not state and variable "HOME" then state = variable "HOME" .. "/.local/state" end
  return state and state .. "/selenite/history"
end

-- Whether more lines belong to `text`: code that isn't complete, also behind a command.
local function wants_more(session, text)
  local name, code = text:match "^%%(%S+)%s*(.*)$"
  if name then return commands.takes(name) == "code" and session:is_incomplete(code) end
  return not text:find "^[?!]" and session:is_incomplete(text)
end

-- A whole block; nil at the end of input, "" where there is nothing to run.
local function read_block(lines, session)
  local text, problem = lines:read "> "
  while text and text:find "%S" and wants_more(session, text) do
    local line
    line, problem = lines:read ". "
    if not line and not problem then return text end -- the end: the error says what is missing
    text = line and text .. "\n" .. line
  end
  if problem then -- Ctrl-C at the prompt
    errors.clear_interruption()
    print()
    return ""
  end
  return text
end

local function run_shell(command)
  io.stdout:flush()
  local status = os.execute(command)
  if status ~= 0 then print(("exit status %d"):format(status / 256)) end
end

local function run_block(session, text)
  local question, path = text:match "^(%?%??)%s*(.-)%s*$"
  local name, argument = text:match "^%%(%S*)%s*(.-)%s*$"
  local answer
  if question and path == "" then
    answer = commands.run(session, "help", "")
  elseif question then
    answer = (question == "?" and explain.explain or explain.source)(session.environment, path)
  elseif name then
    answer = commands.run(session, name, argument)
  elseif text:find "^!" then
    run_shell(text:sub(2))
  else
    session:run(text)
  end
  if answer then print(answer) end
end

local function leaves(session, text)
  local word = text:match "^%s*(%l+)%s*$"
  return (word == "exit" or word == "quit") and session.environment[word] == nil
end

local function loop(session, lines)
  while true do
    local text = read_block(lines, session)
    if not text then return print() end
    if leaves(session, text) then return end
    if text:find "%S" then
      lines:add(text)
      run_block(session, text)
      if C.sel_interrupted() then errors.clear_interruption() end -- too late to stop anything
    end
  end
end

-- Ctrl-C reaches compiled loops while a prompt is open; prompts may be nested.
local open_prompts = 0
local function watch(change)
  open_prompts = open_prompts + change
  local has_interrupts = package.preload["selenite.interrupts"] -- not in plain luajit
  if has_interrupts then require("selenite.interrupts").watch(open_prompts > 0) end
end

-- Reads and runs until the end of input. `environment` holds the variables.
local function run(environment)
  local on_terminal = is_terminal(0) and is_terminal(1)
  colour.switch(on_terminal and not variable "NO_COLOR" and variable "TERM" ~= "dumb")
  local lines = input.open {
    on_terminal = on_terminal,
    history = history.open(on_terminal and history_path() or nil),
    complete = function(text) return complete.complete(environment, text) end,
  }
  if on_terminal then
    print(("Selenite %s; ? for help, Ctrl-D ends"):format(require("selenite")._VERSION))
  end
  watch(1)
  local ok, problem = errors.protect(loop, new_session(environment), lines)
  watch(-1)
  if not ok then errors.rethrow(problem) end
end

-- The prompt of the executable: sel, nn, optim and data are there.
function M.start()
  local sel = require "selenite"
  run(setmetatable({ sel = sel, nn = sel.nn, optim = sel.optim, data = sel.data },
                   { __index = _G }))
end

-- sel.repl(): opens the prompt where it is called, with the locals of the function around; what
-- they are set to is written back when the prompt ends.
function M.open()
  local environment = {}
  local caller, outer = frame.capture(environment)
  run(setmetatable(environment, { __index = outer or _G }))
  if caller then caller:write_back() end
end

return M
