-- What lasts while a prompt is open: variables, the blocks that ran, and how a block is run.

local errors = require "selenite.errors"
local compile = require "selenite.repl.compile"
local failure = require "selenite.repl.failure"
local show = require "selenite.repl.show"
local sources = require "selenite.repl.sources"

local session = {}
session.__index = session

local number = 0 -- of blocks, in all sessions of the process: names of chunks must differ

-- session.new(environment): `environment` is where a block's variables are. What it holds now is no
-- variable of the user's.
local function new(environment)
  local given = {}
  for name, value in next, environment do given[name] = value end
  return setmetatable({ environment = environment, given = given, entries = {} }, session)
end

local function fail(problem) print(failure.report(problem)) end

-- Whether `text` is the beginning of a block.
function session:is_incomplete(text)
  local _, _, incomplete = compile.compile(text, "=in", self.environment)
  return incomplete
end

-- A function that runs the text of a block; nil after printing a syntax error.
function session:compile(text)
  number = number + 1
  local name = ("in[%d]"):format(number)
  sources.keep(name, text)
  local chunk, message = compile.compile(text, "=" .. name, self.environment)
  if not chunk then return fail { message = message, traceback = "" } end
  return chunk
end

-- The same for text of a file, whose expressions are not shown.
function session:load(text, name)
  local chunk, message = loadstring(text, name)
  if not chunk then return fail { message = message, traceback = "" } end
  return setfenv(chunk, self.environment)
end

local function finish(outside, ok, ...)
  if not ok then
    local problem = ...
    problem.outside = outside
    return fail(problem)
  end
  return { n = select("#", ...), ... }
end

-- The results of fn(...) as a table with their number n; nil after printing an error.
function session.call(_, fn, ...)
  errors.forget()
  return finish(failure.depth(), xpcall(fn, failure.catch, ...))
end

-- Prints results from number `first` on; the first of them is in the variable _ from now on.
function session:show(results, first)
  local text = show.values({ unpack(results, first, results.n) }, results.n - first + 1)
  if not text then return end
  print(text)
  if results[first] ~= nil then self.environment._ = results[first] end
end

-- Runs a block and prints what it gives.
function session:run(text)
  local chunk = self:compile(text)
  local results = chunk and self:call(chunk)
  if not results then return end
  self.entries[#self.entries + 1] = text
  self:show(results, 1)
end

return { new = new }
