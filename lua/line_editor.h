/* The module `selenite.line_editor`: lines from a terminal, edited with libedit. */
#ifndef SELENITE_LINE_EDITOR_H
#define SELENITE_LINE_EDITOR_H

#include <lua.h>

/* Opens the module: a table with the function open, see line_editor.c. */
int line_editor_open(lua_State *L);

#endif
