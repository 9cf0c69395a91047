-- "did you mean": the name that somebody probably meant who wrote another one.
--
-- Looks for what PyTorch and Torch7 call by another name, for the same letters in another form
-- (BatchNorm2d, batchnorm2d), and for a slip of the fingers.

-- Name elsewhere -> name here; see docs/from_pytorch.md and docs/from_torch7.md.
local elsewhere = {
  mm = "matmul", bmm = "matmul", mv = "matmul", dot = "matmul", cmul = "mul", cdiv = "div",
  tolist = "totable", numpy = "totable", ndim = "dim", nDimension = "dim", nElement = "numel",
  type = "dtype", type_as = "to", typeAs = "to", cuda = "to", ["repeat"] = "tile",
  repeatTensor = "tile", index = "index_select", T = "t", data = "detach",
  SpatialConvolution = "conv2d", SpatialMaxPooling = "max_pool2d", LookupTable = "embedding",
  View = "flatten", Reshape = "flatten", ModuleList = "module", Module = "module",
  CrossEntropyCriterion = "cross_entropy_loss", MSECriterion = "mse_loss",
}

-- The name without what differs between styles.
local function bare(name) return name:lower():gsub("_", "") end

-- How many letters have to be changed, added or left out (Levenshtein 1966), at most `limit` + 1.
local function distance(a, b, limit)
  if math.abs(#a - #b) > limit then return limit + 1 end
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal
    diagonal, row[0] = row[0], i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      diagonal, row[j] = row[j], math.min(row[j] + 1, row[j - 1] + 1, diagonal + cost)
    end
  end
  return row[#b]
end

-- suggest(name, names): "; did you mean 'x'?" for the best of the keys of `names`, or "".
return function(name, names)
  local best = names[elsewhere[name]] ~= nil and elsewhere[name] or nil
  local best_distance = #name > 3 and 3 or 1
  for candidate in pairs(best and {} or names) do
    local d = bare(candidate) == bare(name) and 0 or distance(candidate, name, 2)
    if d < best_distance or d == best_distance and best and candidate < best then
      best, best_distance = candidate, d
    end
  end
  return best and ("; did you mean '%s'?"):format(best) or ""
end
