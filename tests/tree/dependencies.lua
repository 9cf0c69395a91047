-- Dependencies point one way: examples -> lua -> core's public headers; backends and plugins
-- -> core's public headers. Looks at every #include, require and include path.
package.path = arg[0]:match("^.*/") .. "?.lua"
local tree = require "tree"

-- part: pattern of paths it holds for; libraries: system headers that only this part may include.
local parts = {
  { name = "core/include/selenite", libraries = {}, own_headers_only = true },
  { name = "core/src", libraries = { "^png%.h", "^zlib%.h", "^zip%.h", "^jansson%.h" } },
  { name = "backends/[^/]+", libraries = { "^cblas%.h", "^omp%.h", "^immintrin%.h", "^arm_neon%.h",
    "^CL/", "^clblast_c%.h" } },
  { name = "lua/data", libraries = { "^jansson%.h", "^jerror%.h", "^jpeglib%.h", "^kiss_fftr%.h",
    "^pcre2%.h", "^samplerate%.h", "^sndfile%.h", "^utf8proc%.h" } },
  { name = "plugins/[^/]+", libraries = {} },
  { name = "lua", libraries = { "^lua%.h", "^lualib%.h", "^lauxlib%.h", "^luajit%.h",
    "^histedit%.h" } },
  { name = "examples/[^/]+", libraries = { "^lua%.h", "^lualib%.h", "^lauxlib%.h" } },
  { name = "tests/[^/]+", libraries = { "^check%.h" } },
}

local restricted = {}
for _, part in ipairs(parts) do
  for _, pattern in ipairs(part.libraries) do restricted[#restricted + 1] = pattern end
end
local function any(patterns, text)
  for _, pattern in ipairs(patterns) do
    if text:find(pattern) then return true end
  end
end

local function part_of(path)
  for _, part in ipairs(parts) do
    local folder = path:match("^(" .. part.name .. ")/")
    if folder then return part, folder end
  end
end

local function check_include(path, number, part, folder, bracket, header)
  if header:find("^selenite/") then
    if not tree.exists("core/include/" .. header) then
      tree.complain(path, number, "there is no public header %s", header)
    elseif part.own_headers_only then
      tree.complain(path, number, "public headers name each other without folder, so that they can "
        .. "be read from anywhere")
    end
  elseif bracket == '"' then
    local here = path:match("^(.*)/")
    local own = tree.exists(here .. "/" .. header) or tree.exists(folder .. "/" .. header)
      or folder:find("^tests/") and tree.exists("tests/check/" .. header)
      or folder:find("^tests/") and tree.exists(folder:gsub("^tests", "backends") .. "/" .. header)
    if header:find("..", 1, true) or not own then
      tree.complain(path, number, "%s is not a file of %s", header, folder)
    end
  elseif any(restricted, header) and not any(part.libraries, header) then
    tree.complain(path, number, "%s doesn't use <%s>", folder, header)
  end
end

for _, path in ipairs(tree.files("%.[ch]$", "%.inc$")) do
  local part, folder = part_of(path)
  if not part then
    tree.complain(path, nil,
                  "C belongs into core, backends/*, plugins/*, lua, examples/* or tests/*")
  else
    for number, line in tree.lines(path) do
      local bracket, header = line:match('^%s*#%s*include%s+([<"])([^>"]+)')
      if header then check_include(path, number, part, folder, bracket, header) end
    end
  end
end

for _, path in ipairs(tree.files("CMakeLists%.txt$")) do
  for number, line in tree.lines(path) do
    if not path:find("^core/") and line:find("core/src", 1, true) then
      tree.complain(path, number, "core's private files are core's alone")
    elseif path:find("^core/") and (line:find("backends", 1, true) or line:find("plugins/", 1, true)
        or line:find("luajit", 1, true)) then
      tree.complain(path, number, "core knows no backend, no layer type and no Lua")
    end
  end
end

-- LuaJIT's own modules.
local bundled = { ffi = true, bit = true, jit = true, ["jit.util"] = true, ["table.new"] = true,
  ["table.clear"] = true, string = true, table = true, math = true, io = true, os = true }
for _, path in ipairs(tree.files("%.lua$")) do
  for number, line in tree.lines(path) do
    for module in line:gsub("%-%-.*", ""):gmatch("require%s*%(?%s*[\"']([^\"']+)") do
      local allowed = bundled[module] or module == "selenite"
        or not path:find("^examples/") and module:find("^selenite%.")
        or path:find("^tests/") and (module == "check" or module == "device") -- beside run.lua
        or path:find("^tests/") and tree.exists(path:match("^(.*)/") .. "/"
          .. module:gsub("%.", "/") .. ".lua")
      if not allowed then tree.complain(path, number, "%s is not for use here", module) end
    end
  end
end

tree.finish()
