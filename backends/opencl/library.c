/* Finding libOpenCL and CLBlast: see library.h. Once loaded they stay. */
#include "library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

opencl_calls cl;

typedef struct symbol {
  const char *name;
  size_t at; /* in the table of calls */
} symbol;

/* Fills a table; false with the linker's words in why[size]. */
static bool load(const char *file, const symbol *symbols, size_t count, void *table, char *why,
                 size_t size) {
  void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  for (size_t i = 0; library && i < count; i++) {
    void *address = dlsym(library, symbols[i].name);
    if (!address) {
      snprintf(why, size, "%s has no function %s", file, symbols[i].name);
      dlclose(library);
      return false;
    }
    memcpy((char *)table + symbols[i].at, &address, sizeof address);
  }
  if (!library) snprintf(why, size, "%s", dlerror());
  return library != NULL;
}

bool opencl_load(char *why, size_t size) {
#define CALL(name) {"cl" #name, offsetof(opencl_calls, name)},
  static const symbol symbols[] = {OPENCL_CALLS(CALL)};
#undef CALL
  return load("libOpenCL.so.1", symbols, sizeof symbols / sizeof *symbols, &cl, why, size);
}

/* ---- CLBlast ---- */

static pthread_once_t blas_once = PTHREAD_ONCE_INIT;
static opencl_blas_calls blas;
static char blas_missing[256]; /* "": it is there */

static void load_blas(void) {
#define CALL(name) {"CLBlast" #name, offsetof(opencl_blas_calls, name)},
  static const symbol symbols[] = {OPENCL_BLAS_CALLS(CALL)};
#undef CALL
  load("libclblast.so.1", symbols, sizeof symbols / sizeof *symbols, &blas, blas_missing,
       sizeof blas_missing);
}

sel_status opencl_blas(const char *what, const opencl_blas_calls **out) {
  pthread_once(&blas_once, load_blas);
  if (*blas_missing)
    return sel_fail(SEL_E_DEVICE,
                    "%s: CLBlast, which multiplies matrices on opencl devices, can't be "
                    "loaded: %s (Debian: libclblast1)",
                    what, blas_missing);
  *out = &blas;
  return SEL_OK;
}
