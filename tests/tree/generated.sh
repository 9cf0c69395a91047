#!/bin/sh
# The pages that are made from descriptions and comments are what would be made now.
#
# usage: generated.sh SOURCE SELENITE
set -eu
unset SELENITE_PLUGIN_PATH
for page in layers functions; do
  "$2" doc $page >$page.md
  if ! diff "$1/docs/$page.md" $page.md; then
    echo "docs/$page.md is older than the sources: build/selenite doc $page >docs/$page.md"
    exit 1
  fi
done
