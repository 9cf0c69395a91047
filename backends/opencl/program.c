/* Compiling programs and keeping them: see program.h. A program is looked for in memory, then on
 * disk, and built from source last. */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "library.h"
#include "program_cache.h"
#include "texts.h"

enum { MAX_KERNELS = 8 };

struct opencl_program {
  opencl_program *next;
  char *key; /* file and defines */
  cl_program program;
  cl_kernel kernel[MAX_KERNELS];
  char kernel_name[MAX_KERNELS][24];
  int kernels;
};

/* ---- building ---- */

/* Says, once a process, why a first start takes its time. */
static void announce(const opencl_device *device) {
  static atomic_flag said = ATOMIC_FLAG_INIT;
  if (!atomic_flag_test_and_set(&said))
    fprintf(stderr, "opencl: compiling kernels for '%s'%s\n", device->name,
            opencl_cache_keeps() ? "; later starts will find them ready" : "");
}

static sel_status fail_build(const opencl_device *device, const char *file, const char *defines,
                             cl_program program, cl_int code) {
  char log[3000] = "";
  size_t size = 0;
  cl.GetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &size);
  char *whole = calloc(size + 1, 1);
  if (whole) {
    cl.GetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, size, whole, NULL);
    snprintf(log, sizeof log, "%s", whole);
    free(whole);
  }
  return sel_fail(code == CL_OUT_OF_HOST_MEMORY ? SEL_E_MEMORY : SEL_E_INTERNAL,
                  "opencl: '%s' can't compile %s: %s\n%s\nwith\n%s", device->name, file,
                  opencl_error_name(code), log, defines);
}

/* Stores the program's binary, if the driver hands one out. PoCL compiles it for that, so it isn't
 * asked in vain. */
static void store(const char *disk_key, cl_program program) {
  size_t size = 0;
  if (!opencl_cache_keeps()) return;
  if (cl.GetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, NULL) != CL_SUCCESS ||
      size == 0)
    return;
  unsigned char *binary = malloc(size);
  if (binary &&
      cl.GetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof binary, &binary, NULL) == CL_SUCCESS)
    opencl_cache_store(disk_key, binary, size);
  free(binary);
}

static bool load(const opencl_device *device, const char *disk_key, cl_program *out) {
  unsigned char *binary;
  size_t size;
  if (!opencl_cache_load(disk_key, &binary, &size)) return false;
  const unsigned char *borrowed = binary;
  cl_int code, loaded = CL_INVALID_BINARY;
  cl_program program =
      cl.CreateProgramWithBinary(device->context, 1, &device->id, &size, &borrowed, &loaded, &code);
  free(binary);
  if (code != CL_SUCCESS) return false;
  if (loaded != CL_SUCCESS ||
      cl.BuildProgram(program, 1, &device->id, device->options, NULL, NULL) != CL_SUCCESS) {
    cl.ReleaseProgram(program);
    return false;
  }
  *out = program;
  return true;
}

static sel_status compile(const opencl_device *device, const char *file, const char *defines,
                          const char *source, cl_program *out) {
  cl_int code;
  announce(device);
  cl_program program = cl.CreateProgramWithSource(device->context, 1, &source, NULL, &code);
  if (code != CL_SUCCESS) return opencl_fail(file, code);
  code = cl.BuildProgram(program, 1, &device->id, device->options, NULL, NULL);
  if (code != CL_SUCCESS) {
    const sel_status status = fail_build(device, file, defines, program, code);
    cl.ReleaseProgram(program);
    return status;
  }
  *out = program;
  return SEL_OK;
}

static sel_status build(const opencl_device *device, const char *file, const char *text,
                        const char *defines, cl_program *out) {
  const size_t head = strlen(device->identity) + strlen(device->options) + 3;
  const size_t size = head + 64 + strlen(defines) + strlen(opencl_text_element) + strlen(text);
  char *key = malloc(size); /* identity, options, source */
  if (!key) return sel_fail(SEL_E_MEMORY, "opencl: can't allocate %zu bytes", size);
  snprintf(key, size, "%s\n%s\n%s#define GROUP %zu\n%s%s", device->identity, device->options,
           defines, device->group, opencl_text_element, text);
  sel_status status = SEL_OK;
  if (!load(device, key, out)) {
    status = compile(device, file, defines, key + head - 1, out);
    if (status == SEL_OK) store(key, *out);
  }
  free(key);
  return status;
}

/* ---- programs in memory ---- */

static unsigned slot_of(const char *file, const char *defines) {
  const uint64_t hash = opencl_hash(OPENCL_HASH_START, file, strlen(file));
  return (unsigned)(opencl_hash(hash, defines, strlen(defines)) % OPENCL_PROGRAM_SLOTS);
}

static bool has_key(const opencl_program *p, const char *file, const char *defines) {
  const size_t n = strlen(file);
  return strncmp(p->key, file, n) == 0 && p->key[n] == '\n' && strcmp(p->key + n + 1, defines) == 0;
}

static sel_status find_program(opencl_device *device, const char *file, const char *text,
                               const char *defines, opencl_program **out) {
  opencl_program **slot = &device->programs[slot_of(file, defines)];
  for (*out = *slot; *out; *out = (*out)->next)
    if (has_key(*out, file, defines)) return SEL_OK;
  const size_t size = strlen(file) + strlen(defines) + 2;
  opencl_program *made = calloc(1, sizeof *made);
  char *key = malloc(size);
  sel_status status = made && key
                          ? build(device, file, text, defines, &made->program)
                          : sel_fail(SEL_E_MEMORY, "opencl: can't allocate %zu bytes", size);
  if (status != SEL_OK) {
    free(made), free(key);
    return status;
  }
  snprintf(key, size, "%s\n%s", file, defines);
  made->key = key;
  made->next = *slot;
  *out = *slot = made;
  return SEL_OK;
}

sel_status opencl_kernel(opencl_device *device, const char *file, const char *text,
                         const char *defines, const char *name, cl_kernel *out) {
  opencl_program *p;
  const sel_status status = find_program(device, file, text, defines, &p);
  if (status != SEL_OK) return status;
  for (int i = 0; i < p->kernels; i++)
    if (strcmp(p->kernel_name[i], name) == 0) {
      *out = p->kernel[i];
      return SEL_OK;
    }
  if (p->kernels == MAX_KERNELS)
    return sel_fail(SEL_E_INTERNAL, "opencl: %s has more than %d kernels", file, MAX_KERNELS);
  cl_int code;
  cl_kernel kernel = cl.CreateKernel(p->program, name, &code);
  if (code == CL_INVALID_KERNEL_NAME)
    return sel_fail(SEL_E_ARGUMENT, "opencl: %s has no kernel '%s'", file, name);
  if (code != CL_SUCCESS) return opencl_fail(name, code);
  snprintf(p->kernel_name[p->kernels], sizeof p->kernel_name[0], "%s", name);
  *out = p->kernel[p->kernels++] = kernel;
  return SEL_OK;
}
