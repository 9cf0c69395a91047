-- PNG and JPEG files, resizing, folders of images and the bad files among them.

local sel = require "selenite"
local data = sel.data
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

local golden = os.getenv "SEL_TEST_DIR" .. "/golden/images"
local sizes = sel.load(golden .. "/sizes.safetensors")

local function same(got, expected)
  equal(got:dtype(), "u8")
  equal(got:shape(), expected:shape())
  equal(got:eq(expected):all():item(), true)
end

test("a file is decoded as Pillow does it", function()
  for _, name in ipairs { "wide.jpg", "tall.jpg", "grey.jpg", "tall.png" } do
    same(sel.load_image(golden .. "/" .. name), sizes[name])
  end
end)

test("an image is resized as Pillow does it", function()
  for _, name in ipairs { "wide.jpg", "tall.jpg", "tall.png" } do
    for _, size in ipairs { { 32, 32 }, { 24, 40 }, { 100, 90 }, { 61, 40 } } do
      local got = data.resize_image(sel.load_image(golden .. "/" .. name), size)
      same(got:permute(3, 1, 2), sizes[("stretch %s %dx%d"):format(name, size[1], size[2])])
    end
  end
  equal(data.resize_image(sel.full({ 3, 5, 1 }, 7, { dtype = "u8" }), 9):min():item(), 7)
end)

-- A folder with one class that holds these files of the golden ones.
local function folder_with(name, ...)
  check.run(("rm -rf %s && mkdir -p %s/only"):format(name, name))
  for _, file in ipairs { ... } do
    check.run(("cp %s/%s %s/only/"):format(check.quote(golden), file, name))
  end
  return name
end

local function bytes_of(path, options)
  options.dtype, options.scale = "u8", 1
  local images = {}
  for batch in data.loader(data.image_folder(path, options)):batches() do
    images[#images + 1] = batch[1]
  end
  return images
end

test("rows are resized as torchvision does it", function()
  for _, name in ipairs { "wide.jpg", "tall.jpg", "grey.jpg", "tall.png" } do
    local path = folder_with("one", name)
    for _, size in ipairs { { 32, 32 }, { 24, 40 }, { 100, 90 }, { 61, 40 } } do
      for _, fit in ipairs { "crop", "stretch" } do
        same(bytes_of(path, { size = size, resize = fit })[1],
             sizes[("%s %s %dx%d"):format(fit, name, size[1], size[2])])
      end
    end
    same(bytes_of(path, { size = 32, channels = 1 })[1], sizes["L " .. name])
    local image = bytes_of(path, {})[1] -- of the size it has
    equal({ image:size(2), image:size(3) }, { sizes[name]:size(1), sizes[name]:size(2) })
  end
end)

test("a folder's classes, files and values", function()
  local set = data.image_folder(golden .. "/folder", { size = 16, mean = 0.5, std = 0.25 })
  equal(set:size(), 7)
  equal(set.classes, { "cat", "dog" })
  equal(set.paths[7], golden .. "/folder/dog/more/deep.PNG")
  local ids = {}
  for images, labels in data.loader(set, { batch_size = 3, workers = 2 }):batches() do
    equal(images:dtype(), "f32")
    equal({ unpack(images:shape(), 2) }, { 3, 16, 16 })
    assert(images:min():item() >= -2 and images:max():item() <= 2)
    for _, id in ipairs(labels:totable()) do ids[#ids + 1] = id end
  end
  equal(ids, { 0, 0, 0, 1, 1, 1, 1 })
  local raw = data.image_folder(golden .. "/folder", { size = 16, dtype = "u8", scale = 1 })
  near(set:example(2), (((raw:example(2):float() / 255) - 0.5) / 0.25):totable(), 1e-6)
  equal(data.subset(set, { 7, 1 }).classes, { "cat", "dog" })
  local _, label = data.subset(set, { 7, 1 }):example(1)
  equal(label:item(), 1)
end)

test("the same batches for any number of threads, with transforms", function()
  local set = data.image_folder(golden .. "/folder", { size = 20 })
  local function epoch(workers)
    local sum = {}
    local loader = data.loader(set, { batch_size = 2, shuffle = true, seed = 3, workers = workers,
      transforms = { data.random_crop(16), data.random_horizontal_flip() } })
    for images in loader:batches(2) do
      equal(images:size(3), 16)
      sum[#sum + 1] = images:double():sum():item()
    end
    return sum
  end
  local expected = epoch(0)
  for workers = 1, 3 do equal(epoch(workers), expected) end
end)

test("bad files are raised by name", function()
  local set = data.image_folder(golden .. "/bad", { size = 8 })
  local reasons = { false, "truncated", "the file is empty", "expected a PNG or JPEG image",
                    "truncated", "got 4", "truncated", false }
  for i, reason in ipairs(reasons) do
    if reason then
      raises(function() set:example(i) end, "image_folder: " .. set.paths[i] .. ": ", reason)
    else
      equal(set:example(i):shape(), { 1, 3, 8, 8 })
    end
  end
  local loader = data.loader(set, { batch_size = 4, workers = 2 })
  raises(function() for _ in loader:batches() do end end, "1truncated.jpg")
end)

test("bad files are skipped and named", function()
  local set = data.image_folder(golden .. "/bad", { size = 8 })
  for workers = 0, 2 do
    local loader = data.loader(set, { batch_size = 3, workers = workers, on_error = "skip" })
    for _ = 1, 2 do
      local n = {}
      for images, labels in loader:batches() do
        equal(#images, #labels)
        n[#n + 1] = #images
      end
      equal(n, { 1, 1 })
    end
    local skipped = loader:skipped()
    equal(#skipped, 6)
    check.contains(skipped[1], "1truncated.jpg: truncated")
    check.contains(skipped[6], "6header.jpg")
  end
end)

test("saving as JPEG", function()
  local image = sel.load_image(golden .. "/wide.jpg")
  sel.save_jpeg("copy.jpg", image, { quality = 98 })
  local copy = sel.load_image "copy.jpg"
  equal(copy:shape(), image:shape())
  local error = (copy:float() - image:float()):abs():mean():item()
  sel.save_jpeg("rough.jpg", image, { quality = 20 })
  local rough = (sel.load_image "rough.jpg":float() - image:float()):abs():mean():item()
  assert(error < 6 and error < rough / 2, error)
  sel.save_jpeg("grey.jpg", image:select(3, 1))
  equal(sel.load_image "grey.jpg":shape(), { 50, 75, 1 })
  raises(function() sel.save_jpeg("x.jpg", sel.ones(2, 2)) end, "save_jpeg: x.jpg", "u8", "f32")
  raises(function() sel.save_jpeg("x.jpg", image:narrow(3, 1, 2)) end, "1 or 3 channels")
  raises(function() sel.save_jpeg("x.jpg", image, { quality = 0 }) end, "quality from 1 to 100")
  raises(function() sel.save_jpeg("no/x.jpg", image) end, "no/x.jpg")
end)

-- A photo that is many times larger is decoded at a part of its size first: near what full decoding
-- gives, not the same.
test("large JPEG files", function()
  local x = sel.arange(640):float():reshape(1, 640):expand(480, 640)
  local y = sel.arange(480):float():reshape(480, 1):expand(480, 640)
  local wave = ((x * 0.05):sin() * (y * 0.03):cos() * 100 + 128):byte()
  check.run "mkdir -p large/a"
  sel.save_jpeg("large/a/0.jpg", wave, { quality = 95 })
  local got = bytes_of("large", { size = 24, channels = 1 })[1]
  local expected = data.resize_image(sel.load_image "large/a/0.jpg", { 24, 32 })
  local error = (got[1]:float() - expected:narrow(2, 5, 24):squeeze(3):float()):abs()
  assert(error:max():item() <= 8, error:max():item())
  assert(error:mean():item() < 2, error:mean():item())
end)

test("mistakes", function()
  local folder = golden .. "/folder"
  raises(function() sel.load_image "none.jpg" end, "load_image: none.jpg: No such file")
  raises(function() sel.load_image(3) end, "load_image: argument 1 (path)")
  raises(function() data.image_folder "nowhere" end, "there is no folder 'nowhere'")
  raises(function() data.image_folder(golden .. "/folder/dog/more") end, "one a class",
         "there are 0 folders")
  raises(function() data.image_folder(folder, { size = 0 }) end, "expected sizes from 1")
  raises(function() data.image_folder(folder, { size = "big" }) end, "option 'size'", "big")
  raises(function() data.image_folder(folder, { size = { 3 } }) end, "size")
  raises(function() data.image_folder(folder, { channels = 4 }) end, "1 (grey) or 3 (RGB)")
  raises(function() data.image_folder(folder, { size = 8, resize = "fit" }) end, "'crop'")
  raises(function() data.image_folder(folder, { resize = "crop" }) end, "isn't given")
  raises(function() data.image_folder(folder, { sizes = 3 }) end, "no option 'sizes'")
  raises(function() data.image_folder(folder):example(2) end, "expected 20 x 30 pixels", "23 x 26",
         "1.png")
  raises(function() data.resize_image(sel.ones(2, 2, 3), 4) end, "resize_image", "f32[2, 2, 3]")
  raises(function() data.resize_image(sel.zeros(2, 2, 3, { dtype = "u8" }), -1) end, "sizes from 1")
end)
