# Wraps preprocessed declarations (-Dinput=cdef.h) as a Lua module that returns them
# (-Doutput=cdef.lua), so that `require` finds them wherever it finds the library.
file(READ ${input} text)
file(WRITE ${output} "-- Made from the public headers by lua/CMakeLists.txt.\nreturn [==[\n${text}]==]\n")
