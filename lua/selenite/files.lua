-- Reading and writing tensors: safetensors, NumPy's .npy and .npz, IDX, PNG.
--
-- Core reads and writes; a failure leaves the file that was there. Loaded tensors are on the CPU.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local arguments = require "selenite.arguments"
local module = require "selenite.nn.module"
local shards = require "selenite.shards"

local C = library.C
local out, wrap, check = memory.out, memory.wrap, errors.check
local is_tensor = arguments.is_tensor
local M = {}

local archive_out = ffi.new "sel_archive *[1]"

local function path_argument(operation, path)
  if type(path) ~= "string" then errors.argument(operation, 1, "path", "a file name", path) end
end

local function tensor_argument(operation, t)
  if not is_tensor(t) then errors.argument(operation, 2, "tensor", "a tensor", t) end
end

local function archive_of(operation, tensors, metadata)
  if type(tensors) ~= "table" then
    errors.argument(operation, 2, "tensors", "a table name -> tensor", tensors)
  elseif module.is_module(tensors) then
    errors.raise(operation .. ": expected a table name -> tensor, as model:state_dict() gives it, "
                 .. "got a module")
  end
  check(C.sel_archive_new(archive_out))
  local archive = ffi.gc(archive_out[0], C.sel_archive_release)
  local names = {}
  for name, t in pairs(tensors) do
    if type(name) ~= "string" or not is_tensor(t) then
      errors.raise(("%s: entry '%s': expected a name with a tensor, got %s")
                   :format(operation, tostring(name), errors.describe(t)))
    end
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do check(C.sel_archive_add(archive, name, tensors[name])) end
  for key, value in pairs(metadata or {}) do
    if type(key) ~= "string" or type(value) ~= "string" then
      errors.raise(("%s: metadata '%s': expected text, got %s")
                   :format(operation, tostring(key), errors.describe(value)))
    end
    check(C.sel_archive_set_metadata(archive, key, value))
  end
  return archive
end

local function contents_of(archive)
  local tensors, metadata = {}, {}
  for i = 0, C.sel_archive_count(archive) - 1 do
    local name = ffi.string(C.sel_archive_name(archive, i))
    tensors[name] = memory.borrow(C.sel_archive_tensor(archive, i))
  end
  for i = 0, C.sel_archive_metadata_count(archive) - 1 do
    local key = ffi.string(C.sel_archive_metadata_key(archive, i))
    metadata[key] = ffi.string(C.sel_archive_metadata_value(archive, i))
  end
  C.sel_archive_release(ffi.gc(archive, nil))
  return tensors, metadata
end

local function read_archive(operation, reader, path)
  path_argument(operation, path)
  check(reader(path, archive_out))
  return contents_of(ffi.gc(archive_out[0], C.sel_archive_release))
end

-- sel.save(path, tensors, metadata): writes a table name -> tensor (such as a state_dict), and a
-- table of texts, as safetensors.
function M.save(path, tensors, metadata)
  path_argument("save", path)
  check(C.sel_safetensors_write(path, archive_of("save", tensors, metadata)))
end

-- sel.load(path): reads safetensors; returns a table name -> tensor and a table of metadata. path
-- may be a folder that holds model.safetensors, or the parts that a model.safetensors.index.json
-- lists, or such an index.
function M.load(path)
  path_argument("load", path)
  return shards.load(path, function(file)
    return read_archive("load", C.sel_safetensors_read, file)
  end)
end

-- sel.save_npz(path, tensors), sel.load_npz(path): a table name -> tensor as NumPy's .npz.
function M.save_npz(path, tensors)
  path_argument("save_npz", path)
  check(C.sel_npz_write(path, archive_of("save_npz", tensors)))
end
function M.load_npz(path) return (read_archive("load_npz", C.sel_npz_read, path)) end

-- sel.save_npy(path, tensor), sel.load_npy(path): one tensor as NumPy's .npy.
function M.save_npy(path, t)
  path_argument("save_npy", path)
  tensor_argument("save_npy", t)
  check(C.sel_npy_write(path, t))
end
function M.load_npy(path)
  path_argument("load_npy", path)
  check(C.sel_npy_read(path, out))
  return wrap()
end

-- sel.load_idx(path): an IDX file as MNIST's, plain or gzipped.
function M.load_idx(path)
  path_argument("load_idx", path)
  check(C.sel_idx_read(path, out))
  return wrap()
end

-- sel.save_png(path, image), sel.load_png(path): u8 [height, width] or [height, width, channels].
function M.save_png(path, image)
  path_argument("save_png", path)
  tensor_argument("save_png", image)
  check(C.sel_png_write(path, image))
end
function M.load_png(path)
  path_argument("load_png", path)
  check(C.sel_png_read(path, out))
  return wrap()
end

-- sel.encode_png(image): the bytes that save_png would write, as a string.
function M.encode_png(image)
  if not is_tensor(image) then errors.argument("encode_png", 1, "image", "a tensor", image) end
  check(C.sel_png_encode(image, out))
  local bytes = wrap()
  return ffi.string(bytes:data_ptr(), bytes:numel())
end

-- write_text(path, text): writes a file the same atomic way.
function M.write_text(path, text)
  check(C.sel_file_write(path, text, #text))
end

return M
