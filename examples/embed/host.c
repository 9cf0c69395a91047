/* A program with a LuaJIT state of its own, as a game has one, that trains a network in it a little
 * in each frame. Two things are needed: Selenite's Lua files on package.path, and a Lua script.
 *
 *   host PREFIX    (the folder that Selenite was installed into)
 */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>

/* What a game would load from its own files. */
static const char script[] =
    "local sel = require 'selenite'\n"
    "local nn = sel.nn\n"
    "sel.manual_seed(1)\n"
    "local x = sel.linspace(-1, 1, 32):unsqueeze(2)\n"
    "local y = x * x\n"
    "local model = nn.sequential(nn.linear(1, 16), nn.tanh(), nn.linear(16, 1))\n"
    "local adam = sel.optim.adam(model:parameters(), { lr = 0.02 })\n"
    "function learn(steps)\n" /* called by the program: returns the loss */
    "  local loss\n"
    "  for _ = 1, steps do\n"
    "    loss = sel.mse_loss(model(x), y)\n"
    "    adam:zero_grad()\n"
    "    loss:backward()\n"
    "    adam:step()\n"
    "  end\n"
    "  return loss:item()\n"
    "end\n";

static int fail(lua_State *L) {
  fprintf(stderr, "host: %s\n", lua_tostring(L, -1));
  lua_close(L);
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: host PREFIX\n");
    return 2;
  }
  lua_State *L = luaL_newstate();
  if (!L) return 1;
  luaL_openlibs(L);

  lua_getglobal(L, "package");
  lua_pushfstring(L, "%s/share/lua/5.1/?.lua;%s/share/lua/5.1/?/init.lua", argv[1], argv[1]);
  lua_setfield(L, -2, "path");
  lua_pop(L, 1);
  if (luaL_dostring(L, script)) return fail(L);

  for (int frame = 1; frame <= 5; frame++) {
    lua_getglobal(L, "learn");
    lua_pushinteger(L, 60);
    if (lua_pcall(L, 1, 1, 0)) return fail(L);
    printf("frame %d: loss %.5f\n", frame, lua_tonumber(L, -1));
    lua_pop(L, 1);
  }
  lua_close(L);
  return 0;
}
