/* Ctrl-C as a Lua error: the handler of SIGINT, and the module `selenite.interrupts`. */
#ifndef SELENITE_INTERRUPTS_H
#define SELENITE_INTERRUPTS_H

#include <lua.h>

/* Turns SIGINT into the error "interrupted" in L's user code from now on. Code whose source begins
 * with library_source, which must stay valid, is left to finish what it is at. */
void interrupts_install(lua_State *L, const char *library_source);

/* Opens the module: watch(true) lets interruptions reach loops that LuaJIT has compiled, and keeps
 * repeated ones from ending the process, until watch(false). */
int interrupts_open(lua_State *L);

#endif
