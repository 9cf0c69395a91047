/* Errors, version, interruption, host memory. The error text belongs to the thread. */
#include "selenite/base.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

static _Thread_local char error_text[2048];

const char *sel_error(void) { return error_text; }

sel_status sel_fail(sel_status status, const char *format, ...) {
  char text[sizeof error_text]; /* an argument may be sel_error() itself */
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  memcpy(error_text, text, sizeof text);
  return status;
}

void sel_error_prefix(const char *prefix) {
  char text[sizeof error_text];
  memcpy(text, error_text, sizeof text);
  int used = snprintf(error_text, sizeof error_text, "%s: ", prefix);
  if (used < 0 || (size_t)used >= sizeof error_text) return;
  snprintf(error_text + used, sizeof error_text - (size_t)used, "%s", text);
}

const char *sel_status_name(sel_status status) {
  static const char *const names[] = {"ok",     "argument", "shape",       "dtype",
                                      "device", "memory",   "unsupported", "autograd",
                                      "file",   "plugin",   "interrupted", "internal"};
  return (unsigned)status < sizeof names / sizeof *names ? names[status] : "unknown";
}

const char *sel_version(void) { return SEL_VERSION_TEXT; }

static atomic_bool interrupt_flag;

void sel_interrupt(void) { atomic_store_explicit(&interrupt_flag, true, memory_order_relaxed); }
void sel_interrupt_clear(void) {
  atomic_store_explicit(&interrupt_flag, false, memory_order_relaxed);
}
bool sel_interrupted(void) { return atomic_load_explicit(&interrupt_flag, memory_order_relaxed); }

static void *default_allocate(void *context, void *pointer, size_t size) {
  (void)context;
  if (size == 0) {
    free(pointer);
    return NULL;
  }
  return realloc(pointer, size);
}

static sel_allocator host_allocate = default_allocate;
static void *host_context;

void sel_set_allocator(sel_allocator allocate, void *context) {
  host_allocate = allocate ? allocate : default_allocate;
  host_context = allocate ? context : NULL;
}

void *sel__resize(void *pointer, size_t size) {
  void *result = host_allocate(host_context, pointer, size ? size : 1);
  if (!result) sel_fail(SEL_E_MEMORY, "out of host memory: %zu bytes were asked for", size);
  return result;
}

void *sel__alloc(size_t size) { return sel__resize(NULL, size); }

void *sel__zalloc(size_t size) {
  void *result = sel__alloc(size);
  if (result) memset(result, 0, size);
  return result;
}

void sel__free(void *pointer) {
  if (pointer) host_allocate(host_context, pointer, 0);
}

char *sel__strdup(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = sel__alloc(size);
  if (copy) memcpy(copy, text, size);
  return copy;
}
