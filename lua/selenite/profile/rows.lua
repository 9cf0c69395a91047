-- From events to rows: sums by operation, and by layer.
--
-- An operation's row: { name, kind = "operation", "gradient", "update" or "data", calls, total,
-- self, bytes, flops }. A layer's: { path, type, calls, forward, backward, self, bytes, flops }.
-- Times are seconds.
--
-- `self` leaves out what has a row of its own in the same table, so that a table's `self` add up to
-- no more than the whole. Bytes and flops of a gradient are those of the operations in its rule;
-- those of a layer are of all that belongs to it, forward and backward, its children's too.

local ffi = require "ffi"
local library = require "selenite.library"

local C = library.C

local OPERATION, GRADIENT, LAYER = C.SEL_PROFILE_OPERATION, C.SEL_PROFILE_GRADIENT,
                                   C.SEL_PROFILE_LAYER
local kinds = {
  [OPERATION] = { "operation", "%s" },
  [GRADIENT] = { "gradient", "gradient of %s" },
  [C.SEL_PROFILE_UPDATE] = { "update", "step of %s" },
  [C.SEL_PROFILE_DATA] = { "data", "next %s" },
}

-- Calls visit(i, event, kind) for each event in order, i from 0.
local function each_event(handle, visit)
  for i = 0, C.sel_profile_count(handle) - 1 do
    local event = C.sel_profile_event_at(handle, i)
    visit(i, event, tonumber(event.kind))
  end
end

local function seconds(event) return (event["end"] - event.start) * 1e-9 end

local function by_self(a, b) return a.self > b.self end

-- ---- operations ----

-- The rows, and for each event that is no layer its row.
local function operation_rows(handle)
  local list, by_kind, row_of = {}, {}, {}
  local owner = {} -- of each event: the innermost around it that is no layer, -1 for none
  local function row_for(kind, name)
    local of_kind = by_kind[kind] or {}
    by_kind[kind] = of_kind
    local row = of_kind[name]
    if not row then
      row = { name = kinds[kind][2]:format(name), kind = kinds[kind][1], calls = 0, total = 0,
              self = 0, bytes = 0, flops = 0 }
      of_kind[name], list[#list + 1] = row, row
    end
    return row
  end
  local function is_inside(i, row)
    while i >= 0 do
      if row_of[i] == row then return true end
      i = owner[i]
    end
    return false
  end
  local gradient = {} -- of each event: the row of the innermost gradient around it, or false
  each_event(handle, function(i, event, kind)
    local parent = event.parent
    owner[i] = parent < 0 and -1 or row_of[parent] and parent or owner[parent]
    gradient[i] = parent >= 0 and gradient[parent]
    if kind == LAYER then return end
    local row, time = row_for(kind, ffi.string(event.name)), seconds(event)
    row.calls, row.self = row.calls + 1, row.self + time
    if not is_inside(owner[i], row) then row.total = row.total + time end
    local around = row_of[owner[i]]
    if around then around.self = around.self - time end
    row.bytes, row.flops = row.bytes + event.bytes, row.flops + event.flops
    local rule = gradient[i]
    if rule then rule.bytes, rule.flops = rule.bytes + event.bytes, rule.flops + event.flops end
    if kind == GRADIENT then gradient[i] = row end
    row_of[i] = row
  end)
  table.sort(list, by_self)
  return list, row_of
end

-- ---- layers ----

-- Rows form trees, of which only the path remains: the root's name, below it the names of the
-- layers from the root's child on, as in errors and in model files.
local function new_layer_row(name, kind, parent)
  local path = parent and parent.parent and parent.row.path .. "." .. name or name
  return { children = {}, parent = parent, root = parent and parent.root or name,
           row = { path = path, type = kind, calls = 0, forward = 0, backward = 0, self = 0,
                   bytes = 0, flops = 0 } }
end

-- Where two roots have layers of one path, the root's name goes in front.
local function tell_apart(nodes)
  local count = {}
  for _, node in ipairs(nodes) do
    count[node.row.path] = (count[node.row.path] or 0) + 1
  end
  for _, node in ipairs(nodes) do
    local row = node.row
    if node.parent and count[row.path] > 1 then row.path = node.root .. "." .. row.path end
  end
end

-- The rows, and for each event of a layer its row.
local function layer_rows(handle)
  local nodes, roots, node_of, row_of = {}, {}, {}, {}
  local inside = {} -- of each event: the innermost layer or gradient, itself included
  local function node_for(event)
    local parent = node_of[event.layer]
    local siblings = parent and parent.children or roots
    local name = ffi.string(event.name)
    if not siblings[name] then
      siblings[name] = new_layer_row(name, ffi.string(event.type), parent)
      nodes[#nodes + 1] = siblings[name]
    end
    return siblings[name]
  end
  -- Adds to a layer and the layers around it.
  local function add(node, field, amount)
    while node do
      node.row[field] = node.row[field] + amount
      node = node.parent
    end
  end
  local function add_time(node, kind, time)
    if not node then return end
    node.row.self = node.row.self + time
    add(node, kind == LAYER and "forward" or "backward", time)
  end
  each_event(handle, function(i, event, kind)
    local outer = event.parent >= 0 and inside[event.parent]
    local node = node_of[event.layer]
    inside[i] = outer
    if kind == LAYER then
      node = node_for(event)
      node.row.calls = node.row.calls + 1
      node_of[i], row_of[i] = node, node.row
    end
    if kind == LAYER or kind == GRADIENT then
      if outer then add_time(outer.node, outer.kind, -seconds(event)) end
      add_time(node, kind, seconds(event))
      inside[i] = { node = node, kind = kind }
    elseif node then
      add(node, "bytes", event.bytes)
      add(node, "flops", event.flops)
    end
  end)
  tell_apart(nodes)
  local list = {}
  for i, node in ipairs(nodes) do list[i] = node.row end
  table.sort(list, by_self)
  return list, row_of
end

-- Returns { seconds, operations, layers } and a function that gives the label of event i.
return function(handle)
  local operations, operation_of = operation_rows(handle)
  local layers, layer_of = layer_rows(handle)
  local function label(i) return layer_of[i] and layer_of[i].path or operation_of[i].name end
  return { seconds = C.sel_profile_seconds(handle), operations = operations, layers = layers },
         label
end
