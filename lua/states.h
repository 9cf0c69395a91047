/* The module `selenite.states`: Lua states of their own on threads of their own. */
#ifndef SELENITE_STATES_H
#define SELENITE_STATES_H

#include <lua.h>

/* Opens the module: a table with the function run. It finds the library as `L` does. */
int states_open(lua_State *L);

#endif
