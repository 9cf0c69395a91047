#!/bin/sh
# clang has no warning about any C file, with the flags that it is compiled with here.
# usage: clang.sh BUILD
set -eu
if ! command -v clang >/dev/null; then
  echo "clang is not there"
  exit 77
fi
cores=$(getconf _NPROCESSORS_ONLN)

# The lines '"command": "[ccache] cc FLAGS -o FILE.o -c FILE.c"', with clang for the compiler. Some
# flags are gcc's alone.
sed -n 's/^ *"command": "\(.*\)",$/\1/p' "$1/compile_commands.json" |
  sed 's/\\"/"/g; s/\\\\/\\/g
       s/^\([^ ]*ccache \)\{0,1\}[^ ]*/clang -fsyntax-only -Werror -Wno-unknown-warning-option/' \
  >commands
[ -s commands ]
tr '\n' '\0' <commands | xargs -0 -n 1 -P "$cores" sh -c
echo "$(wc -l <commands) files"
