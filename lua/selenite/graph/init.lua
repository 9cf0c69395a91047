-- sel.graph: the operations behind a tensor, as the tape has them, for drawings (dot.lua) and for
-- TensorBoard (tensorboard/graph.lua).
--
-- What takes no gradient isn't on the tape and isn't seen. All that is read is copied: no pointer
-- into the tape outlives a call.

local ffi = require "ffi"
local library = require "selenite.library"
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local arguments = require "selenite.arguments"
local module = require "selenite.nn.module"
local label = require "selenite.plot.label"
local dot = require "selenite.graph.dot"

local C = library.C
local M = {}

local function address(pointer) return tonumber(ffi.cast("intptr_t", pointer)) end

local buffer = ffi.new "char[256]"
local result_out = ffi.new "int[1]"

local function describe_result(node, k)
  return ffi.string(C.sel_node_describe(node, k, buffer, 256))
end

-- Names of leaves by identity: parameters of a module, or a table name -> tensor.
local function names_of(named)
  local names = {}
  if module.is_module(named) then
    for name, parameter in named:named_parameters() do names[memory.identity(parameter)] = name end
  elseif type(named) == "table" and not arguments.is_tensor(named) then
    for name, tensor in pairs(named) do
      if not arguments.is_tensor(tensor) then
        errors.raise(("graph: argument 2 (named): entry '%s': expected a tensor, got %s")
                     :format(tostring(name), errors.describe(tensor)))
      end
      names[memory.identity(tensor)] = label.clean(name)
    end
  elseif named ~= nil then
    errors.argument("graph", 2, "named", "a module or a table name -> tensor", named)
  end
  return names
end

-- All nodes that can be reached from `root`, from the first recorded to the last.
local function reachable(root)
  local nodes, seen, waiting = {}, {}, { root }
  while #waiting > 0 do
    local node = table.remove(waiting)
    if not seen[address(node)] then
      seen[address(node)] = true
      nodes[#nodes + 1] = node
      for i = 0, C.sel_node_inputs(node) - 1 do
        local input = C.sel_node_input(node, i, result_out)
        if input ~= nil then waiting[#waiting + 1] = input end
      end
    end
  end
  table.sort(nodes, function(a, b) return C.sel_node_sequence(a) < C.sel_node_sequence(b) end)
  return nodes
end

local graph = {}
graph.__index = graph

-- Reads the tape behind x. Entries of the graph, each before what uses it:
--   { kind = "operation", name = "matmul", results = { "f32[8, 2]" }, released = boolean,
--     inputs = { { entry = e, result = k }, ... } }    inputs that take no gradient are left out
--   { kind = "leaf", name = "0.weight" or nil, results = { "f32[2, 3]" } }
local function read(x, names)
  local self = setmetatable({}, graph)
  local by_address = {}
  local function leaf_entry(leaf)
    local key = address(leaf)
    if not by_address[key] then
      by_address[key] = { kind = "leaf", name = names[key], inputs = {},
                          results = { ffi.string(C.sel_describe(leaf, buffer, 256)) } }
      self[#self + 1] = by_address[key]
    end
    return by_address[key]
  end
  local root = C.sel_node_of(x)
  if root == nil then
    leaf_entry(ffi.cast("sel_tensor *", x))
    return self
  end
  for _, node in ipairs(reachable(root)) do
    local entry = { kind = "operation", name = ffi.string(C.sel_node_name(node)), inputs = {},
                    results = {}, released = C.sel_node_released(node) }
    for k = 0, C.sel_node_results(node) - 1 do entry.results[k + 1] = describe_result(node, k) end
    for i = 0, C.sel_node_inputs(node) - 1 do
      local input = C.sel_node_input(node, i, result_out)
      local leaf = C.sel_node_leaf(node, i)
      if input ~= nil then
        table.insert(entry.inputs, { entry = by_address[address(input)],
                                     result = result_out[0] + 1 })
      elseif leaf ~= nil then
        table.insert(entry.inputs, { entry = leaf_entry(leaf), result = 1 })
      end
    end
    by_address[address(node)] = entry
    self[#self + 1] = entry
  end
  return self
end

-- sel.graph(x, named): the operations that made x, with the parameters they began with, as a
-- drawing in the language DOT of Graphviz. `named` gives leaves their names: a module, or a table
-- name -> tensor. Draw before backward, which drops the record. Returns a graph: print(g) shows the
-- text, g:save "graph.dot" writes it, g:save "graph.svg" has it drawn by Graphviz's program `dot`.
function M.graph(x, named)
  if not arguments.is_tensor(x) or C.sel_tensor_device(x) == nil then
    errors.argument("graph", 1, "x", "a tensor with elements", x)
  end
  local self = read(x, names_of(named))
  if self[1].released then
    errors.raise("graph: backward has dropped the record behind this tensor; draw before it, or "
                 .. "keep it with backward{retain_graph = true}")
  end
  return self
end

-- graph:dot(): the text of a DOT file.
function graph:dot() return dot.text(self) end
graph.__tostring = graph.dot

-- graph:save(path): writes a file, whose name ends in .dot or .gv; or in .svg, .png or .pdf, which
-- Graphviz's program `dot` makes (Debian's package graphviz).
function graph:save(path)
  errors.expect("string", "save", 1, "path", path)
  dot.save(self:dot(), path)
end

return M
