-- Options of a script: sel.options.

local errors = require "selenite.errors"

-- sel.options{epochs = 10, lr = 0.01, out = "."}: what `selenite script.lua --epochs 3` was called
-- with, over the defaults given. A number must be given where the default is one; where it is
-- false, the name alone means true. A second table may stand for the global `arg`.
local function options(defaults, given)
  errors.expect("table", "options", 1, "defaults", defaults)
  given = given or arg or {}
  errors.expect("table", "options", 2, "given", given)
  local known, result = {}, {}
  for name, value in pairs(defaults) do
    if type(name) ~= "string" then
      errors.argument("options", 1, "defaults", "names with values", name)
    end
    known[#known + 1] = "--" .. name
    result[name] = value
  end
  table.sort(known)
  local i = 1
  while i <= #given do
    errors.expect("string", "options", 2, "given", given[i])
    local name, value = given[i]:match "^%-%-(.+)", given[i + 1]
    local default = name and defaults[name]
    if default == false then
      value, i = true, i - 1
    elseif default == nil then
      errors.raise(("no option %s; there are %s"):format(given[i], table.concat(known, ", ")))
    elseif value == nil then
      errors.raise(("option %s: a value is missing"):format(given[i]))
    elseif type(default) == "number" and not tonumber(value) then
      errors.raise(("option %s: expected a number, got '%s'"):format(given[i], value))
    end
    result[name] = type(default) == "number" and tonumber(value) or value
    i = i + 2
  end
  return result
end

return options
