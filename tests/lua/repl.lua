-- The prompt as its user has it: on a pseudo-terminal, and fed from a file.

local check = require "check"
local terminal = require "terminal"

local test, equal, contains, run = check.test, check.equal, check.contains, check.run

local program = check.program:match "^'(.*)'$"

-- A folder of its own for each terminal: history, files.
local function new_folder()
  local folder = os.tmpname()
  os.remove(folder)
  os.execute("mkdir " .. folder)
  return folder
end

-- The prompt on a terminal, with its history in `folder`, once it asks.
local function start(folder, arguments, more)
  local variables = { TERM = "xterm", LANG = "C.UTF-8", HOME = folder, XDG_STATE_HOME = folder,
                      PATH = os.getenv "PATH", ASAN_OPTIONS = os.getenv "ASAN_OPTIONS",
                      LSAN_OPTIONS = os.getenv "LSAN_OPTIONS" }
  for name, value in pairs(more or {}) do variables[name] = value end
  local t = terminal.start({ program, unpack(arguments or {}) }, variables)
  t:expect "Ctrl-D ends\n> "
  return t
end

-- Enters a line and returns what it printed. Keys are echoed, and the prompt comes back.
local function enter(t, line)
  t:send(line .. "\r")
  t:expect(line .. "\n")
  return (t:expect "\n> ":sub(1, -4))
end

local function finish(t, folder)
  t:send "\4"
  local _, status = t:finish()
  os.execute("rm -r " .. folder)
  equal(status, 0)
end

test("lines are run, values shown, locals last", function()
  local folder = new_folder()
  local t = start(folder)
  equal(enter(t, "1 + 1"), "2")
  enter(t, "print 'set' local x = sel.ones(2)")
  equal(enter(t, "x"), "[1., 1.]\nf32[2] cpu  min 1  mean 1  max 1")
  contains(enter(t, "x + sel.ones(3)"), ":1: add: ", "  x + sel.ones(3)")
  contains(enter(t, "y y"), "'=' expected")
  equal(enter(t, "_:sum():item() * 2"), "4")
  finish(t, folder)
end)

test("lines that are not complete go on", function()
  local folder = new_folder()
  local t = start(folder)
  t:send "for i = 1, 2 do\r"
  t:expect "\n. "
  t:send "print(i * 100) end\r"
  t:expect "100\n200\n> "
  t:send "f(\r"
  t:expect "\n. "
  t:send "\3"
  t:expect "\n> "
  equal(enter(t, "2 + 3"), "5")
  finish(t, folder)
end)

test("a pasted block runs as one", function()
  local folder = new_folder()
  local t = start(folder)
  t:send "\27[200~local s = 0\rfor i = 1, 3 do\r  s = s + i\rend\rs * 7\r\27[201~"
  t:expect "s * 7"
  t:send "\r"
  t:expect "\n42\n> "
  equal(enter(t, "s"), "6")
  finish(t, folder)
end)

test("Tab", function()
  local folder = new_folder()
  local t = start(folder)
  t:send "nn.max_pool2\t"
  t:expect "nn.max_pool2d"
  t:send "\3"
  t:expect "\n> "
  t:send "nn.max_poo\tx\t"
  t:expect "nn.max_poolx"
  t:send "\127\t"
  t:expect "max_pool1d  max_pool2d  max_pool3d"
  t:expect "> nn.max_pool"
  t:send "\3"
  t:expect "\n> "
  finish(t, folder)
end)

test("Ctrl-C stops what runs and keeps the variables", function()
  local folder = new_folder()
  local t = start(folder)
  enter(t, "print 'set' local n, x = 0, sel.ones(1000)")
  for _, loop in ipairs { "while true do n = n + 1 end", -- LuaJIT compiles it
                          "while true do x = x * 1 end", "while true do local t = { x } n = #t end",
                          "for i = 1, 1e15 do n = i end" } do
    t:send("%time print 'running' " .. loop .. "\r")
    t:expect "\nrunning\n"
    os.execute "sleep 0.3"
    t:send "\3"
    t:expect "interrupted\n> "
  end
  equal(enter(t, "n > 0"), "true")
  equal(enter(t, "x:sum():item()"), "1000")
  finish(t, folder)
end)

test("history lasts, without duplicates, and is searched", function()
  local folder = new_folder()
  local t = start(folder)
  equal(enter(t, "'first'"), '"first"')
  equal(enter(t, "'second'"), '"second"')
  equal(enter(t, "'first'"), '"first"')
  t:send "\4"
  t:finish()
  t = start(folder)
  t:send "\27[A\27[A"
  t:expect "'second'"
  t:send "\r"
  t:expect '\n"second"\n> '
  t:send "\18fir"
  t:expect "'first'"
  t:send "\r"
  t:expect '\n"first"\n> '
  finish(t, folder)
end)

test("colours, unless NO_COLOR", function()
  for variables, coloured in pairs { [{}] = true, [{ NO_COLOR = "1" }] = false,
                                     [{ TERM = "dumb" }] = false } do
    local folder = new_folder()
    local t = start(folder, nil, variables)
    t.raw = ""
    t:send "'text'\r"
    t:expect '"text"'
    t:expect "\n> "
    equal(t.raw:find("\27[32m", 1, true) ~= nil, coloured)
    finish(t, folder)
  end
end)

test("the executable without a script, and -i", function()
  local folder = new_folder()
  local t = start(folder, { "-e", "x = 5", "-i" })
  equal(enter(t, "x"), "5")
  equal(enter(t, "!echo from the shell; exit 3"), "from the shell\nexit status 3")
  t:send "exit\r"
  equal(select(2, t:finish()), 0)
  os.execute("rm -r " .. folder)
end)

-- ---- lines from a file ----

-- What the prompt prints for these lines, in a folder where `files` are.
local function fed(lines, files)
  local folder = new_folder()
  files = files or {}
  files["input"] = table.concat(lines, "\n") .. "\n"
  for name, text in pairs(files) do
    local file = io.open(folder .. "/" .. name, "w")
    file:write(text)
    file:close()
  end
  local output = run(("cd %s && %s -i < input"):format(folder, check.program))
  return output:gsub("%s+$", ""), folder
end

test("without a terminal lines are read plainly", function()
  equal(fed { "1 + 1", "for i = 1, 2 do", "print(i)", "end", "", "local x = 3", "x" }, "2\n1\n2\n3")
  contains(fed { "f(" }, "near '<eof>'")
end)

test("an error shows the frames of the user", function()
  local output = fed { "local function f(a)", "  local b = a.b.c", "  return b", "end",
                       "f({})", "f({})", "error 'mine'", "error({})" }
  contains(output, "in[1]:2: attempt to index field 'b'", "\n  in[1]:2  local b = a.b.c",
           "\n  in[2]:1  f({})", "\n  in[3]:1  f({})", "in[4]:1: mine", "is a table value")
  equal(output:find("share/lua", 1, true), nil)
end)

test("commands", function()
  local output = fed { "local x = sel.ones(10)", "%time x:sum():item()", "%timeit x:sum()",
                       "%timeit x = = 1", "%prof x:sum()", "%mem", "%who", "%nothing", "%run",
                       "%time", "?", "?nn.linear", "??sel.manual_seed", "? nonsense",
                       "%time for i = 1, 2 do", "x = x + i", "end", "x:sum()" }
  contains(output, "10\n", "of processor time", "a run; worst", "unexpected symbol", "operation",
           "sum  ", "cached", "x  tensor  f32[10]", "no command %nothing", "usage: %run file",
           "usage: %time code", "%timeit code", "nn.linear(in_features", "C.sel_manual_seed",
           "nothing is called 'nonsense'", "40. f32[] cpu")
end)

test("%run, %save, %reload", function()
  local output, folder = fed({
    "%run script.lua a b", "total", "pcall(helper)", "%run missing.lua", "%run broken.lua",
    "package.path = './?.lua;' .. package.path", "local load = require;",
    "local m = load 'mine'", "m.n",
    "function write(text) local f = io.open('mine.lua', 'w') f:write(text) f:close() end",
    "write('return { n = 2 }')", "%reload mine", "m.n",
    "write('return = 1')", "%reload mine", "m.n",
    "%reload never", "y y", "%save out.lua", "%save out.lua", "%save -f out.lua" },
    { ["script.lua"] = "#!/usr/bin/selenite\nlocal total = #arg\nlocal function helper()\n"
      .. "  return total .. arg[1]\nend\n",
      ["broken.lua"] = "local x = 1\nerror 'in the file'\n", ["mine.lua"] = "return { n = 1 }\n" })
  contains(output, "missing.lua: No such file", "broken.lua:2: in the file",
           "  broken.lua:2  error 'in the file'", "\n1\n", "loaded mine\n2\n",
           "the module loaded before stays\n2\n", "no module 'never'", "wrote 11 blocks to out.lua",
           "out.lua is there already")
  local saved = io.open(folder .. "/out.lua"):read "*a"
  contains(saved, "total\n", "local m = load 'mine'\n")
  equal(saved:find("y y", 1, true), nil)
end)

test("%reload-plugin: new layers of the new code, instances alive of the old", function()
  local versions = check.program:match "^'(.*)/selenite'$" .. "/tests/reload/"
  local function install(version) return ("!cp --remove-destination '%s%s.so' times.so")
      :format(versions, version) end
  local output = fed { install "two", "%reload-plugin ./times.so", "local old = sel.nn.times()",
                       "old(sel.ones(1)):item()", install "three", "%reload-plugin ./times.so",
                       "sel.nn.times()(sel.ones(1)):item() * 10 + old(sel.ones(1)):item()",
                       install "fails", "%reload-plugin ./times.so",
                       "sel.nn.times()(sel.ones(1)):item() + 100", "%reload-plugin ./none.so" }
  contains(output, "loaded ./times.so\n2\nloaded ./times.so\n32\n", "\n103\n", "none.so")
end)

test("sel.repl() in a script sees its variables and gives them back", function()
  local output = fed({ "%run script.lua" }, {})
  contains(output, "No such file")
  local folder = new_folder()
  local file = io.open(folder .. "/script.lua", "w")
  file:write [[
local sel = require "selenite"
local above = 1
local function inner(argument)
  local inside = argument * 2
  sel.repl()
  return inside, above
end
print("after", inner(21))
]]
  file:close()
  local text = run(("printf '%%s\\n' argument inside above 'inside = 5' 'above = 6' 'nope()' |"
                    .. " %s %s/script.lua"):format(check.program, folder))
  os.execute("rm -r " .. folder)
  contains(text, "21\n42\n1\n", "attempt to call global 'nope'", "after\t5\t6")
  equal(text:find("script.lua:5", 1, true), nil)
end)
