-- The command line of the `selenite` executable: options, scripts, what is printed when they fail.
--
-- Returns a function of argv (program name first) that returns the exit status: 0, 1 after an
-- error, 2 for a wrong command line, 130 after an interruption.

local usage = [=[
usage: selenite [options] [script [arguments]]
       selenite new-layer NAME | new-op NAME | new-backend NAME
       selenite check PLUGIN.so
       selenite doc layers [PLUGIN.so] | doc functions
  script         a Lua script; "-" or nothing reads it from standard input
  -e CODE        runs CODE before the script
  -i             opens the prompt after the script
  -v, --version  prints version, devices and plugins
  -h, --help     prints this
  new-...        writes a folder NAME with a plugin to start from
  check          tries everything a plugin brings and prints a report
  doc            prints a page of reference, in Markdown
Without script and -e, on a terminal, opens the prompt.
]=]

-- Traceback of user code, for xpcall: an error becomes { message =, traceback = }.
local function on_error(e)
  local loaded = package.loaded["selenite.errors"]
  local traceback = loaded and loaded.traceback_of(e) or ""
  local text = type(e) == "string" and e
    or (getmetatable(e) or {}).__tostring and tostring(e)
    or ("(error object is a %s value)"):format(type(e))
  return { message = text, traceback = traceback }
end

-- Runs chunk(...); returns the exit status and prints an error.
local function run(chunk, ...)
  local ok, failure = xpcall(chunk, on_error, ...)
  if ok then return 0 end
  io.stdout:flush()
  if failure.message == "interrupted" then
    io.stderr:write("selenite: interrupted\n")
    return 130
  end
  io.stderr:write("selenite: ", failure.message, "\n")
  if failure.traceback ~= "" then io.stderr:write(failure.traceback, "\n") end
  return 1
end

local function run_text(load_chunk, ...)
  local chunk, message = load_chunk()
  if not chunk then
    io.stderr:write("selenite: ", message, "\n")
    return 1
  end
  return run(chunk, ...)
end

local function print_version()
  local ffi = require "ffi"
  local library = require "selenite.library"
  local sel = require "selenite"
  local C = library.C
  print(("Selenite %s, %s"):format(sel._VERSION, jit.version))
  print("library   " .. library.path)
  print("Lua files " .. library.folder)
  for _, device in ipairs(sel.devices()) do print("device    " .. tostring(device)) end
  local i, plugin = 0, C.sel_plugin_at(0)
  while plugin ~= nil do
    print(("plugin    %s %s (%s) %s")
          :format(ffi.string(plugin.name), ffi.string(plugin.version), ffi.string(plugin.licence),
                  ffi.string(C.sel_plugin_path_at(i))))
    i = i + 1
    plugin = C.sel_plugin_at(i)
  end
end

-- The table `arg` as lua makes it: the script at 0, what stands before it at negative positions.
local function make_arg(argv, script)
  local list = {}
  for i = 1, #argv do list[i - script] = argv[i] end
  return list
end

local function parse(argv)
  local options = { code = {} }
  local i = 2
  while argv[i] and argv[i]:sub(1, 1) == "-" and argv[i] ~= "-" do
    local option = argv[i]
    if option == "-e" then
      i = i + 1
      if not argv[i] then return nil, "-e needs code behind it" end
      options.code[#options.code + 1] = argv[i]
    elseif option == "-i" then
      options.prompt = true
    elseif option == "-v" or option == "--version" then
      options.version = true
    elseif option == "-h" or option == "--help" then
      options.help = true
    elseif option == "--" then
      i = i + 1
      break
    else
      return nil, ("there is no option '%s'"):format(option)
    end
    i = i + 1
  end
  options.script = i
  return options
end

-- Commands that are no scripts; a script of such a name is run as ./NAME. Returns the exit status,
-- nil where argv names none.
local function run_command(argv)
  if argv[2] == "check" then
    if not argv[3] or argv[4] then
      io.stderr:write("usage: selenite check PLUGIN.so\n")
      return 2
    end
    return require "selenite.check"(argv[3])
  end
  if argv[2] == "doc" then return require "selenite.doc"(unpack(argv, 3)) end
  return argv[2] and require("selenite.new").run(unpack(argv, 2)) or nil
end

-- Runs the pieces of code, and the script where there is one: "-" and nil are standard input.
local function run_all(code, has_script, script, ...)
  for _, text in ipairs(code) do
    local status = run_text(function() return loadstring(text, "=(command line)") end)
    if status ~= 0 then return status end
  end
  if not has_script then return 0 end
  local path = script ~= "-" and script or nil
  return run_text(function() return loadfile(path) end, ...)
end

return function(...)
  local argv = { ... }
  local exit_status = run_command(argv)
  if exit_status then return exit_status end
  local options, problem = parse(argv)
  if not options then
    io.stderr:write("selenite: ", problem, "\n", usage)
    return 2
  end
  if options.help then
    io.stdout:write(usage)
    return 0
  end
  if options.version then return run(print_version) end

  _G.arg = make_arg(argv, options.script)
  local script = argv[options.script]
  local has_code = #options.code > 0
  local prompt = options.prompt
    or not script and not has_code and require("selenite.terminal").is_terminal(0)
  local has_script = script or not prompt and not has_code -- none is named: standard input is one
  local status = run_all(options.code, has_script, script, unpack(argv, options.script + 1))
  if prompt then return run(require("selenite.repl").start) end
  return status
end
