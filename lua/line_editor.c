/* line_editor.open(complete): an editor on standard input and output, with two methods.
 *
 * editor:read(prompt) gives what the user entered, without the last newline; nil at the end of
 * input; nil and "interrupted" after Ctrl-C. A prompt may hold escape sequences between bytes 1.
 * editor:set_history{ oldest, ..., newest } is what the arrow keys and Ctrl-R go through.
 *
 * On the Tab key complete(text before the cursor) returns the text to insert, and a text to show
 * below or nil. A block that the terminal marks as pasted ("bracketed paste") is put into the line
 * as it is, newlines and all, and entered as one. Everything else is Lua's: what completes, which
 * history is kept.
 */
#include "line_editor.h"

#include <errno.h>
#include <histedit.h>
#include <lauxlib.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>
#include <wchar.h>

#include "selenite/base.h"

#define TYPE "selenite.line_editor"
#define PASTE_ON "\033[?2004h"
#define PASTE_OFF "\033[?2004l"
#define PASTE_BEGIN "\033[200~"
#define PASTE_END "\033[201~"
#define ESCAPE_MARK '\1'

enum { MOST_HISTORY = 10000 };

typedef struct editor {
  EditLine *el;
  History *history;
  lua_State *L; /* runs read; valid meanwhile */
  int complete; /* reference to the function */
  const char *prompt;
  bool marks_pastes; /* whether the terminal understands escape sequences */
} editor;

/* ---- input ---- */

/* One byte. 1, 0 at the end of input, -1 after Ctrl-C or an error. SIGINT gets through only while
 * this waits, so that none is missed between the question and the waiting. */
static int read_byte(char *out) {
  sigset_t interrupt, before;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupt, &before);
  int result = -1;
  while (!sel_interrupted()) {
    fd_set input;
    FD_ZERO(&input);
    FD_SET(STDIN_FILENO, &input);
    int ready = pselect(STDIN_FILENO + 1, &input, NULL, NULL, NULL, &before);
    if (ready > 0) result = (int)read(STDIN_FILENO, out, 1);
    if (ready > 0 || errno != EINTR) break;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return result;
}

/* What libedit reads with: a character in the locale's encoding. Bytes that are none are skipped.
 */
static int read_character(EditLine *el, wchar_t *out) {
  (void)el;
  mbstate_t state;
  memset(&state, 0, sizeof state);
  for (;;) {
    char byte;
    int n = read_byte(&byte);
    if (n <= 0) return n;
    size_t length = mbrtowc(out, &byte, 1, &state);
    if (length == (size_t)-1) memset(&state, 0, sizeof state);
    if (length == 0 || length == 1) return 1;
  }
}

/* A pasted block up to its end mark: control characters dropped, newlines at the end too. malloced;
 * NULL without memory, after Ctrl-C or at the end of input. */
static char *read_pasted(void) {
  const size_t mark = sizeof PASTE_END - 1;
  size_t length = 0, room = 0;
  char *text = NULL;
  do {
    if (length + 2 > room) {
      room = room ? 2 * room : 1024;
      char *larger = realloc(text, room);
      if (!larger) break;
      text = larger;
    }
    char byte;
    if (read_byte(&byte) <= 0) break;
    text[length++] = (char)(byte == '\r' ? '\n' : byte);
    text[length] = '\0';
    if (length >= mark && memcmp(text + length - mark, PASTE_END, mark) == 0) {
      length -= mark;
      while (length > 0 && text[length - 1] == '\n') length--;
      text[length] = '\0';
      size_t kept = 0;
      for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= ' ' || c == '\n' || c == '\t') text[kept++] = text[i];
      }
      text[kept] = '\0';
      return text;
    }
  } while (true);
  free(text);
  return NULL;
}

/* ---- what keys call ---- */

static unsigned char on_paste(EditLine *el, int key) {
  (void)key;
  char *text = read_pasted();
  if (!text) return CC_ERROR;
  int failed = *text && el_insertstr(el, text) != 0;
  free(text);
  return failed ? CC_ERROR : CC_REFRESH;
}

static unsigned char on_tab(EditLine *el, int key) {
  (void)key;
  editor *e;
  if (el_get(el, EL_CLIENTDATA, &e) != 0) return CC_ERROR;
  lua_State *L = e->L;
  const LineInfo *line = el_line(el);
  const int top = lua_gettop(L);
  unsigned char result = CC_ERROR;
  lua_rawgeti(L, LUA_REGISTRYINDEX, e->complete);
  lua_pushlstring(L, line->buffer, (size_t)(line->cursor - line->buffer));
  if (lua_pcall(L, 1, 2, 0) == 0 && lua_isstring(L, -2)) {
    const char *text = lua_tostring(L, -2), *list = lua_tostring(L, -1);
    if (*text && el_insertstr(el, text) == 0) result = CC_REFRESH;
    if (list) {
      printf("\n%s\n", list);
      fflush(stdout);
      result = CC_REDISPLAY;
    }
  }
  lua_settop(L, top);
  return result;
}

static char *prompt_of(EditLine *el) {
  static char empty[] = "";
  editor *e;
  return el_get(el, EL_CLIENTDATA, &e) == 0 ? (char *)e->prompt : empty;
}

/* ---- the module ---- */

static editor *check_editor(lua_State *L) { return luaL_checkudata(L, 1, TYPE); }

static void write_mark(const editor *e, const char *mark) {
  if (!e->marks_pastes) return;
  fputs(mark, stdout);
  fflush(stdout);
}

static int editor_read(lua_State *L) {
  editor *e = check_editor(L);
  e->prompt = luaL_checkstring(L, 2);
  e->L = L;
  fflush(stdout);
  el_resize(e->el);
  write_mark(e, PASTE_ON);
  el_set(e->el, EL_PREP_TERM, 1); /* el_gets does it after the prompt: early keys would be echoed */
  int length = 0;
  const char *text = el_gets(e->el, &length);
  write_mark(e, PASTE_OFF);
  e->L = NULL;
  if (sel_interrupted()) {
    el_reset(e->el);
    lua_pushnil(L);
    lua_pushliteral(L, "interrupted");
    return 2;
  }
  if (!text || length <= 0) return 0;
  if (text[length - 1] == '\n') length--;
  lua_pushlstring(L, text, (size_t)length);
  return 1;
}

static int editor_set_history(lua_State *L) {
  editor *e = check_editor(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  HistEvent event;
  history(e->history, &event, H_CLEAR);
  for (int i = 1; lua_rawgeti(L, 2, i), lua_isstring(L, -1); i++) {
    history(e->history, &event, H_ENTER, lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  return 0;
}

static int editor_close(lua_State *L) {
  editor *e = check_editor(L);
  if (e->el) el_end(e->el);
  if (e->history) history_end(e->history);
  luaL_unref(L, LUA_REGISTRYINDEX, e->complete);
  e->complete = LUA_NOREF;
  e->el = NULL;
  e->history = NULL;
  return 0;
}

static void bind_keys(EditLine *el) {
  el_set(el, EL_ADDFN, "selenite-complete", "completes names", on_tab);
  el_set(el, EL_ADDFN, "selenite-paste", "takes a pasted block", on_paste);
  static const char *const keys[][2] = {
      {"^I", "selenite-complete"},          {PASTE_BEGIN, "selenite-paste"},
      {"^R", "em-inc-search-prev"},         {"\033[A", "ed-search-prev-history"},
      {"\033[B", "ed-search-next-history"}, {"\033OA", "ed-search-prev-history"},
      {"\033OB", "ed-search-next-history"}, {"\033[H", "ed-move-to-beg"},
      {"\033[F", "ed-move-to-end"},         {"\033[3~", "ed-delete-next-char"},
  };
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    el_set(el, EL_BIND, keys[i][0], keys[i][1], NULL);
  }
}

static int open_editor(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  setlocale(LC_CTYPE, ""); /* libedit's encoding; LuaJIT has character tables of its own */
  editor *e = lua_newuserdata(L, sizeof *e);
  *e = (editor){.prompt = "", .complete = LUA_NOREF};
  luaL_getmetatable(L, TYPE);
  lua_setmetatable(L, -2);
  e->el = el_init("selenite", stdin, stdout, stderr);
  e->history = history_init();
  if (!e->el || !e->history) return luaL_error(L, "can't start the line editor");
  lua_pushvalue(L, 1);
  e->complete = luaL_ref(L, LUA_REGISTRYINDEX);
  const char *terminal = getenv("TERM");
  e->marks_pastes = terminal && *terminal && strcmp(terminal, "dumb") != 0;
  HistEvent event;
  history(e->history, &event, H_SETSIZE, MOST_HISTORY);
  el_set(e->el, EL_CLIENTDATA, e);
  el_set(e->el, EL_SIGNAL, 0); /* SIGINT stays with interrupts.c */
  el_set(e->el, EL_GETCFN, read_character);
  el_set(e->el, EL_PROMPT_ESC, prompt_of, ESCAPE_MARK);
  el_set(e->el, EL_HIST, history, e->history);
  el_set(e->el, EL_EDITOR, "emacs");
  bind_keys(e->el);
  el_source(e->el, NULL); /* ~/.editrc: the user's own keys */
  return 1;
}

int line_editor_open(lua_State *L) {
  static const luaL_Reg methods[] = {{"read", editor_read},
                                     {"set_history", editor_set_history},
                                     {"__gc", editor_close},
                                     {NULL, NULL}};
  static const luaL_Reg functions[] = {{"open", open_editor}, {NULL, NULL}};
  luaL_newmetatable(L, TYPE);
  luaL_register(L, NULL, methods);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_newtable(L);
  luaL_register(L, NULL, functions);
  return 1;
}
