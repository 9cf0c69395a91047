-- A graph (init.lua) in the language DOT of Graphviz, and drawn by its program `dot`.
-- https://graphviz.org/doc/info/lang.html

local errors = require "selenite.errors"
local files = require "selenite.files"

local M = {}

local function quote(text) return '"' .. text:gsub('[\\"]', "\\%0") .. '"' end

-- Lines of a label; `\n` stays DOT's own.
local function label(...) return (quote(table.concat({ ... }, "\n")):gsub("\n", "\\n")) end

local styles = {
  operation = "", leaf = ', shape=box, style=filled, fillcolor="#d6e6f4"',
}

-- Text of a DOT file; entries are numbered in their order.
function M.text(graph)
  local lines = { "digraph selenite {", '  node [fontname="sans-serif", fontsize=11];',
                  '  edge [fontname="sans-serif", fontsize=10];' }
  local numbers = {}
  for i, entry in ipairs(graph) do
    numbers[entry] = i
    lines[#lines + 1] = ("  n%d [label=%s%s];")
      :format(i, label(entry.name or "leaf", table.concat(entry.results, "\n")),
              styles[entry.kind])
  end
  for i, entry in ipairs(graph) do
    for _, input in ipairs(entry.inputs) do
      local which = #input.entry.results > 1 and (" [label=%d]"):format(input.result) or ""
      lines[#lines + 1] = ("  n%d -> n%d%s;"):format(numbers[input.entry], i, which)
    end
  end
  lines[#lines + 1] = "}\n"
  return table.concat(lines, "\n")
end

local function read_all(path)
  local file = io.open(path, "rb")
  local text = file and file:read "*a" or ""
  if file then file:close() end
  return text
end

-- What `dot` makes of the text: the bytes of a file in `format`.
local function drawn(text, format)
  local source, target = os.tmpname(), os.tmpname()
  local file = assert(io.open(source, "wb"))
  file:write(text)
  file:close()
  local pipe = io.popen(("dot -T%s -o '%s' '%s' 2>&1"):format(format, target, source))
  local message = pipe:read "*a"
  pipe:close()
  local bytes = read_all(target)
  os.remove(source)
  os.remove(target)
  if bytes == "" then
    errors.raise("save: the program `dot` of Debian's package graphviz drew nothing and said: "
                 .. message:gsub("%s+$", ""))
  end
  return bytes
end

local formats = { dot = false, gv = false, svg = "svg", png = "png", pdf = "pdf" }

-- Writes the text, or what Graphviz draws of it, as the end of the path says.
function M.save(text, path)
  local format = formats[path:lower():match "%.(%w+)$" or ""]
  if format == nil then
    errors.argument("save", 1, "path", "a file name that ends in .dot, .gv, .svg, .png or .pdf",
                    path)
  end
  files.write_text(path, format and drawn(text, format) or text)
end

return M
