#!/bin/sh
# An installed tree works after it was moved, from the executable and from plain luajit, and an error
# in it shows none of the library's insides.
#   install.sh CMAKE BUILD
set -eu
cmake=$1 build=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset LUA_PATH || true

"$cmake" --install "$build" --prefix "$folder/first" > "$folder/log" || { cat "$folder/log"; exit 1; }
mv "$folder/first" "$folder/second"
cd "$folder"

fail() { echo "FAILED: $1"; exit 1; }

code='local sel = require "selenite" print(sel.nn.linear(2, 3)(sel.ones(1, 2)):shape()[2])'
[ "$(second/bin/selenite -e "$code")" = 3 ] || fail "the installed executable"
second/bin/selenite --version > version
grep -q "$folder/second/lib/libselenite.so" version || fail "--version names another library"
grep -q "$folder/second/lib/selenite/fc.so" version || fail "--version names another plugin"
! grep -q "$build" version || fail "the build tree is used"

data='local data = require("selenite").data
print(data.byte_tokenizer().size .. " " .. #data.mel_filters { n_mels = 3 })'
[ "$(second/bin/selenite -e "$data")" = "256 3" ] || fail "the installed libraries of sel.data"
for library in audio csv images text; do
  [ -f "second/lib/selenite/data/$library.so" ] || fail "lib/selenite/data/$library.so is missing"
done

# Where one can't be loaded, the function that needs it says which, and all else works.
rm second/lib/selenite/data/text.so
second/bin/selenite -e "$data" 2> message && fail "no error without text.so"
grep -q "byte_tokenizer: can't load .*/lib/selenite/data/text.so" message || fail "$(cat message)"
grep -q "apt install .*libpcre2" message || fail "no package in: $(cat message)"
[ "$(second/bin/selenite -e "$code")" = 3 ] || fail "the rest without text.so"

second/bin/selenite -e 'require("selenite").ones(2):sum(5)' 2> message && fail "no error"
! grep -q share/lua message || fail "library frames in: $(cat message)"

if luajit=$(command -v luajit); then
  path="$folder/second/share/lua/5.1/?.lua;$folder/second/share/lua/5.1/?/init.lua"
  [ "$(LUA_PATH="$path" "$luajit" -e "$code")" = 3 ] || fail "plain luajit"
  cd second/share/lua/5.1 # a relative path
  [ "$(LUA_PATH="./?.lua;./?/init.lua" "$luajit" -e "$code")" = 3 ] || fail "relative LUA_PATH"
fi
echo "1 passed, 0 failed"
