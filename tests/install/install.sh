#!/bin/sh
# Installs, moves the tree, and builds against it from outside: a C program and the backend of
# docs/BACKENDS.md by pkg-config, the layer template by CMake. Paths have spaces in them. Running
# scripts in such a tree is tests/lua/install.sh's.
# usage: install.sh SOURCE BUILD CC VERSION
set -eu
source=$1 build=$2 cc=$3 version=$4
unset SELENITE_PLUGIN_PATH LUA_PATH LD_LIBRARY_PATH
rm -rf first "the second place" program plain.c plugins template
work=$PWD

check() { # check NAME EXPECTED GOT
  if [ "$2" != "$3" ]; then
    printf '%s: expected "%s", got "%s"\n' "$1" "$2" "$3"
    exit 1
  fi
}

cmake --install "$build" --prefix "$work/first" >install.log
mv first "the second place"
prefix="$work/the second place"
if grep -rlF -e "$work/first" -e "$source" -e "$build" "$prefix/lib/cmake" \
  "$prefix/lib/pkgconfig" "$prefix/share" "$prefix/include"; then
  echo "these files name the place they were built or installed at"
  exit 1
fi

export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
check "pkg-config version" "$version" "$(pkg-config --modversion selenite)"
# pkg-config escapes the space for the shell, so a shell reads its output.
eval "'$cc' -std=c11 -Wall -Wextra -Werror '$source/tests/install/embed.c' -o program \
  $(pkg-config --cflags --libs selenite)"
check "C program" "$version 48" "$(LD_LIBRARY_PATH="$prefix/lib" ./program)"

mkdir -p plugins
# shellcheck disable=SC2016 # these are Markdown's backticks
sed -n '/^```c$/,/^```$/p' "$source/docs/BACKENDS.md" | sed '/^```/d' >plain.c
cp -R "$source/plugins/template" template
by_hand() { # by_hand SOURCE NAME: plugins/NAME.so
  eval "'$cc' -std=c11 -Wall -Wextra -Werror -shared -fPIC '$1' -o plugins/$2.so \
    $(pkg-config --cflags --libs selenite)"
}
by_hand plain.c plain
by_hand template/scale.c scale
export SELENITE_PLUGIN_PATH="$work/plugins"
code='local sel = require "selenite"
print(sel.empty(2, {device = "plain"}):device(), sel.tensor({3}):to("plain"):to("cpu"):item())'
check "backend of the documentation" "plain 3" \
  "$("$prefix/bin/selenite" -e "$code" | tr '\t' ' ')"
code='local sel = require "selenite"
local layer = sel.nn.scale{features = 2, init = 3}
print(layer(sel.ones(1, 2)):sum():item())'
check "layer template, by hand" 6 "$("$prefix/bin/selenite" -e "$code")"

cmake -S template -B template/build -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc" >cmake.log
cmake --build template/build >>cmake.log
unset SELENITE_PLUGIN_PATH
from_file="require('selenite').load_plugin('$work/template/build/lib/selenite/scale.so')"
check "layer template, by CMake" 6 "$("$prefix/bin/selenite" -e "$from_file" -e "$code")"
cmake --install template/build --prefix "$prefix" >>cmake.log
check "layer template, installed" 6 "$("$prefix/bin/selenite" -e "$code")"
