-- Images: PNG and JPEG files as tensors, and folders of them as datasets.

local ffi = require "ffi"
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local arguments = require "selenite.arguments"
local folder = require "selenite.folder"
local rows = require "selenite.data.rows"
local dataset = require "selenite.data.dataset"
local load_library = require "selenite.data.library"

local M = {}

local function path_argument(operation, path)
  if type(path) ~= "string" then errors.argument(operation, 1, "path", "a file name", path) end
end

-- ---- single files ----

-- sel.load_image(path): a PNG or JPEG file, told apart by what is in it: u8 [height, width,
-- channels], channels being 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA).
function M.load_image(path)
  path_argument("load_image", path)
  errors.check(load_library("images", "load_image").sel_image_read(path, memory.out))
  return memory.wrap()
end

-- sel.save_jpeg(path, image, { quality = 90 }): u8 [height, width] or [height, width, 1 or 3].
function M.save_jpeg(path, image, options)
  path_argument("save_jpeg", path)
  if not arguments.is_tensor(image) then
    errors.argument("save_jpeg", 2, "image", "a tensor", image)
  end
  errors.check_options("save_jpeg", options, { quality = true })
  local quality = options and options.quality or 90
  if type(quality) ~= "number" or quality % 1 ~= 0 then
    errors.option("save_jpeg", "quality", "a whole number from 1 to 100", quality)
  end
  local C = load_library("images", "save_jpeg")
  errors.check(C.sel_jpeg_write(path, image:detach():to("cpu"):contiguous(), quality))
end

-- Height and width of the option or argument `size`.
local function size_of(operation, size)
  local list = type(size) == "table" and size or { size, size }
  for i = 1, 2 do
    if #list ~= 2 or type(list[i]) ~= "number" or list[i] % 1 ~= 0 then
      errors.raise(("%s: expected a size such as 224 or {height, width}, got %s")
                   :format(operation, errors.describe(type(size) == "table" and list[i] or size)))
    end
  end
  return list[1], list[2]
end

-- data.resize_image(image, size): u8 [height, width, channels] to size, a number or {height,
-- width}; each pixel is a mean of all that it covers, as Pillow's BILINEAR, which torchvision calls
-- antialiased.
function M.resize_image(image, size)
  if not arguments.is_tensor(image) then
    errors.argument("resize_image", 1, "image", "a tensor", image)
  end
  local height, width = size_of("resize_image", size)
  local C = load_library("images", "resize_image")
  image = image:detach():to("cpu"):contiguous()
  errors.check(C.sel_image_resize(image, height, width, memory.out))
  return memory.wrap()
end

-- ---- folders ----

local endings = { png = true, jpg = true, jpeg = true }

local function is_image(name)
  local ending = name:match "%.(%w+)$"
  return ending and endings[ending:lower()]
end

-- Classes in the order of their names; paths and class ids of their files, also in folders below.
local function find_files(path)
  local names = folder.list(path)
  if not names then errors.raise(("image_folder: there is no folder '%s'"):format(path)) end
  local classes, paths, ids = {}, {}, {}
  local function add_files(where, id)
    for _, name in ipairs(folder.list(where)) do
      local file = where .. "/" .. name
      if is_image(name) then
        paths[#paths + 1], ids[#ids + 1] = file, id
      elseif folder.exists(file) then
        add_files(file, id)
      end
    end
  end
  for _, name in ipairs(names) do
    if folder.exists(path .. "/" .. name) then
      classes[#classes + 1] = name
      add_files(path .. "/" .. name, #classes - 1)
    end
  end
  if #paths == 0 then
    errors.raise(("image_folder: expected folders with .png, .jpg or .jpeg files in '%s', one a "
                  .. "class; there are %d folders and no such file"):format(path, #classes))
  end
  return classes, paths, ids
end

local fits = { crop = 0, stretch = 1 } -- sel_image_fit; 2, exact, where no size is given

local function settings_of(options)
  local settings = ffi.new "sel_image_settings"
  local fit = fits[options.resize or "crop"]
  if not fit then
    errors.option("image_folder", "resize", "'crop' or 'stretch'", options.resize)
  end
  settings.fit = 2
  if options.size ~= nil then
    settings.height, settings.width = size_of("image_folder: option 'size'", options.size)
    settings.fit = fit
  elseif options.resize then
    errors.raise "image_folder: option 'resize' says how to reach a 'size', which isn't given"
  end
  local channels = options.channels or 3
  if channels ~= 1 and channels ~= 3 then
    errors.option("image_folder", "channels", "1 (grey) or 3 (RGB)", channels)
  end
  settings.channels = channels
  return settings
end

-- The field whose rows are these files.
local function field_of(paths, options)
  local C = load_library("images", "image_folder")
  local settings, out = settings_of(options), ffi.new "sel_image_files *[1]"
  local names = ffi.new("const char *[?]", #paths, paths)
  errors.check(C.sel_image_files_new(#paths, names, settings, out))
  local files = ffi.gc(out[0], C.sel_image_files_release)
  local source = ffi.new "sel_row_source"
  C.sel_image_files_source(files, source)
  return { source = source, files = files }
end

local known = { size = true, resize = true, channels = true, dtype = true, scale = true,
                mean = true, std = true }

-- data.image_folder(path, options): a dataset of images (f32 [N, channels, height, width], from 0
-- to 1) and class ids (i64). Each folder in `path` is a class; classes are ordered by name, and so
-- are the files of one, those in folders below it too. Files are decoded by the loader's threads,
-- batch by batch. dataset.classes: the classes' names; dataset.paths: the files.
--
--   size = 224 or {height, width}   what all are resized to; without it they must be of one size
--   resize = "crop"                 to just cover the size, then the middle is cut out; "stretch":
--                                   to the size, whatever becomes of the proportions
--   channels = 3                    RGB; 1: grey. Alpha is dropped
--   mean, std                       numbers, or tables with one a channel: (x - mean) / std
--   dtype = "f32", scale = 1 / 255  "u8" with scale = 1 gives the bytes
function M.image_folder(path, options)
  path_argument("image_folder", path)
  errors.check_options("image_folder", options, known)
  options = options or {}
  path = path:gsub("(.)/+$", "%1")
  local classes, paths, ids = find_files(path)
  local field = field_of(paths, options)
  dataset.read_conversion("image_folder", options, field, "f32", 1 / 255)
  local n = #ids
  local labels = { rows = rows.tensor(ffi.new("int64_t[?]", n, ids), n), dtype = "i64", scale = 1 }
  local set = dataset.of_fields("image_folder", { field, labels })
  set.classes, set.paths = classes, paths
  return set
end

return M
