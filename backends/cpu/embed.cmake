# Writes the headers of the list FILES into the C file OUT, each as the constant cpu_text_<name>, for
# programs that are compiled while Selenite runs. A line #include "other.h" becomes that file's text;
# kernels.h, of which a generated program has its own version, becomes nothing.
#   cmake -D "FILES=a.h;b.h" -D OUT=texts.c -P embed.cmake
set(code "/* Made from headers by embed.cmake. */\n#include \"fuse_source.h\"\n")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME_WE)
  get_filename_component(folder ${file} DIRECTORY)
  file(READ ${file} text)
  while(text MATCHES "#include \"([a-z0-9_]+\\.h)\"\n")
    set(line "${CMAKE_MATCH_0}")
    set(header ${CMAKE_MATCH_1})
    set(included "")
    if(NOT header STREQUAL "kernels.h")
      file(READ ${folder}/${header} included)
    endif()
    string(REPLACE "${line}" "${included}" text "${text}")
  endwhile()
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "\n" "\\n\"\n  \"" text "${text}")
  string(APPEND code "\nconst char cpu_text_${name}[] =\n  \"${text}\";\n")
endforeach()
file(WRITE ${OUT} "${code}")
