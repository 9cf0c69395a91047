-- A profile as text: a table of operations and one of layers, most time first.

local columns = require "selenite.columns"

local MOST = 25 -- rows of a table; what lies behind them takes one line

local function time_text(seconds)
  if seconds >= 1 then return ("%.2f s"):format(seconds) end
  if seconds >= 1e-3 then return ("%.2f ms"):format(seconds * 1e3) end
  return ("%.1f us"):format(seconds * 1e6)
end

-- Billions a second; blank where nothing was counted.
local function rate_text(amount, seconds)
  if amount <= 0 or seconds <= 0 then return "" end
  return ("%.1f"):format(amount / seconds * 1e-9)
end

local function share_text(part, whole)
  return ("%.1f %%"):format(whole > 0 and part / whole * 100 or 0)
end

-- Name, calls, self and share; what else a table shows of a row is `more`'s.
local function table_of(name, list, whole, headings, more)
  local rows, rest = { { name, "calls", "self", "share", unpack(headings) } }, 0
  for i, row in ipairs(list) do
    if i <= MOST then
      rows[i + 1] = { row.name or row.path, tostring(row.calls), time_text(row.self),
                      share_text(row.self, whole), unpack(more(row)) }
    else
      rest = rest + row.self
    end
  end
  if #list > MOST then
    rows[#rows + 1] = { ("%d more"):format(#list - MOST), "", time_text(rest),
                        share_text(rest, whole) }
  end
  return rows
end

local function operations_text(self)
  local rest = self.seconds
  for _, row in ipairs(self.operations) do rest = rest - row.self end
  local rows = table_of("operation", self.operations, self.seconds, { "total", "GB/s", "GFLOP/s" },
    function(row)
      return { time_text(row.total), rate_text(row.bytes, row.total),
               rate_text(row.flops, row.total) }
    end)
  rows[#rows + 1] = { "outside of these", "", time_text(rest), share_text(rest, self.seconds) }
  return columns(rows)
end

local function layers_text(self)
  return columns(table_of("layer", self.layers, self.seconds,
    { "forward", "backward", "GB/s", "GFLOP/s", "type" },
    function(row)
      local total = row.forward + row.backward
      return { time_text(row.forward), time_text(row.backward), rate_text(row.bytes, total),
               rate_text(row.flops, total), row.type }
    end))
end

-- Text of a profile; see rows.lua.
return function(self)
  local head = time_text(self.seconds) .. " recorded"
  if self.device then
    head = head .. ("; %d launches, %d copies, %d waits")
                   :format(self.device.launches, self.device.copies, self.device.waits)
  end
  local parts = { head, operations_text(self) }
  if #self.layers > 0 then parts[3] = layers_text(self) end
  return table.concat(parts, "\n\n")
end
