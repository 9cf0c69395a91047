# Wraps the public headers (-Dinputs="a.h;b.h") as a Lua module that returns a list of their texts
# (-Doutput=headers.lua).
set(module "-- Made from the public headers by lua/CMakeLists.txt.\nreturn {\n")
foreach(input ${inputs})
  file(READ ${input} text)
  string(APPEND module "[==[\n${text}]==],\n")
endforeach()
file(WRITE ${output} "${module}}\n")
