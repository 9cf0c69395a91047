-- Reads the function prototypes out of core's declarations, so that the list of operations and
-- their arguments is the header's own.
--
-- Returns a function that returns a table: function name without "sel_" -> { result = "int",
-- parameters = { { type = "sel_tensor *", name = "x" }, ... } }, in which `const` is dropped and
-- spaces are normalised. Functions that take function pointers or variable arguments are left out.

local library = require "selenite.library"

local function parse_parameter(text)
  local type, name = text:gsub("const ", ""):gsub("%s+", " "):match "^%s*(.-)([%w_]+)%s*$"
  if not type or type == "" then return nil end
  return { type = (type:gsub("%*const", "*"):gsub("%s*$", "")), name = name }
end

local function parse(text)
  local prototypes = {}
  for result, stars, name, list in text:gmatch "([%w_]+)%s+(%**)sel_([%w_]+)%s*(%b())%s*;" do
    list = list:sub(2, -2)
    if not list:find "[(.]" then
      local parameters = {}
      for part in list:gmatch "[^,]+" do
        parameters[#parameters + 1] = parse_parameter(part)
      end
      prototypes[name] = { result = result .. stars, parameters = parameters }
    end
  end
  return prototypes
end

-- A function, because the result is large and needed only while the library loads.
return function() return parse(library.declarations) end
