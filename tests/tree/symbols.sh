#!/bin/sh
# libselenite exports exactly the functions that the public headers declare, a library of lua/data/ those
# of its own header; a plugin exports its descriptor and nothing else.
# usage: symbols.sh SOURCE BUILD CC
set -eu
source=$1 build=$2 cc=$3

functions() { # those that a preprocessed header declares, on the standard input
  tr -s ' \n' '  ' | grep -oE 'sel_[a-z0-9_]+ ?\([^*]' | sed 's/ *(.*//' | sort -u
}
exports() { nm -D --defined-only "$1" | sed 's/.* //' | sort -u; } # exports FILE

"$cc" -E -P -DSEL_FFI "$source/core/include/selenite/selenite.h" | functions >declared
exports "$build/lib/libselenite.so" >exported
if [ ! -s declared ] || [ ! -s exported ]; then
  echo "no functions found"
  exit 1
fi

complain() { # complain WHAT FILE: prints FILE below WHAT when it isn't empty
  if [ -s "$2" ]; then
    echo "$1"
    sed 's/^/  /' "$2"
    status=1
  fi
}
status=0
comm -23 declared exported >missing
complain "declared in a public header, not exported by libselenite:" missing
comm -13 declared exported >extra
complain "exported by libselenite, not declared in a public header:" extra

for plugin in "$build"/lib/selenite/*.so; do
  nm -D --defined-only "$plugin" | sed 's/.* //' | grep -vx sel_plugin_descriptor >extra || true
  complain "exported by $plugin besides sel_plugin_descriptor:" extra
done

for library in "$build"/lib/selenite/data/*.so; do
  name=$(basename "$library" .so)
  "$cc" -E -P -DSEL_FFI "$source/lua/data/$name/$name.h" | functions >declared
  exports "$library" >exported
  comm -3 declared exported >extra
  complain "declared in lua/data/$name/$name.h, or else exported by $library, not both:" extra
done
exit $status
