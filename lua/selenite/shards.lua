-- Models in several safetensors files, as Hugging Face's libraries write large ones: a folder with
-- model.safetensors.index.json, which says of each tensor in which file it is.

local errors = require "selenite.errors"
local folder = require "selenite.folder"
local json = require "selenite.json"

local M = {}

local INDEX, WHOLE = "model.safetensors.index.json", "model.safetensors"

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

-- name -> file of an index, and its metadata.
local function read_index(path)
  local file, problem = io.open(path, "rb")
  if not file then errors.raise(("load: %s"):format(problem)) end
  local text = file:read "*a"
  file:close()
  local ok, index = errors.protect(json.decode, text)
  if not ok then errors.raise(("load: %s: %s"):format(path, index:match "json: .*" or index)) end
  local map = type(index) == "table" and index.weight_map
  if type(map) ~= "table" then errors.raise(("load: %s: has no weight_map"):format(path)) end
  for name, shard in pairs(map) do
    -- A file beside the index, nowhere else, whatever it says.
    if type(shard) ~= "string" or shard:find "[/\\]" or shard == "" or shard:find "^%." then
      errors.raise(("load: %s: expected a file beside it for '%s', got %s")
                   :format(path, tostring(name), errors.describe(shard)))
    end
  end
  return map, index.metadata
end

-- Texts as sel.load gives them, whatever the index has.
local function texts_of(metadata)
  local texts = {}
  for key, value in pairs(type(metadata) == "table" and metadata or {}) do
    if type(value) == "number" then value = ("%.17g"):format(value) end
    if type(value) == "string" then texts[key] = value end
  end
  return texts
end

local function load_parts(index_path, read)
  local map, metadata = read_index(index_path)
  local here = index_path:match "^(.*/)" or ""
  local files, names, tensors, parts = {}, {}, {}, {}
  for name, file in pairs(map) do
    names[#names + 1] = name
    if not parts[file] then files[#files + 1], parts[file] = file, true end
  end
  table.sort(names)
  table.sort(files)
  for _, file in ipairs(files) do parts[file] = read(here .. file) end
  for _, name in ipairs(names) do
    tensors[name] = parts[map[name]][name]
    if not tensors[name] then
      errors.raise(("load: %s: says that '%s' is in %s, which hasn't got it")
                   :format(index_path, name, map[name]))
    end
  end
  return tensors, texts_of(metadata)
end

-- The tensors and the metadata of a file, of an index, or of what is in a folder; read(path) gives
-- those of one file.
function M.load(path, read)
  if path:find "%.index%.json$" then return load_parts(path, read) end
  if not folder.exists(path) then return read(path) end
  local index, whole = path .. "/" .. INDEX, path .. "/" .. WHOLE
  if exists(index) then return load_parts(index, read) end
  if exists(whole) then return read(whole) end
  errors.raise(("load: there is neither %s nor %s in the folder %s"):format(INDEX, WHOLE, path))
end

return M
