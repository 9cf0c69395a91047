#!/bin/sh
# Each public header stands alone, as strict C11 and as C++17, and LuaJIT reads all of them.
# usage: headers.sh SOURCE CC
set -eu
folder=$1/core/include/selenite
cc=$2

for header in "$folder"/*.h; do
  for language in 'c -std=c11 -Wstrict-prototypes' 'c++ -std=c++17'; do
    # shellcheck disable=SC2086 # several arguments
    "$cc" -x $language -pedantic-errors -Wall -Wextra -Wundef -Werror -fsyntax-only "$header"
  done
done

"$cc" -E -P -DSEL_FFI "$folder/selenite.h" >declarations
luajit -e 'require("ffi").cdef(io.open("declarations"):read("*a"))'
