/* Turns SIGINT into an error: operations fail through sel_interrupt(), Lua code between them
 * through a hook. In a script, a second Ctrl-C before the first was noticed ends the process.
 *
 * LuaJIT's compiled code looks at no hooks, so that a compiled loop without operations would run
 * on. With its profiler on, it compiles a test of the profiler's flag into every line; that flag is
 * set by the profiler's own handler of SIGPROF. watch(true) starts the profiler with a timer that
 * all but never fires, and the handler of SIGINT raises SIGPROF: compiled code falls back to the
 * interpreter, which sees the hook. Not for scripts, whose loops would pay for the tests.
 */
#include "interrupts.h"

#include <lauxlib.h>
#include <luajit.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "selenite/base.h"

static lua_State *interrupted_state; /* what the handler stops; fixed before it is installed */
static pthread_t main_thread;
static const char *library;
static volatile sig_atomic_t watched;

/* Runs in the VM at each instruction after the signal, until it gets to the user's code. The
 * library is left to finish what it is at, so that nothing is lost half-way; its operations fail by
 * themselves (selenite/errors.lua). The error has no position: the line that happened to run says
 * nothing. */
static void stop(lua_State *L, lua_Debug *where) {
  lua_getinfo(L, "S", where);
  bool in_library = strncmp(where->source, library, strlen(library)) == 0;
  if (in_library || *where->what == 'C') return;
  lua_sethook(L, NULL, 0, 0);
  sel_interrupt_clear();
  lua_pushliteral(L, "interrupted");
  lua_error(L);
}

/* Whether SIGPROF has a handler: scripts may have stopped the profiler, or use it themselves. */
static bool profiler_runs(void) {
  struct sigaction action;
  return sigaction(SIGPROF, NULL, &action) == 0 && action.sa_handler != SIG_DFL &&
         action.sa_handler != SIG_IGN;
}

static void on_interrupt(int signal_number) {
  if (!pthread_equal(pthread_self(), main_thread)) { /* the VM is not to be touched from here */
    pthread_kill(main_thread, signal_number);
    return;
  }
  if (sel_interrupted()) {
    if (!watched) {
      signal(signal_number, SIG_DFL);
      raise(signal_number);
      return;
    }
    static const char note[] = "\nstill stopping; Ctrl-\\ ends the process\n";
    if (write(STDERR_FILENO, note, sizeof note - 1) < 0) return;
  }
  sel_interrupt();
  lua_sethook(interrupted_state, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
  if (watched && profiler_runs()) raise(SIGPROF);
}

void interrupts_install(lua_State *L, const char *library_source) {
  interrupted_state = L;
  main_thread = pthread_self();
  library = library_source;
  struct sigaction action = {.sa_handler = on_interrupt};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
}

static void on_sample(void *data, lua_State *L, int samples, int vmstate) {
  (void)data, (void)L, (void)samples, (void)vmstate;
}

static int watch(lua_State *L) {
  const bool on = lua_toboolean(L, 1);
  if (on && !watched) luaJIT_profile_start(L, "li1000000000", on_sample, NULL);
  if (!on && watched) luaJIT_profile_stop(L);
  watched = on;
  return 0;
}

int interrupts_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"watch", watch}, {NULL, NULL}};
  lua_newtable(L);
  luaL_register(L, NULL, functions);
  return 1;
}
