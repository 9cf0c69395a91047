-- selenite doc layers [PLUGIN.so]: prints a page of reference, made from what describes itself.

local usage = "usage: selenite doc layers [PLUGIN.so]\n"

-- Returns the exit status.
return function(what, plugin, more)
  if what ~= "layers" or more then
    io.stderr:write(usage)
    return 2
  end
  local ok, text = pcall(require("selenite.doc.layers").page, plugin)
  if not ok then
    io.stderr:write("selenite: ", tostring(text), "\n")
    return 1
  end
  io.stdout:write(text)
  return 0
end
