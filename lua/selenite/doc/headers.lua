-- What the public headers say about a function of core: the comment at its declaration, or, where
-- it was made from a row of pointwise.h, what it computes.
--
-- A comment belongs to the declaration behind it, and to those that follow at once where it names
-- them or they take the same arguments (max and min). One behind a declaration on its last line
-- belongs to that one.

local operation_defaults = require "selenite.operation_defaults"

local M = {}

-- Text of a comment without its marks and line breaks.
local function plain(comment)
  return (comment:gsub("^/%*+", ""):gsub("%*/%s*$", ""):gsub("\n%s*%*", "\n")
                 :gsub("%s+", " "):gsub("^ ", ""):gsub(" $", ""))
end

-- ---- declarations ----

-- Calls visit(kind, text) for the comments ("comment"), prototypes with their trailing comment
-- ("prototype") and empty lines ("gap") of a header, in order.
local function scan(text, visit)
  local at = 1
  while at <= #text do
    if text:find("^ *\n *\n", at) then visit "gap" end
    at = text:find("%S", at) or #text + 1
    local first, last = text:find("^/%*.-%*/", at)
    if first then
      visit("comment", text:sub(first, last))
    else
      first, last = text:find("^SEL_API [^;{]-;[ ]*", at)
      if first then
        local _, behind = text:find("^/%*.-%*/", last + 1)
        last = behind or last
        visit("prototype", text:sub(first, last))
      else
        last = (text:find("\n", at, true) or #text + 1) - 1 -- a line of something else
      end
    end
    at = last + 1
  end
end

local function names_it(comment, name)
  return comment and comment:find("%f[%w_]" .. name .. "%f[^%w_]") ~= nil
end

-- Adds name -> comment for the prototypes of one header.
local function read_header(text, comments)
  local comment, owner -- the last one, and the arguments of the declaration it stands at
  scan(text, function(kind, piece)
    if kind == "gap" then
      comment, owner = nil, nil
    elseif kind == "comment" then
      comment, owner = plain(piece), nil
      if comment:find "^%-%-%-%-" then comment = nil end -- the title of a section
    else
      local name, arguments = piece:match "sel_([%w_]+)(%b())%s*;"
      if not name then return end
      arguments = arguments:gsub("%s+", " ")
      local behind = piece:match ";%s*(/%*.*)$"
      local own = comment
      if owner and owner ~= arguments and not names_it(comment, name) then own = nil end
      owner = owner or arguments
      behind = behind and plain(behind)
      comments[name] = own and behind and own .. " " .. behind or own or behind
    end
  end)
end

-- ---- pointwise operations ----

local types = {
  F = "float dtypes", N = "every dtype but bool", A = "every dtype",
  W = "a condition of bool, the others of any dtype", P = "float dtypes; gives bool",
  C = "every dtype; gives bool",
}

-- The expression of a row as one writes formulas: K(x) is x, EXP(a) is exp(a), s0 has its name.
local function formula(kind, name, expression)
  local text = expression:gsub("%f[%w_]K(%b())", function(inner) return inner:sub(2, -2) end)
                         :gsub("%(T%)", "")
                         :gsub("FLOOR_DIV%(a, b%)", "floor(a / b)")
                         :gsub("FLOOR_MOD%(a, b%)", "a - b * floor(a / b)")
                         :gsub("FABS%f[%W]", "abs")
                         :gsub("%f[%w_](%u[%u%d_]+)%(", function(f) return f:lower() .. "(" end)
  for i, scalar in ipairs(operation_defaults.scalar_names[name] or {}) do
    text = text:gsub("%f[%w_]s" .. i - 1 .. "%f[^%w_]", scalar)
  end
  if kind:find "^U" then text = text:gsub("%f[%w_]a%f[^%w_]", "x") end
  return text
end

local function read_rows(text, comments)
  for line in text:gmatch "[^\n]+" do
    local kind, name, letter, expression =
      line:match "^%s*X%((%u+%d?),%s+([%l%d_]+),%s+(%u),%s+(.*)%)%s*.-\\?$"
    if kind and not kind:find "^G" then
      expression = expression:gsub("%)%s*/%*.*$", "")
      local what = ("%s, element by element; %s"):format(formula(kind, name, expression),
                                                         types[letter])
      comments[name] = what
      comments[name .. "_"] = what .. "; written into the first"
    end
  end
end

-- ---- both ----

local comments

-- The comment of the function sel_<name>, one line; nil where there is none.
function M.comment(name)
  if not comments then
    comments = {}
    for _, text in ipairs(require "selenite.headers") do
      read_header(text, comments)
      if text:find("#define SEL_POINTWISE(X)", 1, true) then read_rows(text, comments) end
    end
  end
  return comments[name]
end

return M
