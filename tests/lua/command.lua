-- The executable: options, scripts, what is printed when they fail, Ctrl-C.

local check = require "check"
local test, equal, contains, run = check.test, check.equal, check.contains, check.run

local program = check.program

-- A script with this text; returns its path.
local function script(text)
  local path = os.tmpname()
  local file = io.open(path, "w")
  file:write(text)
  file:close()
  return path
end

test("--version tells what was found and where", function()
  local output, status = run(program .. " --version")
  equal(status, 0)
  contains(output, "Selenite 0.", "LuaJIT", "libselenite.so", "device    cpu: ",
           "plugin    fc ", "fc.so", "cpu.so")
end)

test("doc prints pages of reference", function()
  local output, status = run(program .. " doc layers")
  equal(status, 0)
  equal(output:sub(1, 14), "# Layer types\n")
  output, status = run(program .. " doc nothing")
  equal(status, 2)
  contains(output, "usage: selenite doc layers")
  output, status = run(program .. " doc layers nowhere.so")
  equal(status, 1)
  contains(output, "nowhere.so")
end)

test("--help, unknown options", function()
  local output, status = run(program .. " --help")
  equal(status, 0)
  contains(output, "usage: selenite", "--version")
  output, status = run(program .. " --frob")
  equal(status, 2)
  contains(output, "there is no option '--frob'", "usage")
  equal(select(2, run(program .. " -e")), 2)
end)

test("-e runs code, several times, before a script", function()
  local path = script "print(x, ...)"
  equal(run(program .. " -e 'print(1 + 1)'"), "2\n")
  equal(run(program .. " -e 'x = 1' -e 'x = x + 1' " .. path .. " a b"), "2\ta\tb\n")
  os.remove(path)
end)

test("a script has its arguments in arg and in ..., from any folder", function()
  local path = script [[
    local sel = require "selenite"
    print(arg[0] ~= nil, arg[1], select("#", ...), (select(2, ...)), sel.ones(2):sum():item())]]
  local output, status = run(("cd / && %s %s --option 'two words'"):format(program, path))
  equal(output, "true\t--option\t2\ttwo words\t2\n")
  equal(status, 0)
  os.remove(path)
end)

test("a script from standard input", function()
  equal(run("echo 'print(#arg, 5)' | " .. program), "0\t5\n")
  equal(run("echo 'print(...)' | " .. program .. " - x y"), "x\ty\n")
end)

test("a missing script, a syntax error", function()
  local output, status = run(program .. " /nowhere/x.lua")
  equal(status, 1)
  contains(output, "selenite: cannot open /nowhere/x.lua")
  output, status = run(program .. " -e 'x = = 1'")
  equal(status, 1)
  contains(output, "selenite: ", "unexpected symbol")
end)

test("an error shows the user's line and frames, nothing of the library", function()
  local path = script [[
local sel = require "selenite"
local nn = sel.nn
local function inner() return nn.sequential(nn.linear(2, 3))(sel.ones(1, 4)) .. "" end
inner()]]
  local output, status = run(program .. " " .. path)
  equal(status, 1)
  contains(output, path .. ":3: 0 (linear): ", "[1, 4]", "stack traceback:", ":4: in main chunk",
           "'inner'")
  equal(output:find("share/lua", 1, true), nil)
  equal(output:find("[C]", 1, true), nil)
  output = run(program .. " -e 'error { code = 1 }'")
  contains(output, "error object is a table value")
  contains(run(program .. [[ -e 'error(setmetatable({}, { __tostring = function() return "mine" end
    }))']]), "mine")
  os.remove(path)
end)

test("os.exit passes a status on", function()
  equal(select(2, run(program .. " -e 'os.exit(7)'")), 7)
end)

-- Runs a script, sends SIGINT when it has printed "ready", and returns output and status.
local function interrupted(text)
  local path, log = script(text), os.tmpname()
  local output, status = run(([[
    %s %s > %s 2>&1 & child=$!
    for i in $(seq 100); do grep -q ready %s && break; sleep 0.1; done
    sleep 0.2; kill -INT $child; wait $child; code=$?; cat %s; (exit $code)]])
    :format(program, path, log, log, log))
  os.remove(path)
  os.remove(log)
  return output, status
end

test("Ctrl-C ends training with one line and status 130", function()
  local output, status = interrupted [[
    local sel = require "selenite"
    local nn, optim = sel.nn, sel.optim
    local model = nn.sequential(nn.linear(32, 64), nn.relu(), nn.linear(64, 1))
    local optimizer = optim.sgd(model:parameters(), { lr = 0.01 })
    local x, y = sel.randn(16, 32), sel.randn(16, 1)
    print "ready" io.stdout:flush()
    while true do
      optimizer:zero_grad()
      sel.mse_loss(model(x), y):backward()
      optimizer:step()
    end]]
  equal(output, "ready\nselenite: interrupted\n")
  equal(status, 130)
end)

test("a script may catch the interruption and go on", function()
  local output, status = interrupted [[
    local sel = require "selenite"
    local x = sel.ones(1000)
    print "ready" io.stdout:flush()
    print(pcall(function() while true do x = x * 1 end end))
    print(x:sum():item())]]
  equal(output, "ready\nfalse\tinterrupted\n1000\n")
  equal(status, 0)
end)

test("Lua code that calls nothing stops as well", function()
  local output, status = interrupted [[
    print "ready" io.stdout:flush()
    local t = {}
    while true do t = { t and #t } end]]
  equal(output, "ready\nselenite: interrupted\n")
  equal(status, 130)
end)

test("an environment variable with nonsense is told", function()
  local load = program .. " -e 'require \"selenite\"'"
  local output, status = run("SELENITE_NUM_THREADS=many " .. load)
  equal(status, 1)
  contains(output, "SELENITE_NUM_THREADS", "many")
  output, status = run("SELENITE_DEVICE=moon " .. load)
  equal(status, 1)
  contains(output, "moon")
  equal(run("SELENITE_NUM_THREADS=1 " .. program
            .. " -e 'print(require \"selenite\".num_threads())'"), "1\n")
end)
