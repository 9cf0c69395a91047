-- Programs kept on disk, as several processes see them: the first start compiles and says so, the
-- second finds them ready, also after two starts at once, and damaged files are compiled anew.

local check = require "check"
local test, equal, contains, quote = check.test, check.equal, check.contains, check.quote

local found, message = pcall(require "selenite".set_default_device, "opencl")
if not found then
  print("skipped: " .. message)
  os.exit(77)
end

local here = io.popen 'mktemp -d -p "$PWD"':read "*l"
local script = here .. "/script.lua"
do
  local file = assert(io.open(script, "w"))
  file:write [[
    local sel = require "selenite"
    local x = sel.arange(0, 6, 1, { dtype = "f32", device = "opencl" })
    print((x * x):sum():item(), x:exp():max():item() > 148)
  ]]
  file:close()
end
local RESULT = "55\ttrue\n"
local COMPILING = "opencl: compiling kernels for '"

-- A command that runs the script with the programs kept in folder `cache`.
local function start(cache)
  local folder = here .. "/" .. cache
  return ("XDG_CACHE_HOME=%s POCL_CACHE_DIR=%s %s %s")
         :format(quote(folder), quote(folder .. "/pocl"), check.program, quote(script))
end

local function files(cache)
  local list = {}
  for path in io.popen(("ls %s/%s/selenite/opencl/*"):format(quote(here), cache)):lines() do
    list[#list + 1] = path
  end
  return list
end

test("the first start says that it compiles, the second needn't", function()
  local output, status = check.run(start "a")
  equal(status, 0)
  contains(output, COMPILING, RESULT)
  equal({ check.run(start "a") }, { RESULT, 0 })
end)

-- Writes `bytes` over those of a file that begin `at` bytes before its end.
local function overwrite(path, at, bytes)
  local file = assert(io.open(path, "r+b"))
  file:seek("end", -at)
  file:write(bytes)
  file:close()
end
local content, replace = check.read_file, check.write_file

local damages = {
  { "changed at its head", function(path) replace(path, "damaged" .. content(path):sub(8)) end },
  { "with another length", function(path)
    local bytes = content(path)
    replace(path, bytes:sub(1, 24) .. "\1\0\0\0\0\0\0\1" .. bytes:sub(33))
  end },
  { "changed near its end", function(path) overwrite(path, 20, "damaged") end },
  { "cut", function(path) replace(path, content(path):sub(1, -1000)) end },
  { "longer", function(path) overwrite(path, 0, "more") end },
  { "empty", function(path) replace(path, "") end },
}
for _, damage in ipairs(damages) do
  test("a file that is " .. damage[1] .. " is compiled anew", function()
    local list = files "a"
    assert(#list > 2)
    for _, path in ipairs(list) do damage[2](path) end
    local output, status = check.run(start "a")
    equal(status, 0)
    contains(output, COMPILING, RESULT)
    equal({ check.run(start "a") }, { RESULT, 0 })
  end)
end

test("four first starts at once", function()
  local commands = {}
  for i = 1, 4 do
    commands[i] = ("{ %s; echo status $?; } >%s/out%d 2>&1 &"):format(start "b", quote(here), i)
  end
  local output = check.run(table.concat(commands, " ") .. " wait; cat " .. quote(here) .. "/out*")
  local _, results = output:gsub(RESULT .. "status 0\n", "")
  equal(results, 4)
  equal({ check.run(start "b") }, { RESULT, 0 })
  equal(#files "b", #files "a") -- nothing half-written is left
end)

os.execute("rm -r " .. quote(here))
