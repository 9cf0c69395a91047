#!/bin/sh
# plugins/template, copied somewhere else, builds against an installed Selenite, by CMake and by
# pkg-config, and what it builds is loaded.
# usage: out_of_tree.sh CMAKE SOURCE BUILD CC
set -eu
cmake=$1 source=$2 build=$3 cc=$4
here=$(pwd)
rm -rf prefix scale by_hand.so

quietly() { # quietly COMMAND...: shows its output only if it fails
  "$@" >log 2>&1 || { cat log; exit 1; }
}

quietly "$cmake" --install "$build" --prefix "$here/prefix"
cp -R "$source/plugins/template" scale
quietly "$cmake" -S scale -B scale/build -DCMAKE_PREFIX_PATH="$here/prefix" -DCMAKE_C_COMPILER="$cc"
quietly "$cmake" --build scale/build
flags=$(PKG_CONFIG_PATH="$here/prefix/lib/pkgconfig" pkg-config --cflags --libs selenite)
# shellcheck disable=SC2086 # several flags
"$cc" -std=c11 -shared -fPIC -fvisibility=hidden scale/scale.c $flags -o by_hand.so

for file in scale/build/lib/selenite/scale.so by_hand.so; do
  code="local sel = require 'selenite'
    sel.load_plugin '$here/$file'
    print(sel.nn.scale(3, 0.5):forward(sel.ones(2, 3)):sum():item())"
  result=$(prefix/bin/selenite -e "$code")
  if [ "$result" != 3 ]; then
    echo "$file: the layer's sum is '$result', expected 3"
    exit 1
  fi
done
