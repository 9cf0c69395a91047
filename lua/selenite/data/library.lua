-- Loads a library of lua/data/ (images, text and so on) when it is asked for first. These depend on
-- further libraries, which a machine may lack as long as nobody reads such files.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"

-- Debian's packages that each one needs.
local packages = {
  audio = "libsndfile1 libsamplerate0 libkissfft-float131",
  images = "libjpeg62-turbo",
  text = "libjansson4 libpcre2-8-0 libutf8proc2",
}

local loaded = {}

-- The functions of library `name`, for `operation`.
return function(name, operation)
  if loaded[name] then return loaded[name] end
  local path = ("%slib/selenite/data/%s.so"):format(library.prefix, name)
  local known, declarations = pcall(require, "selenite.data.declarations." .. name)
  if not known then
    errors.raise(("%s: this Selenite was built without the library of sel.data for %s")
                 :format(operation, name))
  end
  local found, namespace = pcall(ffi.load, path)
  if not found then
    local advice = packages[name] and ". On Debian: apt install " .. packages[name] or ""
    errors.raise(("%s: can't load %s: %s%s"):format(operation, path, namespace, advice))
  end
  ffi.cdef(declarations)
  loaded[name] = namespace
  return namespace
end
