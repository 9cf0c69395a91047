#!/bin/sh
# libselenite exports exactly the functions that the public headers declare; a plugin exports its
# descriptor and nothing else.
# usage: symbols.sh SOURCE BUILD CC
set -eu
source=$1 build=$2 cc=$3

"$cc" -E -P -DSEL_FFI "$source/core/include/selenite/selenite.h" | tr -s ' \n' '  ' |
  grep -oE 'sel_[a-z0-9_]+ ?\([^*]' | sed 's/ *(.*//' | sort -u >declared
nm -D --defined-only "$build/lib/libselenite.so" | sed 's/.* //' | sort -u >exported
if [ ! -s declared ] || [ ! -s exported ]; then
  echo "no functions found"
  exit 1
fi

status=0
complain() { # complain WHAT FILE: prints FILE below WHAT when it isn't empty
  if [ -s "$2" ]; then
    echo "$1"
    sed 's/^/  /' "$2"
    status=1
  fi
}
comm -23 declared exported >missing
complain "declared in a public header, not exported by libselenite:" missing
comm -13 declared exported >extra
complain "exported by libselenite, not declared in a public header:" extra

for plugin in "$build"/lib/selenite/*.so; do
  nm -D --defined-only "$plugin" | sed 's/.* //' | grep -vx sel_plugin_descriptor >extra || true
  complain "exported by $plugin besides sel_plugin_descriptor:" extra
done
exit $status
