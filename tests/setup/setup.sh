#!/bin/sh
# The setup script on machines of many kinds: packages missing, no root, no apt-get, stale and
# half-made build folders. PATH holds only what a scene needs; apt-get, dpkg-query, id and sudo are
# stand-ins that note how they were called. A project of one file stands in for Selenite.
# usage: setup.sh SOURCE
# shellcheck disable=SC2016 # scripts of stand-ins are not for this shell to expand
set -eu
source=$1
unset CMAKE_GENERATOR
work=$PWD/"a place"
commands=$(mktemp -d) # make can't have its own path with a space in it
trap 'rm -rf "$commands"' EXIT
bare=$commands/bare
tools=$commands/tools
rm -rf "$work"
mkdir -p "$work/project" "$bare" "$tools"
cp "$source/setup" "$work/project"
cat >"$work/project/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.18)
project(small C)
enable_testing()
option(SEL_TESTS "" ON)
option(SEL_WERROR "" OFF)
set(SEL_SANITIZE "" CACHE STRING "")
add_executable(selenite main.c)
install(TARGETS selenite)
if(SEL_TESTS)
  add_custom_target(thread_tests DEPENDS selenite)
  add_test(NAME good COMMAND selenite)
  set_tests_properties(good PROPERTIES LABELS threads)
  if(EXISTS ${CMAKE_SOURCE_DIR}/fail)
    add_test(NAME bad COMMAND selenite and fail)
  endif()
endif()
END
echo 'int main(int argc, char **argv) { return argc - (argv != 0); }' >"$work/project/main.c"

# bare: what every Unix has. tools: the same and all that a build needs, real.
for tool in sh cat cut tr sed grep dirname mktemp rm date tee mkdir nproc env id; do
  ln -s "$(command -v $tool)" "$bare/$tool"
  ln -s "$(command -v $tool)" "$tools/$tool"
done
for tool in cc gcc as ld cmake ctest ninja make pkg-config dpkg-query luajit g++ clang-format luacheck \
  shellcheck; do
  ln -s "$(command -v $tool)" "$tools/$tool"
done

scene=
expect_status() { # expect_status STATUS COMMAND...: output goes to the file `output`
  expected=$1
  shift
  status=0
  "$@" >"$work/output" 2>&1 </dev/null || status=$?
  [ $status -eq "$expected" ] || wrong "exit status $status instead of $expected"
}
says() { grep -qe "$1" "$work/output" || wrong "doesn't say '$1'"; }
wrong() {
  printf '%s: %s\n' "$scene" "$1"
  cat "$work/output"
  exit 1
}
stand_in() { # stand_in PATH-FOLDER NAME: a command whose script is read from the input
  rm -f "$1/$2"
  cat >"$1/$2"
  chmod +x "$1/$2"
}
run() { # run PATH-FOLDER ARGUMENTS...
  folder=$1
  shift
  PATH="$folder" PKG_CONFIG_PATH='' "$work/project/setup" "$@"
}

scene="help and mistakes"
expect_status 0 run "$bare" help
says '^usage: ./setup'
expect_status 2 run "$bare" nonsense
says "no command 'nonsense'"

scene="no apt-get"
expect_status 1 run "$bare"
says 'no apt-get'
says 'cmake  *build system'
says 'apt-get install gcc'
[ ! -e "$work/project/build" ] || wrong "left something behind"

scene="neither root nor sudo"
echo 'echo "$@" >>"$CALLS"' | stand_in "$bare" apt-get
echo 'echo 1000' | stand_in "$bare" id
export CALLS="$work/calls"
expect_status 1 run "$bare" test
says 'neither root nor able to use sudo'
says 'check  *unit tests'
[ ! -e "$CALLS" ] || wrong "called apt-get"
[ ! -e "$work/project/build" ] || wrong "left something behind"
[ "$(tail -n 1 "$work/output")" = "0 passed, 1 failed" ] || wrong "the last line is no summary"

scene="sudo, and apt-get fails"
echo 'echo "sudo $*" >>"$CALLS"; [ "$1" = -n ] || "$@"' | stand_in "$bare" sudo
echo 'echo "$@" >>"$CALLS"; echo no network; exit 100' | stand_in "$bare" apt-get
expect_status 1 run "$bare"
says 'Installing gcc .* failed'
says 'no network'
says 'apt-get install gcc'
grep -q '^sudo env DEBIAN_FRONTEND=noninteractive apt-get .* install gcc' "$CALLS" ||
  wrong "didn't use sudo"

scene="one package missing, root"
rm "$tools/luajit" "$CALLS"
echo 'echo 0' | stand_in "$tools" id
real_dpkg_query=$(command -v dpkg-query)
echo "'$real_dpkg_query' \"\$@\" | sed 's/<luajit installed>//'" | stand_in "$tools" dpkg-query
stand_in "$tools" apt-get <<END
echo "\$@" >>"$CALLS"
case \$* in *install*) "$(command -v ln)" -s "$(command -v luajit)" "$tools/luajit" ;; esac
END
expect_status 0 run "$tools" test
says 'Installing luajit  *... done'
[ "$(wc -l <"$CALLS")" -eq 2 ] || wrong "not just update and install: $(cat "$CALLS")"
says '^3 passed, 0 failed$'

scene="nothing missing"
rm "$CALLS"
cd /
expect_status 0 run "$tools"
[ "$(wc -l <"$work/output")" -eq 1 ] || wrong "says more than that it builds"
[ ! -e "$CALLS" ] || wrong "called apt-get"
"$work/project/build/selenite"

scene="a failing test"
touch "$work/project/fail" "$work/project/CMakeLists.txt"
expect_status 1 run "$tools" test
[ "$(tail -n 1 "$work/output")" = "3 passed, 2 failed" ] || wrong "the last line is no summary"
rm "$work/project/fail"

scene="no tests at all"
sed -i '/add_test\|set_tests/d' "$work/project/CMakeLists.txt"
expect_status 1 run "$tools" test
[ "$(tail -n 1 "$work/output")" = "0 passed, 3 failed" ] || wrong "the last line is no summary"

scene="a compile error"
echo 'int main(void) { return nothing; }' >"$work/project/main.c"
expect_status 1 run "$tools"
says 'Building .* failed'
says 'nothing.* undeclared'
echo 'int main(void) { return 0; }' >"$work/project/main.c"

scene="moved checkout"
mv "$work/project" "$work/moved"
ln -s "$work/moved" "$work/project"
expect_status 0 run "$tools"
says 'Configuring'
"$work/moved/build/selenite"

scene="half-configured folder"
rm "$work/moved/build/build.ninja"
expect_status 0 run "$tools"
"$work/moved/build/selenite"

scene="made for ninja, which is gone; only make is left"
rm "$tools/ninja"
sed -i 's,^CMAKE_MAKE_PROGRAM:.*,CMAKE_MAKE_PROGRAM:FILEPATH=/nowhere/ninja,' \
  "$work/moved/build/CMakeCache.txt"
expect_status 0 run "$tools"
says 'Configuring'
expect_status 0 run "$tools"
[ "$(wc -l <"$work/output")" -eq 1 ] || wrong "configures again"

scene="bench with a Python that is there"
printf '#include <stdio.h>\nint main(int n, char **v) { while (n--) puts(*v++); return 0; }\n' \
  >"$work/project/main.c"
export SEL_BENCH_PYTHON=/a/python
expect_status 0 run "$tools" bench --rounds 3
says 'tests/bench/bench.lua$'
says '^/a/python$'
says '^--rounds$'
[ -d "$work/moved/build/bench" ] || wrong "no folder for results"
unset SEL_BENCH_PYTHON

scene="bench makes an environment with PyTorch, once"
export XDG_CACHE_HOME="$work/cache"
ln -s "$(command -v chmod)" "$tools/chmod"
stand_in "$tools" python3 <<'END'
[ "$1" = -m ] && [ "$2" = venv ] || exit 0
mkdir -p "$3/bin"
printf '#!/bin/sh\necho "pip $*" >>"$CALLS"; : >"%s/torch"\n' "$3" >"$3/bin/pip"
printf '#!/bin/sh\n[ -e "%s/torch" ]\n' "$3" >"$3/bin/python"
chmod +x "$3/bin/pip" "$3/bin/python"
END
expect_status 0 run "$tools" bench
grep -q '^pip install torch$' "$CALLS" || wrong "didn't install PyTorch"
says '/cache/selenite/pytorch/bin/python$'
expect_status 0 run "$tools" bench
[ "$(grep -c pip "$CALLS")" -eq 1 ] || wrong "installed PyTorch again"

scene="bench where PyPI has no PyTorch"
rm -r "$work/cache"
echo '[ "$1" != -m ]' | stand_in "$tools" python3
expect_status 1 run "$tools" bench
says 'Making .*failed'
says 'python3-torch *what bench compares with'
[ ! -e "$work/cache/selenite/pytorch" ] || wrong "left half an environment"
rm "$CALLS"
echo 'int main(void) { return 0; }' >"$work/project/main.c"

scene="install"
expect_status 2 run "$tools" install
cd "$work"
expect_status 0 run "$tools" install --prefix "in here"
"$work/in here/bin/selenite"

scene="clean"
expect_status 0 run "$tools" clean
[ ! -e "$work/moved/build" ] || wrong "build/ is still there"
