-- Errors as the user sees them: at the user's line, with the path to the layer, in the user's
-- terms.
--
-- Library frames are recognised by the folder their source lies in, so that no function has to
-- count levels. What a module-aware error needs from nn is registered there (set_path_finder).

local library = require "selenite.library"
local ffi = require "ffi"

local C = library.C
local getinfo = debug.getinfo
local M = {}

-- Whether debug.getinfo's `source` is a file of this library or code it generated.
local prefix = "@" .. library.folder
local function is_library(source) return source:sub(1, #prefix) == prefix end
M.is_library = is_library

-- Chunk name for generated code: counts as the library's.
function M.chunk_name(what) return prefix .. "(" .. what .. ")" end

-- "file:line: " of the innermost function that is not the library's.
function M.where()
  for level = 2, math.huge do
    local info = getinfo(level, "Sl")
    if not info then return "" end
    if info.what ~= "C" and not is_library(info.source) then
      return ("%s:%d: "):format(info.short_src, info.currentline)
    end
  end
end

-- The stack as debug.traceback shows it, without the library's frames.
function M.traceback()
  local lines = { "stack traceback:" }
  for level = 2, math.huge do
    local info = getinfo(level, "Sln")
    if not info then break end
    if info.what ~= "C" and not is_library(info.source) then
      local where = ("\t%s:%d: in "):format(info.short_src, info.currentline)
      if info.what == "main" then
        where = where .. "main chunk"
      elseif info.name then
        where = where .. ("function '%s'"):format(info.name)
      else
        where = where .. ("function <%s:%d>"):format(info.short_src, info.linedefined)
      end
      lines[#lines + 1] = where
    end
  end
  return #lines > 1 and table.concat(lines, "\n") or ""
end

-- protect(fn, ...) is pcall(fn, ...); rethrow(e) passes the error on with the traceback it had.
local last_error, last_traceback
local function remember(e)
  if not rawequal(e, last_error) then
    last_error, last_traceback = e, M.traceback()
  end
  return e
end
function M.protect(fn, ...) return xpcall(fn, remember, ...) end
function M.rethrow(e) error(e, 0) end

-- From now on an error is a new one, also when its text was raised before.
function M.forget() last_error, last_traceback = nil, nil end

-- Traceback for error value `e`: that of the first protect it passed, else the present one.
function M.traceback_of(e)
  if rawequal(e, last_error) then return last_traceback end
  return M.traceback()
end

-- nn.module gives a function that reads the path to the running layer off the stack ("encoder.3").
local find_path = function() return nil end
function M.set_path_finder(finder) find_path = finder end

-- Raises `text` at the user's line, behind the path unless it begins with it.
function M.raise(text)
  local path = find_path()
  if path and not (text:sub(1, #path) == path and text:find("^[:.]", #path + 1)) then
    text = path .. ": " .. text
  end
  error(M.where() .. text, 0)
end

-- Takes back an interruption (Ctrl-C) that was noticed: operations work again, and the executable's
-- hook, which would raise it once more in the user's code, is removed.
function M.clear_interruption()
  C.sel_interrupt_clear()
  debug.sethook()
end

-- Raises what core reported. An interruption is raised once, as the plain text "interrupted", and
-- leaves the library usable.
function M.raise_status(status)
  if status == C.SEL_E_INTERRUPTED then
    M.clear_interruption()
    error("interrupted", 0)
  end
  M.raise(ffi.string(C.sel_error()))
end

-- Raises what core reported, unless status says success.
function M.check(status)
  if status ~= 0 then M.raise_status(status) end
end

-- What a value is, in the words of an error message.
function M.describe(value)
  local kind = type(value)
  if kind == "nil" then return "nothing" end
  if kind == "string" then return ("the string %q"):format(value) end
  if kind == "number" or kind == "boolean" then
    return ("the %s %s"):format(kind, tostring(value))
  end
  if kind == "cdata" then
    if ffi.istype("sel_tensor", value) then
      local text = ffi.new "char[160]"
      C.sel_describe(value, text, 160)
      local has_elements = C.sel_tensor_device(value) ~= nil
      return (has_elements and "a tensor " or "") .. ffi.string(text)
    end
    return "a " .. tostring(ffi.typeof(value))
  end
  return "a " .. kind
end

-- Raises: "relu: argument 1 (x): expected a tensor, got a table".
function M.argument(operation, position, name, expected, got)
  M.raise(("%s: argument %d (%s): expected %s, got %s")
          :format(operation, position, name, expected, M.describe(got)))
end

-- Returns `value`, which must be of the Lua type `kind`.
function M.expect(kind, operation, position, name, value)
  if type(value) ~= kind then M.argument(operation, position, name, "a " .. kind, value) end
  return value
end

-- Raises: "cross_entropy: option 'reduction': expected a string, got the number 3".
function M.option(operation, name, expected, got)
  M.raise(("%s: option '%s': expected %s, got %s")
          :format(operation, name, expected, M.describe(got)))
end

-- Refuses names in `options` that are no keys of `known`; nil counts as no options.
function M.check_options(operation, options, known)
  if options == nil then return end
  if type(options) ~= "table" then
    M.raise(("%s: expected a table of options, got %s"):format(operation, M.describe(options)))
  end
  for name in pairs(options) do
    if known[name] == nil then
      local names = {}
      for k in pairs(known) do names[#names + 1] = k end
      table.sort(names)
      M.raise(("%s: no option '%s'; there are: %s")
              :format(operation, tostring(name), table.concat(names, ", ")))
    end
  end
end

-- All options of `known` (name to default, "required" for none), each as given or its default.
function M.all_options(operation, options, known)
  M.check_options(operation, options, known)
  local all = {}
  for name, default in pairs(known) do
    local value = options and options[name]
    if value == nil then value = default end
    if value == "required" then M.raise(("%s: option '%s' is required"):format(operation, name)) end
    all[name] = value
  end
  return all
end

return M
