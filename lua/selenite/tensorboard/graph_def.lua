-- A graph (selenite/graph) as TensorFlow's GraphDef, which TensorBoard draws. Parameters are called
-- as in the model, with "/" for dots, so that a layer's are shown as a group.
-- https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/graph.proto

local wire = require "selenite.tensorboard.wire"

-- TensorShapeProto of "f32[2, 3]".
local function shape(text)
  local dims = {}
  for extent in text:match "%[(.*)%]":gmatch "%d+" do
    dims[#dims + 1] = wire.message(2, wire.integer(1, tonumber(extent)))
  end
  return table.concat(dims)
end

local function attribute(name, value)
  return wire.message(5, wire.bytes(1, name), wire.bytes(2, value))
end

-- A name for each entry that no other has.
local function names_of(graph)
  local names, used = {}, {}
  for _, entry in ipairs(graph) do
    local base = (entry.name or "leaf"):gsub("%.", "/"):gsub("[^%w_/%-]", "_")
    local name, n = base, 1
    while used[name] do
      n = n + 1
      name = base .. "_" .. n
    end
    used[name] = true
    names[entry] = name
  end
  return names
end

-- The field of an event that holds the graph.
return function(graph)
  local nodes, names = {}, names_of(graph)
  for _, entry in ipairs(graph) do
    local fields = { wire.bytes(1, names[entry]),
                     wire.bytes(2, entry.kind == "leaf" and "Parameter" or entry.name) }
    for _, input in ipairs(entry.inputs) do
      local which = input.result > 1 and ":" .. input.result - 1 or ""
      fields[#fields + 1] = wire.bytes(3, names[input.entry] .. which)
    end
    local shapes = {}
    for k, text in ipairs(entry.results) do shapes[k] = wire.bytes(7, shape(text)) end
    fields[#fields + 1] = attribute("_output_shapes", wire.message(1, unpack(shapes)))
    fields[#fields + 1] = attribute("dtype",
                                    wire.bytes(2, entry.results[1]:match "^%w+"))
    nodes[#nodes + 1] = wire.message(1, unpack(fields))
  end
  nodes[#nodes + 1] = wire.message(4, wire.integer(1, 22)) -- versions.producer, as PyTorch has it
  return wire.message(4, unpack(nodes))
end
