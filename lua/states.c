/* states.run(n, code, ...): runs the Lua text `code` in n new Lua states at the same time, each on
 * a thread of its own, with its number (from 1) and the given strings as arguments; waits for all
 * and returns what each returned (a string). Raises the first error. The states share nothing but
 * what the process has: libselenite and its plugins.
 */
#include "states.h"

#include <lauxlib.h>
#include <lualib.h>
#include <pthread.h>
#include <stdbool.h>

enum { MOST_STATES = 16 };

typedef struct job {
  lua_State *state; /* code, then its arguments, on its stack; afterwards one string */
  int arguments;
  pthread_t thread;
  bool started, failed;
} job;

static void *work(void *context) {
  job *j = context;
  j->failed = lua_pcall(j->state, j->arguments, 1, 0) != 0;
  return NULL;
}

/* State `number` with the libraries, L's package.path, and on its stack the function and arguments
 * that L has from index 2 on; NULL without memory. A text that is no Lua fails as running it would.
 */
static lua_State *prepare(lua_State *L, int number, int arguments) {
  lua_State *state = luaL_newstate();
  if (!state) return NULL;
  luaL_openlibs(state);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "path");
  lua_getglobal(state, "package");
  lua_pushstring(state, lua_tostring(L, -1));
  lua_setfield(state, -2, "path");
  lua_settop(state, 0);
  lua_pop(L, 2);
  if (luaL_loadstring(state, lua_tostring(L, 2)) != 0) {
    lua_pushcfunction(state, lua_error);
    lua_insert(state, 1);
    lua_settop(state, 2); /* error(message) */
    return state;
  }
  lua_pushinteger(state, number);
  for (int i = 0; i < arguments; i++) lua_pushstring(state, lua_tostring(L, 3 + i));
  return state;
}

static int run(lua_State *L) {
  const int n = (int)luaL_checkinteger(L, 1);
  luaL_argcheck(L, n >= 1 && n <= MOST_STATES, 1, "1 to 16 states are expected");
  luaL_checkstring(L, 2);
  const int arguments = lua_gettop(L) - 2;
  for (int i = 0; i < arguments; i++) luaL_checkstring(L, 3 + i);
  luaL_checkstack(L, n + 4, "too many states");

  job jobs[MOST_STATES] = {{0}};
  bool all = true;
  for (int i = 0; i < n && all; i++) {
    jobs[i].state = prepare(L, i + 1, arguments);
    if (jobs[i].state) jobs[i].arguments = lua_gettop(jobs[i].state) - 1;
    all = jobs[i].state != NULL;
  }
  for (int i = 0; i < n && all; i++) {
    jobs[i].started = pthread_create(&jobs[i].thread, NULL, work, &jobs[i]) == 0;
    all = jobs[i].started;
  }
  const char *failure = all ? NULL : "states.run: can't make a state or start a thread";
  for (int i = 0; i < n; i++) {
    if (jobs[i].started) pthread_join(jobs[i].thread, NULL);
    if (!jobs[i].state) continue;
    size_t length;
    const char *text = jobs[i].started ? lua_tolstring(jobs[i].state, -1, &length) : NULL;
    lua_pushlstring(L, text ? text : "", text ? length : 0);
    if (jobs[i].failed && !failure) failure = lua_tostring(L, -1);
    lua_close(jobs[i].state);
  }
  if (failure) return luaL_error(L, "%s", failure);
  return n;
}

int states_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"run", run}, {NULL, NULL}};
  lua_newtable(L);
  luaL_register(L, NULL, functions);
  return 1;
}
