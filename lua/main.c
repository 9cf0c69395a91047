/* The `selenite` executable: LuaJIT with the library on its path, and Ctrl-C.
 *
 * All that concerns the user (options, running a script, printing errors) is Lua, in
 * selenite/command.lua. This file finds the tree it belongs to, starts the VM, and turns SIGINT
 * into an error: operations fail through sel_interrupt(), Lua code between them through a hook. A
 * second Ctrl-C before the first was noticed ends the process.
 */
#include <lauxlib.h>
#include <limits.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "selenite/base.h"
#include "states.h"

static lua_State *interrupted_state; /* what the handler stops; fixed before it is installed */
static pthread_t main_thread;
static char library_source[PATH_MAX + 64]; /* how debug information names the library's folder */

/* Runs in the VM at each instruction after the signal, until it gets to the user's code. The
 * library is left to finish what it is at, so that nothing is lost half-way; its operations fail by
 * themselves (selenite/errors.lua). The error has no position: the line that happened to run says
 * nothing. */
static void stop(lua_State *L, lua_Debug *where) {
  lua_getinfo(L, "S", where);
  bool in_library = strncmp(where->source, library_source, strlen(library_source)) == 0;
  if (in_library || *where->what == 'C') return;
  lua_sethook(L, NULL, 0, 0);
  sel_interrupt_clear();
  lua_pushliteral(L, "interrupted");
  lua_error(L);
}

static void on_interrupt(int signal_number) {
  if (!pthread_equal(pthread_self(), main_thread)) { /* the VM is not to be touched from here */
    pthread_kill(main_thread, signal_number);
    return;
  }
  if (sel_interrupted()) {
    signal(signal_number, SIG_DFL);
    raise(signal_number);
    return;
  }
  sel_interrupt();
  lua_sethook(interrupted_state, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
}

static void install_interrupt_handler(lua_State *L) {
  interrupted_state = L;
  main_thread = pthread_self();
  struct sigaction action = {.sa_handler = on_interrupt};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
}

/* Folder above share/lua/5.1: the executable's own in a build tree, its parent in an installed one.
 */
static bool find_prefix(char *prefix, size_t size) {
  char folder[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
  if (length <= 0) return false;
  folder[length] = '\0';
  for (int level = 0; level < 2; level++) {
    char *slash = strrchr(folder, '/');
    if (!slash) return false;
    *slash = '\0';
    char probe[PATH_MAX + 64];
    snprintf(probe, sizeof probe, "%s/share/lua/5.1/selenite/init.lua", folder);
    if (access(probe, R_OK) == 0) return (size_t)snprintf(prefix, size, "%s", folder) < size;
  }
  return false;
}

/* Puts the tree's Lua folder in front of package.path. */
static void set_path(lua_State *L, const char *prefix) {
  snprintf(library_source, sizeof library_source, "@%s/share/lua/5.1/selenite/", prefix);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "path");
  lua_pushfstring(L, "%s/share/lua/5.1/?.lua;%s/share/lua/5.1/?/init.lua;%s", prefix, prefix,
                  lua_tostring(L, -1));
  lua_setfield(L, -3, "path");
  lua_pop(L, 2);
}

int main(int argc, char **argv) {
  char prefix[PATH_MAX];
  if (!find_prefix(prefix, sizeof prefix)) {
    fprintf(stderr, "selenite: can't find share/lua/5.1/selenite beside or above the executable\n");
    return EXIT_FAILURE;
  }
  lua_State *L = luaL_newstate();
  if (!L) {
    fprintf(stderr, "selenite: out of memory\n");
    return EXIT_FAILURE;
  }
  luaL_openlibs(L);
  set_path(L, prefix);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, states_open);
  lua_setfield(L, -2, "selenite.states");
  lua_pop(L, 2);
  install_interrupt_handler(L);

  /* status = require "selenite.command" (argv[0], argv[1], ...) */
  lua_getglobal(L, "require");
  lua_pushliteral(L, "selenite.command");
  int failed = lua_pcall(L, 1, 1, 0);
  if (!failed) {
    luaL_checkstack(L, argc, "too many arguments");
    for (int i = 0; i < argc; i++) lua_pushstring(L, argv[i]);
    failed = lua_pcall(L, argc, 1, 0);
  }
  int status = failed ? EXIT_FAILURE : (int)lua_tointeger(L, -1);
  if (failed) fprintf(stderr, "selenite: %s\n", lua_tostring(L, -1));
  lua_close(L);
  return status;
}
