-- selenite new-layer NAME, new-op NAME, new-backend NAME: writes a folder NAME with a plugin that
-- builds and works, its test and a README, copied from the templates that Selenite was built with.

local ffi = require "ffi"

ffi.cdef 'int sel_new_mkdir(const char *path, unsigned mode) __asm__("mkdir");'

-- command -> { folder of the template, name that stands in it for the new one }
local templates = {
  ["new-layer"] = { "layer", "scale" },
  ["new-op"] = { "op", "squareplus" },
  ["new-backend"] = { "backend", "plain" },
}

local function fail(...)
  io.stderr:write("selenite: ", (...):format(select(2, ...)), "\n")
  return 1
end

-- <prefix>/share/selenite/templates/, beside the Lua files in <prefix>/share/lua/5.1/selenite/.
local function templates_folder()
  local here = debug.getinfo(1, "S").source:match "^@(.*/)[^/]*$" or "./"
  return here .. "../../../selenite/templates/"
end

local function copy(from, to, old, new)
  local source, problem = io.open(from, "rb")
  if not source then return nil, problem end
  local text = source:read "*a":gsub(old, new)
  source:close()
  local target
  target, problem = io.open(to, "wb")
  if not target then return nil, problem end
  local written
  written, problem = target:write(text)
  local closed, problem_at_close = target:close()
  return written and closed, problem or problem_at_close
end

-- new.run(command, name, ...): returns the exit status, nil where `command` is none of this file's.
local function run(command, name, ...)
  local template = templates[command]
  if not template then return nil end
  if not name or select("#", ...) > 0 then
    io.stderr:write(("usage: selenite %s NAME\n"):format(command))
    return 2
  end
  if not name:find "^%l[%l%d_]*$" or #name > 48 then
    return fail("%s: a name is a small letter and then small letters, digits and '_', at most 48; "
                .. "got '%s'", command, name)
  end
  local folder, old = templates_folder() .. template[1] .. "/", template[2]
  if ffi.C.sel_new_mkdir(name, tonumber("755", 8)) ~= 0 then
    return fail("%s: can't make the folder %s: is it there already?", command, name)
  end
  for _, file in ipairs { "CMakeLists.txt", "README.md", old .. ".c", "test.lua" } do
    local path = name .. "/" .. file:gsub(old, name)
    local ok, problem = copy(folder .. file, path, old, name)
    if not ok then return fail("%s: %s", command, tostring(problem)) end
    print("wrote " .. path)
  end
  print(("next: cmake -S %s -B %s/build && cmake --build %s/build && ctest --test-dir %s/build")
        :format(name, name, name, name))
  return 0
end

return { run = run }
