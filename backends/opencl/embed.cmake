# Writes the text files of the list FILES into the C file OUT, each as the constant
# opencl_text_<name>; a line #include "other.cl" becomes that file's text.
#   cmake -D "FILES=a.cl;b.cl" -D OUT=texts.c -P embed.cmake
set(code "/* Made from .cl files by embed.cmake. */\n#include \"texts.h\"\n")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME_WE)
  get_filename_component(folder ${file} DIRECTORY)
  file(READ ${file} text)
  while(text MATCHES "#include \"([a-z_]+\\.cl)\"\n")
    set(line "${CMAKE_MATCH_0}")
    file(READ ${folder}/${CMAKE_MATCH_1} included)
    string(REPLACE "${line}" "${included}" text "${text}")
  endwhile()
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "\n" "\\n\"\n  \"" text "${text}")
  string(APPEND code "\nconst char opencl_text_${name}[] =\n  \"${text}\";\n")
endforeach()
file(WRITE ${OUT} "${code}")
