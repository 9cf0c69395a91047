-- A curve as runs of points that a picture can tell apart.
--
-- Of the points that follow each other in one column of the picture, the first, the lowest, the
-- highest and the last are kept: the line drawn through them covers the same pixels (Jugel et al.,
-- "M4: a visualization-oriented time series data aggregation", 2014). A value that can't be shown
-- ends a run, so that gaps stay gaps.

-- thin(n, at): at(i), i from 0, gives x and y in columns and rows of the picture, or nil for a gap.
-- Returns a list of runs, each a flat list x1, y1, x2, y2, ...
return function(n, at)
  local runs, run = {}, nil
  local column, first, lowest, highest, last -- indices of points in the column
  local y_lowest, y_highest

  local function add(i)
    local x, y = at(i)
    run[#run + 1], run[#run + 2] = x, y
  end
  local function finish_column()
    if not first then return end
    local a, b = math.min(lowest, highest), math.max(lowest, highest)
    add(first)
    if a ~= first and a ~= last then add(a) end
    if b ~= a and b ~= first and b ~= last then add(b) end
    if last ~= first then add(last) end
    first = nil
  end

  for i = 0, n - 1 do
    local x, y = at(i)
    if not x then
      finish_column()
      run = nil
    else
      if not run then
        run = {}
        runs[#runs + 1] = run
      end
      if not first or math.floor(x) ~= column then
        finish_column()
        column, first, lowest, highest, y_lowest, y_highest = math.floor(x), i, i, i, y, y
      elseif y < y_lowest then
        lowest, y_lowest = i, y
      elseif y > y_highest then
        highest, y_highest = i, y
      end
      last = i
    end
  end
  finish_column()
  return runs
end
