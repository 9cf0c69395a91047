#!/bin/sh
# Installs, moves the tree, and builds against it from outside: a C program by pkg-config, and what
# `selenite new-layer` and its kin write. Paths have spaces in them. Running scripts in such a tree is
# tests/lua/install.sh's.
# usage: install.sh SOURCE BUILD CC VERSION
set -eu
source=$1 build=$2 cc=$3 version=$4
unset SELENITE_PLUGIN_PATH LUA_PATH LD_LIBRARY_PATH
rm -rf first "the second place" program plugins gain bend far embed layers ./*.log
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

# What new-layer, new-op and new-backend write builds, passes its own test and `selenite check`; by
# pkg-config and by CMake.
new() { # new KIND NAME
  "$prefix/bin/selenite" "new-$1" "$2" >>new.log
  eval "'$cc' -std=c11 -Wall -Wextra -Werror -shared -fPIC '$2/$2.c' -o 'plugins/$2.so' \
    $(pkg-config --cflags --libs selenite)"
  cmake -S "$2" -B "$2/build" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc" >>cmake.log
  cmake --build "$2/build" >>cmake.log
  (cd "$2/build" && ctest --output-on-failure >ctest.log) || {
    cat "$2/build/ctest.log"
    exit 1
  }
}
mkdir plugins
new layer gain
new op bend
new backend far
export SELENITE_PLUGIN_PATH="$work/plugins"
code='local sel = require "selenite"
print(sel.tensor({3}):to("far"):to("cpu"):item(), sel.nn.bend()(sel.zeros(1)):item())
print(sel.nn.gain{features = 2, init = 3}(sel.ones(1, 2)):sum():item())'
check "plugins found by path" "3 1 6" "$("$prefix/bin/selenite" -e "$code" | tr '\t\n' '  ' | sed 's/ $//')"
unset SELENITE_PLUGIN_PATH
code='print(require("selenite").nn.gain(2, 3)(require("selenite").ones(1, 2)):sum():item())'
cmake --install gain/build --prefix "$prefix" >>cmake.log
check "layer, installed" 6 "$("$prefix/bin/selenite" -e "$code")"

# The programs of examples/embed: a trained network without Lua gives what it gives in Lua, and a
# program trains in its own Lua state.
cmake -S "$source/examples/embed" -B embed -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc" \
  -DCMAKE_C_FLAGS="-Wall -Wextra -Werror" >>cmake.log
cmake --build embed >>cmake.log
"$prefix/bin/selenite" -e '
local sel = require "selenite"
local nn = sel.nn
sel.manual_seed(1)
local model = nn.sequential(
  nn.flatten(), nn.linear(784, 256), nn.relu(), nn.dropout(0.2),
  nn.linear(256, 128), nn.relu(), nn.dropout(0.2), nn.linear(128, 10)):eval()
sel.save("model.safetensors", model:state_dict())
local picture = sel.randint(0, 256, {28, 28}):to("u8")
sel.save_png("picture.png", picture)
local p = model((picture:float() / 255 - 0.2860):unsqueeze(1) / 0.3530):softmax(2)[1]
local names = {"T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
               "ankle boot"}
print(("%s (%.1f %%)"):format(names[p:argmax():item() + 1], p:max():item() * 100))' >in_lua.txt
check "classify" "$(cat in_lua.txt)" "$(embed/classify model.safetensors picture.png)"
message=$(embed/classify picture.png picture.png 2>&1) && check "classify, no model" "an error" "$message"
check "host" "frame 5: loss 0.00" "$(embed/host "$prefix" | sed -n 's/\(frame 5: loss 0.00\).*/\1/p')"

# The layers of examples/plugins.
cmake -S "$source/examples/plugins" -B layers -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc" \
  -DCMAKE_C_FLAGS="-Wall -Wextra -Werror" >>cmake.log
cmake --build layers >>cmake.log
(cd layers && ctest --output-on-failure >ctest.log) || {
  cat layers/ctest.log
  exit 1
}

# What can't be written is said, and nothing that is there is touched.
refused() { # refused MESSAGE ARGUMENTS...
  expected=$1
  shift
  message=$("$prefix/bin/selenite" "$@" 2>&1) && status=0 || status=$?
  case "$status $message" in
    [12]" "*"$expected"*) ;;
    *) check "selenite $*" "$expected" "$message" ;;
  esac
}
refused "is it there already?" new-layer gain
refused "a name is a small letter" new-layer ../gain
refused "a name is a small letter" new-op Gain
refused "usage: selenite new-layer NAME" new-layer
