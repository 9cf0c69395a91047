-- A Markdown page about layer types, from their own descriptions: what must be given, options with
-- ranges and defaults, shapes, an example. Sections are plugins.

local ffi = require "ffi"
local sel = require "selenite"
local library = require "selenite.library"
local layer = require "selenite.nn.layer"
local help = require "selenite.nn.help"

local C = library.C
local M = {}

local head = [[
# Layer types

Every layer type of the plugins that come with Selenite, from the descriptions they carry.
`?nn.conv2d` at [the prompt](repl.md) and `sel.help("conv2d")` show the same; [nn.md](nn.md) tells
how layers become models. This page is made by `selenite doc layers`.

What must be given comes first, in this order; the options in braces may be given by name in a last
table, or further by position. In shapes, `N` is the batch, `*` any number of dimensions.

```lua
local sel = require "selenite"
local nn = sel.nn
```
]]

local function escape(text) return (text:gsub("|", "\\|")) end

-- A summary as a sentence; one that begins with a layer's name keeps its small letter.
local function sentence(text)
  if not text:find "^[%l%d]*_" then text = text:gsub("^%l", string.upper) end
  return text .. "."
end

local function code(text) return "`" .. text .. "`" end

-- A Markdown table; rows of cells, the first are the titles.
local function write_table(lines, rows)
  for i, row in ipairs(rows) do
    local cells = {}
    for k, cell in ipairs(row) do cells[k] = escape(cell) end
    lines[#lines + 1] = "| " .. table.concat(cells, " | ") .. " |"
    if i == 1 then lines[#lines + 1] = "|" .. ("---|"):rep(#row) end
  end
  lines[#lines + 1] = ""
end

-- Adds one row for each input or output: "takes `mask`, may be left out", its shape.
local function add_ports(rows, word, n, ports, optional)
  for i = 0, n - 1 do
    local name = word .. code(ffi.string(ports[i].name)) .. (ports[i].optional and optional or "")
    rows[#rows + 1] = { name, (ffi.string(ports[i].shape):gsub("%b[]", "`%0`")) }
  end
end

local function write_type(lines, t)
  local name = ffi.string(t.name)
  local function add(text) lines[#lines + 1] = text end
  add("### nn." .. name)
  add ""
  add(sentence(escape(ffi.string(t.summary))))
  add ""
  add(code(help.signature(t, "nn." .. name)))
  add ""
  if t.n_options > 0 then
    local rows = { { "option", "values", "default", "" } }
    for i = 0, t.n_options - 1 do
      local option = t.options[i]
      rows[i + 2] = { code(ffi.string(option.name)), help.values(option),
                      option.required and "required" or code(ffi.string(option.default_text)),
                      ffi.string(option.doc) }
    end
    write_table(lines, rows)
  end
  local rows = { { "", "shape" } }
  add_ports(rows, "takes ", t.n_inputs, t.inputs, ", may be left out")
  add_ports(rows, "gives ", t.n_outputs, t.outputs, "")
  write_table(lines, rows)
  if t.example ~= nil then
    add "```lua"
    add((ffi.string(t.example):gsub("%s*$", "")))
    add "```"
    add ""
  end
end

-- Links to all types of a section.
local function index(types)
  local links = {}
  for i, t in ipairs(types) do
    local name = ffi.string(t.name)
    links[i] = ("[%s](#nn%s)"):format(name, name)
  end
  return table.concat(links, " ") .. "\n"
end

-- Descriptions in alphabetical order, of the types from the plugin file at `path`.
local function types_of(path)
  local list = {}
  layer.each_type(function(t)
    if ffi.string(C.sel_layer_type_origin(t)) == path then list[#list + 1] = t end
  end)
  table.sort(list, function(a, b) return ffi.string(a.name) < ffi.string(b.name) end)
  return list
end

-- The plugins that brought layer types, { name =, path = }, in alphabetical order.
local function plugins()
  local list, i, plugin = {}, 0, C.sel_plugin_at(0)
  while plugin ~= nil do
    local path = ffi.string(C.sel_plugin_path_at(i))
    if #types_of(path) > 0 then
      list[#list + 1] = { name = ffi.string(plugin.name), path = path }
    end
    i = i + 1
    plugin = C.sel_plugin_at(i)
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

-- The page about the layer types of all plugins; with a file, about those of this plugin, which is
-- loaded.
function M.page(file)
  local lines, known = {}, {}
  if file then
    for _, plugin in ipairs(plugins()) do known[plugin.path] = true end
    sel.load_plugin(file)
  else
    lines[1] = head
  end
  for _, plugin in ipairs(plugins()) do
    if not known[plugin.path] then
      lines[#lines + 1] = ("## Plugin %s\n"):format(plugin.name)
      local types = types_of(plugin.path)
      lines[#lines + 1] = index(types)
      for _, t in ipairs(types) do write_type(lines, t) end
    end
  end
  return table.concat(lines, "\n"):match "^(.-)%s*$" .. "\n"
end

return M
