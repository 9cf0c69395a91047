-- CSV files as tables whose columns have types, and from there tensors and datasets.

local ffi = require "ffi"
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local operations = require("selenite.tensor").methods
local dataset = require "selenite.data.dataset"
local load_library = require "selenite.data.library"

local csv = {}
csv.__index = csv
csv.__tostring = function(self)
  local lines = { ("csv of %d rows:"):format(self.rows) }
  for i, name in ipairs(self.names) do
    lines[i + 1] = ("  %s: %s"):format(name, self.types[name])
  end
  return table.concat(lines, "\n")
end

local types = { number = 1, integer = 2, category = 3, string = 4, skip = 5 } -- sel_csv_type
local type_names = {}
for name, number in pairs(types) do type_names[number] = name end

local known = { types = true, header = true, delimiter = true, missing = true }

local function strings(list, anchors)
  local array = ffi.new("const char *[?]", math.max(#list, 1), list)
  anchors[#anchors + 1] = array
  return array
end

-- The sel_csv_settings of the options. anchors: keeps what it points to.
local function settings_of(options, anchors)
  local settings = ffi.new "sel_csv_settings"
  local delimiter = options.delimiter or ","
  if type(delimiter) ~= "string" or #delimiter ~= 1 or delimiter:find '[\n\r"]' then
    errors.option("read_csv", "delimiter", "one character such as ';'", delimiter)
  end
  settings.delimiter = delimiter:byte()
  local header = options.header == nil or options.header
  if type(header) ~= "boolean" then errors.option("read_csv", "header", "true or false", header) end
  settings.header = header
  local missing = options.missing or { "", "NA" }
  if type(missing) ~= "table" then errors.option("read_csv", "missing", "a list", missing) end
  for _, text in ipairs(missing) do
    if type(text) ~= "string" then errors.option("read_csv", "missing", "texts", text) end
  end
  settings.n_missing, settings.missing = #missing, strings(missing, anchors)
  local names, numbers = {}, {}
  if options.types ~= nil and type(options.types) ~= "table" then
    errors.option("read_csv", "types", "a table name -> type", options.types)
  end
  for name, kind in pairs(options.types or {}) do
    if not types[kind] then
      errors.option("read_csv", "types",
                    "'number', 'integer', 'category', 'string' or 'skip' for a column", kind)
    end
    names[#names + 1], numbers[#numbers + 1] = tostring(name), types[kind]
  end
  local array = ffi.new("sel_csv_type[?]", math.max(#names, 1), numbers)
  anchors[#anchors + 1] = array
  settings.n_types, settings.names, settings.types = #names, strings(names, anchors), array
  return settings
end

-- data.read_csv(path, options): a table of the file's columns. csv.rows; csv.names, in the file's
-- order; csv.types, by name. Errors name file, line and byte.
--
--   types = { age = "number", city = "category" }   number, integer, category, string or skip; what
--                      isn't named is guessed: integer, else number, else category
--   header = true      the first line has the names; without one they are "1", "2", ...
--   delimiter = ","
--   missing = { "", "NA" }   NaN in numbers, id -1 in categories, an error in integers
local function read_csv(path, options)
  errors.expect("string", "read_csv", 1, "path", path)
  errors.check_options("read_csv", options, known)
  local C = load_library("csv", "read_csv")
  local anchors, out = {}, ffi.new "sel_csv *[1]"
  errors.check(C.sel_csv_read(path, settings_of(options or {}, anchors), out))
  local self = setmetatable({ handle = ffi.gc(out[0], C.sel_csv_release), C = C, names = {},
                              types = {}, columns = {} }, csv)
  self.rows = tonumber(C.sel_csv_rows(self.handle))
  for i = 1, C.sel_csv_columns(self.handle) do
    local name = ffi.string(C.sel_csv_name(self.handle, i - 1))
    local kind = type_names[tonumber(C.sel_csv_type_of(self.handle, i - 1))]
    self.types[name] = kind
    if kind ~= "skip" then
      self.names[#self.names + 1], self.columns[name] = name, i - 1
    end
  end
  return self
end

local function column_of(self, operation, name)
  local column = self.columns[name]
  if not column then
    errors.raise(("%s: expected a column of the file, %s; got %s")
                 :format(operation, table.concat(self.names, ", "), errors.describe(name)))
  end
  return column, self.types[name]
end

local function texts(self, column)
  local list, size = {}, ffi.new "size_t[1]"
  for i = 1, tonumber(self.C.sel_csv_text_count(self.handle, column)) do
    local text = self.C.sel_csv_text(self.handle, column, i - 1, size)
    list[i] = ffi.string(text, size[0])
  end
  return list
end

-- csv:column(name, dtype): its values as a tensor [rows] on the CPU: numbers as f32 unless another
-- dtype is named (they are f64 in the table), integers and the ids of categories, which count from
-- 0, as i64. The texts of a string column as a table.
function csv:column(name, dtype)
  local column, kind = column_of(self, "column", name)
  if kind == "string" then return texts(self, column) end
  errors.check(self.C.sel_csv_values(self.handle, column, memory.out))
  return memory.wrap():to(dtype or (kind == "number" and "f32" or "i64"))
end

-- csv:categories(name): the texts of a category, in the order of their bytes; that of id i is
-- number i + 1.
function csv:categories(name)
  local column, kind = column_of(self, "categories", name)
  if kind ~= "category" then
    errors.raise(("categories: column '%s' is of type %s, not a category"):format(name, kind))
  end
  return texts(self, column)
end

-- csv:tensor(names, dtype): these columns side by side, [rows, columns], f32 unless dtype says
-- otherwise. All numbers and integers where names is left out.
function csv:tensor(names, dtype)
  if names == nil then
    names = {}
    for _, name in ipairs(self.names) do
      if self.types[name] == "number" or self.types[name] == "integer" then
        names[#names + 1] = name
      end
    end
  end
  errors.expect("table", "tensor", 1, "names", names)
  if #names == 0 then errors.raise "tensor: expected one column at least" end
  local columns = {}
  for i, name in ipairs(names) do
    local _, kind = column_of(self, "tensor", name)
    if kind == "string" then
      errors.raise(("tensor: column '%s' is of type string, which is no number"):format(name))
    end
    columns[i] = self:column(name, dtype or "f32")
  end
  return operations.stack(columns, 2)
end

-- csv:dataset{ inputs = {"age", "height"}, target = "city" }: a dataset of the inputs, f32 [N,
-- columns], and the target: f32 [N, 1] of a number, i64 [N] of an integer or category.
function csv:dataset(options)
  errors.check_options("dataset", options, { inputs = true, target = true })
  options = options or {}
  if type(options.inputs) ~= "table" then
    errors.option("dataset", "inputs", "a list of column names", options.inputs)
  end
  local inputs = self:tensor(options.inputs)
  if options.target == nil then return dataset.tensor_dataset(inputs) end
  local _, kind = column_of(self, "dataset: target", options.target)
  if kind == "string" then
    errors.raise(("dataset: target '%s' is of type string"):format(options.target))
  end
  local target = self:column(options.target)
  if kind == "number" then target = target:unsqueeze(2) end
  return dataset.tensor_dataset(inputs, target)
end

return read_csv
