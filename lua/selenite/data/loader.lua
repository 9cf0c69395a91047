-- Batches of a dataset, shuffled or as a sampler says, made ahead of time by C threads.
--
--   local loader = data.loader(dataset, { batch_size = 64, shuffle = true })
--   for images, labels in loader:batches() do ... end

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local arguments = require "selenite.arguments"
local rows = require "selenite.data.rows"
local transforms = require "selenite.data.transforms"

local C = library.C
local check = errors.check
local loader = {}
loader.__index = loader

-- for ... in loader do: no iterator, because it takes arguments and begins an epoch.
function loader.__call() errors.raise "loader: write `for ... in loader:batches() do`" end

local loader_out, more = ffi.new "sel_loader *[1]", ffi.new "bool[1]"

local defaults = { batch_size = 1, shuffle = false, drop_last = false, seed = false, workers = 1,
                   prefetch = 2, device = false, transforms = false, sampler = false,
                   on_error = "raise" }

-- A C array of `numbers`; a NULL pointer for nil.
local function doubles(numbers, anchors)
  if not numbers then return nil end
  local array = ffi.new("double[?]", #numbers, numbers)
  anchors[#anchors + 1] = array
  return array
end

-- The option `transforms` as one list a field: a single list is that of the first field.
local function lists_of(given, n_fields)
  local expected = "a list of transforms such as data.random_crop(28), or one list a field"
  if not given then return {} end
  if type(given) ~= "table" or transforms.is_transform(given) then
    errors.option("loader", "transforms", expected, given)
  end
  local lists = given
  if given[1] == nil or transforms.is_transform(given[1]) then lists = { given } end
  for key, list in pairs(lists) do
    if type(key) ~= "number" or type(list) ~= "table" or transforms.is_transform(list) then
      errors.option("loader", "transforms", expected, list)
    end
    if not (key >= 1 and key <= n_fields) then
      errors.raise(("loader: option 'transforms': expected at most %d lists, one a field, got %s")
                   :format(n_fields, tostring(key)))
    end
    for name, step in pairs(list) do
      if type(name) ~= "number" or not transforms.is_transform(step) then
        errors.option("loader", "transforms", "transforms such as data.random_crop(28)", step)
      end
    end
  end
  return lists
end

-- A C array of sel_transform and its length; NULL and 0 for an empty list or nil.
local function c_transforms(list, anchors)
  local n = list and #list or 0
  if n == 0 then return nil, 0 end
  local steps = ffi.new("sel_transform[?]", n)
  anchors[#anchors + 1] = steps
  for i, step in ipairs(list) do step:write(steps[i - 1], anchors) end
  return steps, n
end

local function c_fields(dataset, lists, anchors)
  local n = #dataset.fields
  local fields = ffi.new("sel_loader_field[?]", n)
  for i, field in ipairs(dataset.fields) do
    local f = fields[i - 1]
    f.size = ffi.sizeof "sel_loader_field"
    f.rows, f.offsets, f.source = field.rows, field.offsets, field.source
    f.padding = field.padding or 0
    f.dtype = arguments.dtype("loader", field.dtype)
    f.scale = field.scale
    f.channels = field.mean and #field.mean or 0
    f.mean, f.std = doubles(field.mean, anchors), doubles(field.std, anchors)
    f.transforms, f.n_transforms = c_transforms(lists[i], anchors)
  end
  return n, fields
end

-- ---- the rows of an epoch ----

local before, own = ffi.new "sel_generator", ffi.new "sel_generator"

-- fn(epoch) with the generator at a place that is the seed's and the epoch's own. The constant
-- keeps what is drawn apart from order, transforms and what a generator of the same seed draws.
local function with_generator(seed, epoch, fn)
  C.sel_generator_get(before)
  own.seed = bit.bxor(ffi.cast("uint64_t", seed), 0x73616d706c657273ULL)
  own.offset = ffi.cast("uint64_t", epoch - 1) * 2 ^ 40
  C.sel_generator_set(own)
  local ok, result = errors.protect(fn, epoch)
  C.sel_generator_set(before)
  if not ok then errors.rethrow(result) end
  return result
end

-- Tells core which rows epoch number `epoch` has, where that isn't all of them.
local function select_rows(self, epoch)
  local selection = self.dataset.selection
  if self.sampler then
    local chosen = with_generator(self.seed, epoch, self.sampler)
    chosen = rows.read("loader: sampler", chosen, self.dataset:size())
    selection = selection and selection:index_select(1, chosen) or chosen
  end
  if selection then
    local ids = ffi.cast("int64_t *", C.sel_data(selection))
    check(C.sel_loader_select(self.handle, #selection, ids))
  end
end

-- ---- making one ----

local function options_of(options)
  errors.check_options("loader", options, defaults)
  local o = {}
  for name, default in pairs(defaults) do
    o[name] = default
    if options and options[name] ~= nil then o[name] = options[name] end
  end
  for _, name in ipairs { "batch_size", "workers", "prefetch" } do
    if type(o[name]) ~= "number" or o[name] % 1 ~= 0 then
      errors.option("loader", name, "a whole number", o[name])
    end
  end
  if o.on_error ~= "raise" and o.on_error ~= "skip" then
    errors.option("loader", "on_error", "'raise' or 'skip'", o.on_error)
  end
  if o.sampler and type(o.sampler) ~= "function" then
    errors.option("loader", "sampler", "a function of the epoch, as data.random_sampler gives",
                  o.sampler)
  end
  if o.sampler and o.shuffle then
    errors.raise "loader: expected shuffle or a sampler, not both: a sampler gives the order"
  end
  o.seed = o.seed or tonumber(C.sel_random_below(2 ^ 53))
  return o
end

-- data.loader(dataset, options): batch_size = 1, shuffle = false, drop_last = false (leave out a
-- last batch that is not full), workers = 1 (threads; 0 makes each batch when it is asked for),
-- prefetch = 2 (batches kept ready), device (the default device), seed (drawn from the generator),
-- transforms (of the first field's images; or one list of them a field), sampler (a function that
-- gives the rows of an epoch, in place of shuffle), on_error = "raise" (or "skip": a file that
-- can't be read is left out of its batch; loader:skipped() names it). Order and transforms depend
-- on the seed and the epoch alone.
local function new(dataset, options)
  if type(dataset) ~= "table" or not dataset.fields then
    errors.argument("loader", 1, "dataset", "a dataset", dataset)
  end
  local o = options_of(options)
  local settings = ffi.new "sel_loader_settings"
  settings.size = ffi.sizeof "sel_loader_settings"
  settings.batch_size, settings.shuffle, settings.drop_last = o.batch_size, o.shuffle, o.drop_last
  settings.seed, settings.skip_failures = o.seed, o.on_error == "skip"
  settings.workers, settings.prefetch = o.workers, o.prefetch
  local anchors = {}
  local lists = lists_of(o.transforms, #dataset.fields)
  local n, fields = c_fields(dataset, lists, anchors)
  check(C.sel_loader_new(settings, n, fields, loader_out))
  local self = setmetatable({
    handle = ffi.gc(loader_out[0], C.sel_loader_release),
    dataset = dataset,
    sampler = o.sampler,
    seed = o.seed,
    n_fields = n,
    next_epoch = 1,
    device = arguments.device("loader", o.device or nil),
  }, loader)
  select_rows(self, 1)
  return self
end

-- loader:size(): batches in one epoch; loader:rows(): examples.
function loader:size() return tonumber(C.sel_loader_batches(self.handle)) end
function loader:rows() return tonumber(C.sel_loader_rows(self.handle)) end

-- loader:reseed(seed): order and transforms of epochs that begin from now on are those of another
-- seed; loader.seed is the present one.
function loader:reseed(seed)
  arguments.integer("reseed", 1, "seed", seed)
  C.sel_loader_reseed(self.handle, seed)
  self.seed = seed
end

-- loader:skipped(): for each row that was left out so far, why; with on_error = "skip".
function loader:skipped()
  local texts = {}
  for i = 1, tonumber(C.sel_loader_skipped(self.handle)) do
    texts[i] = ffi.string(C.sel_loader_skipped_text(self.handle, i - 1))
  end
  return texts
end

-- loader:waited(): seconds spent waiting for batches so far.
function loader:waited() return C.sel_loader_waited(self.handle) end

local function next_batch(self)
  local status = C.sel_loader_next(self.handle, self.device, memory.out, more)
  if memory.retry(status) then
    status = C.sel_loader_next(self.handle, self.device, memory.out, more)
  end
  check(status)
  if not more[0] then return nil end
  return memory.wrap_many(self.n_fields)
end

-- for x, y in loader:batches(epoch, first) do: one epoch of batches, a tensor for each field. epoch
-- counts from 1 and goes on by itself when it is left out; first is the batch to begin with.
function loader:batches(epoch, first)
  epoch = arguments.integer("loader", 1, "epoch", epoch or self.next_epoch)
  first = arguments.integer("loader", 2, "first", first or 1)
  if self.sampler then select_rows(self, epoch) end
  check(C.sel_loader_start(self.handle, epoch - 1, first - 1))
  self.next_epoch = epoch + 1
  return next_batch, self
end

return new
