#!/bin/sh
# The pages that are made from what describes itself are what would be made now.
#
# usage: generated.sh SOURCE SELENITE
set -eu
unset SELENITE_PLUGIN_PATH
"$2" doc layers >layers.md
if ! diff "$1/docs/layers.md" layers.md; then
  echo "docs/layers.md is older than the descriptions: build/selenite doc layers >docs/layers.md"
  exit 1
fi
