-- Fused functions compiled by the system's C compiler, in processes of their own with a cache
-- folder of their own: the same numbers as interpreted, and what may happen to cache and compiler.

local check = require "check"
local test, equal, contains = check.test, check.equal, check.contains

local here = io.popen("pwd"):read "*l"
local folder = here .. "/cache"
local fuse_folder = folder .. "/selenite/fuse"
local files = check.quote(fuse_folder) -- a word of a shell command

local function shell(command)
  local output, status = check.run(command)
  assert(status == 0, output)
  return output
end

-- Runs Lua text as a script; settings go in front of the command.
local function run(text, settings)
  local file = assert(io.open("script.lua", "w"))
  file:write('local sel = require "selenite"\nsel.manual_seed(1)\n', text)
  file:close()
  return shell(("env XDG_CACHE_HOME=%s %s %s script.lua")
               :format(check.quote(folder), settings or "", check.program))
end

-- Prints how it is computed, and what for (0, 1, 2).
local small = [[
  local f = sel.fuse "x, s -> s * tanh(x) + where(x > 1, x, -x) / 3"
  local x = sel.tensor({ 0, 1, 2 }, { requires_grad = true })
  local y = f(x, 0.5)
  y:sum():backward()
  print(f:kernel(), y, x.grad)
]]

local has_compiler = select(2, check.run "cc --version") == 0
if not has_compiler then
  print "there is no C compiler: nothing to test here"
  return
end

shell "rm -rf cache"
local first = run(small)

test("a function is compiled and kept", function()
  contains(first, "compiled")
  equal(shell("ls " .. files .. " | grep -c '\\.so$'"), "2\n") -- the function and its gradient
  equal(shell("ls " .. files .. " | wc -l"), "2\n")
  equal(shell("stat -c %a " .. files), "700\n")
  local before = shell("stat -c '%n %y %i' " .. files .. "/*")
  equal(run(small), first)
  equal(shell("stat -c '%n %y %i' " .. files .. "/*"), before)
end)

test("without a compiler the same numbers are interpreted", function()
  local expected = first:gsub("compiled", "interpreted: no C compiler was found")
  equal(run(small, "PATH="), expected)
  equal(run(small, "SELENITE_CC=none"), expected)
  contains(run(small, "PATH=.:bin"), "interpreted: no C compiler was found")
  contains(run(small, "SELENITE_CC=/bin/false"), "interpreted: /bin/false made nothing that runs")
  contains(run(small, "SELENITE_CC=no-such-compiler"), "interpreted: no C compiler")
end)

test("every function: compiled and interpreted agree", function()
  -- all functions in four expressions, their values and gradients, in both dtypes
  run [==[
    local ffi = require "ffi"
    local C = require("selenite.library").C
    local argument, parts, i = ffi.new "int[1]", { {}, {}, {}, {} }, 0
    local name = C.sel_fuse_name(0, argument)
    while name ~= nil do
      local call = ({ "%s(x)", "%s(x, y)", "%s(x, y, 2 * x)" })[argument[0]]
      table.insert(parts[i % 4 + 1], (i + 1) .. " * " .. call:format(ffi.string(name)))
      i = i + 1
      name = C.sel_fuse_name(i, argument)
    end
    for _, dtype in ipairs { "f32", "f64" } do
      for k = 1, 4 do
        local text = "x, y -> " .. table.concat(parts[k], " + ") .. ", x % y"
        local results = {}
        for side, compile in ipairs { true, false } do
          sel.manual_seed(k)
          local x = (sel.rand(30, 7) * 0.9 + 0.05):to(dtype):requires_grad_()
          local y = (sel.rand(7) * 0.9 + 0.05):to(dtype):requires_grad_()
          local f = sel.fuse(text, { compile = compile })
          local value, rest = f(x, y);
          (value + rest):sum():backward()
          results[side] = { value, rest, x.grad, y.grad }
          assert(f:kernel(dtype):find "^compiled" or not compile, f:kernel(dtype))
        end
        for r = 1, 4 do
          local a, b = results[1][r]:double():detach(), results[2][r]:double():detach()
          local error = ((a - b):abs() / (b:abs() + 1)):max():item()
          local limit = dtype == "f32" and 2e-5 or 1e-13
          assert(error < limit, ("%s: %g in %s"):format(dtype, error, text))
        end
      end
    end
  ]==]
end)

test("constants that are no finite numbers", function()
  contains(run [[
    local f = sel.fuse "x -> minimum(x, 1 / 0), x + 0 / 0, maximum(x, -1 / 0)"
    print(f:kernel(), f(sel.tensor { 1 }))
  ]], "compiled", "[1]", "[nan]")
end)

local function cached() return shell("ls -d " .. files .. "/*.so"):gmatch "[^\n]+" end

test("damaged files are made anew", function()
  for _, damage in ipairs {
    "truncate -s 0 %s", "truncate -s 100 %s", "truncate -s -1 %s", "truncate -s +1 %s",
    "printf x | dd of=%s bs=1 seek=5000 conv=notrunc status=none",
    "printf x | dd of=%s bs=1 seek=1 conv=notrunc status=none",
    "cp script.lua %s", "rm %s; mkdir %s", "rm -rf %s; ln -s ../../../script.lua %s",
  } do
    for path in cached() do shell((damage:gsub("%%s", check.quote(path)))) end
    local output = run(small)
    if damage:find "mkdir" then -- a folder can't be replaced by a file
      contains(output, "interpreted: ", "made nothing that runs")
    else
      equal(output, first)
    end
  end
  shell("rm -rf " .. files)
  equal(run(small), first)
end)

test("what others may write to is not run", function()
  shell("chmod 777 " .. files)
  contains(run(small), "interpreted: ", fuse_folder,
           "is no folder that the user alone can write to")
  shell("chmod 700 " .. files)
  local before = shell("stat -c %i " .. files .. "/*.so")
  shell("chmod 666 " .. files .. "/*.so")
  equal(run(small), first)
  assert(shell("stat -c %i " .. files .. "/*.so") ~= before)
  equal(shell("stat -c %a " .. files .. "/*.so | sort -u"), "700\n")
end)

test("no place for a cache", function()
  contains(run(small, "HOME= XDG_CACHE_HOME=relative"), "interpreted: the cache is no folder")
  contains(run(small, "XDG_CACHE_HOME=/proc/nowhere"), "interpreted: /proc/nowhere/selenite/fuse")
end)

test("several processes at once", function()
  shell("rm -rf " .. files)
  run(small) -- writes the script
  shell("rm -rf " .. files)
  local one = ("env XDG_CACHE_HOME=%s %s script.lua"):format(check.quote(folder), check.program)
  local all = {}
  for i = 1, 6 do all[i] = one .. " >out" .. i .. " 2>&1 &" end
  shell(table.concat(all, " ") .. " wait")
  for i = 1, 6 do equal(shell("cat out" .. i), first) end
  equal(shell("ls " .. files .. " | wc -l"), "2\n") -- nothing is left over
end)

test("names in an expression never reach the compiler", function()
  shell("rm -rf " .. files)
  run [[sel.fuse "system_call -> injected = system_call * 2; injected" (sel.ones(1))]]
  equal(select(2, check.run("grep -r -q -e system_call -e injected " .. files)), 1)
end)
