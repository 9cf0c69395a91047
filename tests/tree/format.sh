#!/bin/sh
# clang-format, luacheck and shellcheck have nothing to say. clang-format's opinions change from
# version to version: 14 (Debian 12) is the one asked.
# usage: format.sh SOURCE
set -eu
cd "$1"
status=0

list() { # list NAME-PATTERN...: files of the tree, build folders left out
  for pattern; do
    find . \( -name 'build*' -o -name .git \) -prune -o -type f -name "$pattern" -print
  done
}

if ! command -v luacheck >/dev/null || ! command -v shellcheck >/dev/null ||
  ! clang-format --version | grep -q 'version 14'; then
  echo "skipped: needs luacheck, shellcheck and clang-format 14"
  exit 77
fi
list '*.c' '*.h' | xargs -d '\n' clang-format --dry-run --Werror || status=1
list '*.lua' | xargs -d '\n' luacheck --no-color --quiet || status=1
list '*.sh' setup run | xargs -d '\n' shellcheck || status=1
exit $status
