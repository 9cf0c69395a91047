-- Where blocks come from: the line editor on a terminal, plain lines elsewhere.
--
-- input.open{ complete =, history =, on_terminal = } gives an object whose read(prompt) returns
-- what was entered, nil at the end of input, or nil and "interrupted"; its add(text) puts a whole
-- block into the history.

local errors = require "selenite.errors"
local colour = require "selenite.repl.colour"
local C = require("selenite.library").C

local edited, plain = {}, {}
edited.__index, plain.__index = edited, plain

function edited:read(prompt) return self.editor:read(colour.prompt(prompt)) end

function edited:add(text)
  self.history:add(text)
  self.editor:set_history(self.history)
end

function plain:read(prompt)
  if self.on_terminal then
    io.stdout:write(prompt)
    io.stdout:flush()
  end
  local line = io.read()
  if not line and C.sel_interrupted() then return nil, "interrupted" end
  return line
end

function plain.add() end

-- complete(text before the cursor) is asked on Tab. Only the executable has an editor: plain
-- luajit reads plain lines on a terminal too.
local function open(options)
  local editor = options.on_terminal and package.preload["selenite.line_editor"]
  if not editor then return setmetatable({ on_terminal = options.on_terminal }, plain) end
  local self = { editor = require("selenite.line_editor").open(options.complete),
                 history = options.history }
  self.editor:set_history(self.history)
  return setmetatable(self, edited)
end

-- Takes back a Ctrl-C that nobody noticed in time.
local function forget_interruption()
  if C.sel_interrupted() then errors.clear_interruption() end
end

return { open = open, forget_interruption = forget_interruption }
