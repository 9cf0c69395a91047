-- Fashion-MNIST (Xiao, Rasul and Vollgraf 2017): 60,000 + 10,000 images of 28 x 28 grey pixels in
-- ten classes, from the files of Debian's package dataset-fashion-mnist.

local errors = require "selenite.errors"
local files = require "selenite.files"
local tensor_dataset = require("selenite.data.dataset").tensor_dataset

local M = {
  -- By class id, which counts from 0: classes[id + 1].
  classes = { "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker",
              "Bag", "Ankle boot" },
}

-- Mean and standard deviation of the training images' pixels, from 0 to 1.
local MEAN, STD = 0.2860, 0.3530

local function find(folder, name)
  for _, ending in ipairs { ".gz", "" } do
    local path = ("%s/%s%s"):format(folder, name, ending)
    local file = io.open(path, "rb")
    if file then
      file:close()
      return path
    end
  end
  errors.raise(("fashion_mnist: %s/%s.gz is not there. On Debian: apt install "
    .. "dataset-fashion-mnist. Elsewhere: put the four files of "
    .. "github.com/zalandoresearch/fashion-mnist into a folder and pass its name, or name the "
    .. "folder above it in SELENITE_DATASETS"):format(folder, name))
end

local function read(folder, part)
  local images = files.load_idx(find(folder, part .. "-images-idx3-ubyte"))
  local labels = files.load_idx(find(folder, part .. "-labels-idx1-ubyte"))
  if images:dim() ~= 3 or labels:dim() ~= 1 or #images ~= #labels then
    errors.raise(("fashion_mnist: %s in %s: expected images [N, 28, 28] and labels [N], "
      .. "got %s and %s"):format(part, folder, errors.describe(images), errors.describe(labels)))
  end
  return tensor_dataset({ rows = images, dtype = "f32", scale = 1 / 255, mean = MEAN, std = STD },
                        { rows = labels, dtype = "i64" })
end

-- train, test = data.fashion_mnist(folder): datasets of images (f32 [N, 28, 28], normalised) and
-- class ids (i64).
function M.load(folder)
  folder = folder or M.root .. "/fashion-mnist"
  if type(folder) ~= "string" then
    errors.argument("fashion_mnist", 1, "folder", "a folder name", folder)
  end
  return read(folder, "train"), read(folder, "t10k")
end

M.root = "/usr/share/datasets" -- where the folders of data sets lie; the entry module may change it

return M
