-- Finds libselenite, declares its functions and checks that library and declarations are of one
-- ABI.
--
-- Returns { C = namespace, declarations = text for the parser, path = file, folder = of the Lua
-- files, prefix = of the tree }. Everything else goes through this module; nothing else declares
-- core's functions, and only data/library.lua loads anything besides.

local ffi = require "ffi"
local declarations = require "selenite.cdef"

-- Handles are references to this struct (see memory.lua). Complete, so that a pointer to it can be
-- dereferenced, and empty, because its fields are nobody's business here.
local opaque = "struct sel_tensor {};\n"

-- A status or dtype that comes back as an enum is boxed by the interpreter; an int, which is the
-- same to the ABI, is a plain number and saves 90 ns a call.
local text = declarations:gsub("%f[%w_]sel_status (sel_[%w_]+%()", "int %1")
                         :gsub("%f[%w_]sel_dtype (sel_[%w_]+%()", "int %1")
ffi.cdef(text .. opaque)

local folder = debug.getinfo(1, "S").source:match "^@(.*/)[^/]*$" or "./"

-- The folder four levels up.
local prefix = folder:match "^(.*/)[^/]+/[^/]+/[^/]+/[^/]+/$" or folder .. "../../../../"

-- libselenite of the tree this file lies in (share/lua/5.1/selenite), else wherever the system's
-- loader finds it.
local function load()
  local soname = "libselenite.so." .. text:match "SEL_ABI_MAJOR = (%d+)"
  local own = prefix .. "lib/" .. soname
  local found, namespace = pcall(ffi.load, own)
  if found then return namespace, own end
  local first = namespace
  found, namespace = pcall(ffi.load, soname)
  if found then return namespace, soname end
  error(("can't load libselenite:\n  %s\n  %s"):format(first, namespace), 0)
end

local C, path = load()

local version = ffi.string(C.sel_version())
local expected = ("%d.%d.%d"):format(C.SEL_VERSION_MAJOR, C.SEL_VERSION_MINOR, C.SEL_VERSION_PATCH)
if version ~= expected then
  error(("the Lua files in %s belong to Selenite %s, but %s is version %s")
        :format(folder, expected, path, version), 0)
end

return { C = C, declarations = text, path = path, folder = folder, prefix = prefix,
         version = version }
