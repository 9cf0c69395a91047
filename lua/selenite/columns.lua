-- Rows of texts as lines with columns of equal width.

-- columns(rows, left): the first `left` columns (1 unless given) begin at the left, all others end
-- at the right.
return function(rows, left)
  left = left or 1
  local width = {}
  for _, row in ipairs(rows) do
    for column, text in ipairs(row) do width[column] = math.max(width[column] or 0, #text) end
  end
  local lines = {}
  for i, row in ipairs(rows) do
    local cells = {}
    for column, text in ipairs(row) do
      local space = (" "):rep(width[column] - #text)
      cells[column] = column <= left and text .. space or space .. text
    end
    lines[i] = table.concat(cells, "  "):gsub(" *$", "")
  end
  return table.concat(lines, "\n")
end
