#!/bin/sh
# What the papers tell a user to type after an installation is typed: the sh blocks of the pages named
# below, one page after the other in a home of its own where Selenite is installed as they say.
# usage: pages.sh SOURCE BUILD
set -eu
source=$1 build=$2
unset SELENITE_PLUGIN_PATH LUA_PATH LD_LIBRARY_PATH PKG_CONFIG_PATH
rm -rf home
mkdir home
HOME=$PWD/home
export HOME PATH="$HOME/selenite/bin:$PATH"
cmake --install "$build" --prefix "$HOME/selenite" >install.log

blocks() { # blocks LANGUAGE PAGE: their lines
  awk -v fence="\`\`\`$1" '$0 == fence { inside = 1; next } /^```/ { inside = 0 } inside' "$2"
}

type_page() { # type_page PAGE WHAT-MUST-BE-THERE
  printf '== %s\n' "$1"
  cd "$HOME"
  # ./setup install has been done; ./setup bench and the like are other tests'.
  blocks sh "$source/docs/$1" | grep -v '^\./setup' >commands
  [ -s commands ]
  sh -eu commands || { echo "the commands of docs/$1 fail"; exit 1; }
  [ -e "$2" ] || { echo "the commands of docs/$1 made no $2"; exit 1; }
}

type_page PLUGINS.md scale/build/lib/selenite/scale.so
type_page BACKENDS.md plain/build/lib/selenite/plain.so
blocks c "$source/docs/cookbook.md" >"$HOME/root.c"
type_page cookbook.md root
[ "$("$HOME/root")" = 1.41421 ]
