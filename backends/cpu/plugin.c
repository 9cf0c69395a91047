/* The plugin's entry: picks the instruction-set level and registers that level's table.
 *
 * This is the one place that reads the environment:
 *   SELENITE_CPU_LEVEL     baseline, v3 or v4 instead of the best: tests run every level the
 * machine has, users compare machines SELENITE_CC            the C compiler for fused functions, by
 * path or name; none: there is none PATH                   where it is looked for XDG_CACHE_HOME,
 * HOME   where what it makes is kept
 */
#include "selenite/plugin.h"

#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "fuse_cache.h"
#include "fuse_compiler.h"

extern const sel_backend cpu_backend_baseline;
#ifdef __x86_64__
extern const sel_backend cpu_backend_v3, cpu_backend_v4;
#endif

typedef struct level {
  const char *name;
  const sel_backend *backend;
  bool supported;
} level;

/* The processor's levels from plain to best; returns how many there are. */
static int find_levels(level out[3]) {
  int n = 0;
  out[n++] = (level){"baseline", &cpu_backend_baseline, true};
#ifdef __x86_64__
  __builtin_cpu_init();
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                  __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl");
  out[n++] = (level){"v3", &cpu_backend_v3, v3};
  out[n++] = (level){"v4", &cpu_backend_v4, v4};
#endif
  return n;
}

static sel_status init(void) {
  level levels[3];
  const int n = find_levels(levels);
  const char *wanted = getenv("SELENITE_CPU_LEVEL");
  const level *chosen = NULL;
  for (int i = 0; i < n; i++) {
    const bool named = wanted && strcmp(wanted, levels[i].name) == 0;
    if (named && !levels[i].supported)
      return sel_fail(SEL_E_PLUGIN, "cpu: SELENITE_CPU_LEVEL is %s, which this processor lacks",
                      wanted);
    if (wanted ? named : levels[i].supported) chosen = &levels[i];
  }
  if (!chosen)
    return sel_fail(SEL_E_PLUGIN,
                    "cpu: SELENITE_CPU_LEVEL: expected baseline, v3 or v4 (the last two on x86-64)"
                    ", got \"%s\"",
                    wanted);
  cpu_device_describe(chosen->name);
  cpu_compiler_configure(getenv("SELENITE_CC"), getenv("PATH"));
  cpu_fuse_cache_configure(getenv("XDG_CACHE_HOME"), getenv("HOME"));
  return sel_register_backend(chosen->backend);
}

SEL_EXPORT const sel_plugin sel_plugin_descriptor = {
    .magic = SEL_PLUGIN_MAGIC,
    .abi_major = SEL_ABI_MAJOR,
    .abi_minor = SEL_ABI_MINOR,
    .size = sizeof(sel_plugin),
    .name = "cpu",
    .version = "0.1.0",
    .licence = "MIT",
    .kind = SEL_PLUGIN_BACKEND,
    .init = init,
};
