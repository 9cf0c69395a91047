-- selenite doc layers [PLUGIN.so], selenite doc functions: prints a page of reference, made from
-- what describes itself.

local usage = "usage: selenite doc layers [PLUGIN.so] | functions\n"

-- Returns the exit status.
return function(what, plugin, more)
  if what ~= "layers" and what ~= "functions" or plugin and what == "functions" or more then
    io.stderr:write(usage)
    return 2
  end
  local ok, text = pcall(require("selenite.doc." .. what).page, plugin)
  if not ok then
    io.stderr:write("selenite: ", tostring(text), "\n")
    return 1
  end
  io.stdout:write(text)
  return 0
end
