-- What people read: the table of one run, and the comparison of two.

local M = {}

-- ---- formats ----

local function time(seconds)
  if not seconds then return "" end
  if seconds < 1e-3 then return ("%.2f us"):format(seconds * 1e6) end
  return (seconds < 0.1 and "%.2f ms" or "%.0f ms"):format(seconds * 1e3)
end

local function megabytes(bytes) return bytes and ("%.0f"):format(bytes / 1e6) or "" end

local function times(ratio) return ratio and ("%.2f"):format(ratio) or "" end

local function share(result, peak)
  if not result.flops or not peak then return "" end
  return ("%.0f %%"):format(100 * result.flops / result.selenite.seconds / peak)
end

-- Prints rows of texts in columns; the first is flush left.
local function print_rows(rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for i, text in ipairs(row) do widths[i] = math.max(widths[i] or 0, #text) end
  end
  for _, row in ipairs(rows) do
    local parts = {}
    for i, text in ipairs(row) do
      parts[i] = ("%" .. (i == 1 and "-" or "") .. widths[i] .. "s"):format(text)
    end
    print((table.concat(parts, "  "):gsub("%s+$", "")))
  end
end

-- ---- one run ----

-- How many times as fast as PyTorch; nil without it.
function M.ratio(result)
  return result.pytorch and result.pytorch.seconds / result.selenite.seconds
end

local function geometric_mean(list)
  local sum = 0
  for _, value in ipairs(list) do sum = sum + math.log(value) end
  return math.exp(sum / #list)
end

local function print_summary(kind, results)
  local ratios, slower, larger = {}, 0, 0
  for _, result in ipairs(results) do
    local ratio = M.ratio(result)
    if result.kind == kind and ratio then
      ratios[#ratios + 1] = ratio
      if ratio < 1 then slower = slower + 1 end
      if result.selenite.peak > result.pytorch.peak then larger = larger + 1 end
    end
  end
  if #ratios == 0 then return end
  print(("%s: %.2f times as fast (geometric mean of %d), slower in %d%s"):format(
    kind, geometric_mean(ratios), #ratios, slower,
    kind == "micro" and "" or (", more memory in %d"):format(larger)))
end

-- The table of a run as bench.lua writes it to a file.
function M.print(run)
  for _, kind in ipairs { "training", "inference", "micro" } do
    local rows = { { kind, "Selenite", "PyTorch", "times as fast", "of peak" } }
    if kind ~= "micro" then
      rows[1][6], rows[1][7] = "MB Selenite", "MB PyTorch"
    end
    for _, result in ipairs(run.results) do
      if result.kind == kind then
        local other = result.pytorch or {}
        local row = { result.name, time(result.selenite.seconds), time(other.seconds),
                      times(M.ratio(result)), share(result, run.peak) }
        if kind ~= "micro" then
          row[6], row[7] = megabytes(result.selenite.peak), megabytes(other.peak)
        end
        rows[#rows + 1] = row
      end
    end
    if #rows > 1 then
      print_rows(rows)
      print()
    end
  end
  if run.peak then
    print(("peak of matrix products: %.0f GFLOP/s (%s)"):format(run.peak / 1e9, run.peak_of))
  end
  for _, kind in ipairs { "training", "inference", "micro" } do print_summary(kind, run.results) end
end

-- ---- two runs ----

local function range(samples) return math.min(unpack(samples)), math.max(unpack(samples)) end

-- "faster" or "slower" where no sample of one run is within the other's.
local function verdict(before, after)
  local low_before, high_before = range(before.samples)
  local low_after, high_after = range(after.samples)
  if high_after < low_before then return "faster" end
  if low_after > high_before then return "slower" end
  return ""
end

-- Selenite's times in two runs. PyTorch's change tells what the machine did in between.
function M.compare(before, after)
  local by_name = {}
  for _, result in ipairs(before.results) do by_name[result.name] = result end
  local rows = { { "workload", before.commit, after.commit, "times as fast", "PyTorch's", "" } }
  local ratios = {}
  for _, result in ipairs(after.results) do
    local old = by_name[result.name]
    if old then
      local ratio = old.selenite.seconds / result.selenite.seconds
      ratios[#ratios + 1] = ratio
      rows[#rows + 1] = {
        result.name, time(old.selenite.seconds), time(result.selenite.seconds), times(ratio),
        times(old.pytorch and result.pytorch and old.pytorch.seconds / result.pytorch.seconds),
        verdict(old.selenite, result.selenite) }
    end
  end
  if #ratios == 0 then
    print "the two runs have no workload in common"
    return
  end
  print_rows(rows)
  print(("\n%s is %.3f times as fast as %s (geometric mean of %d)"):format(
    after.commit, geometric_mean(ratios), before.commit, #ratios))
end

return M
