/* Generating C: see fuse_source.h. The rows of SEL_POINTWISE are quoted with the functions that the
 * backend's own kernels call, so that compiled and interpreted results differ by rounding at most.
 */
#include "fuse_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct row {
  const char *name, *expression;
  int inputs;
} row;

#define ROW(kind, name, types, ...) {#name, #__VA_ARGS__, SEL_POINTWISE_INPUTS(kind)},
static const row rows[SEL_PW_COUNT] = {SEL_POINTWISE(ROW)};

int cpu_fuse_inputs(int op) { return rows[op].inputs; }

static const char start[] =
    "#include <math.h>\n"
    "#include <stdbool.h>\n"
    "#include <stdint.h>\n"
    "#include <string.h>\n"
    "#define CPU_INLINE static inline __attribute__((always_inline))\n";

/* Constants are passed as bits: no locale can spoil them, and infinities need no name. */
static const char number_text[] =
    "CPU_INLINE T number(uint64_t bits) {\n"
    "  double value;\n"
    "  memcpy(&value, &bits, sizeof value);\n"
    "  return (T)value;\n"
    "}\n";

static void write_rows(FILE *out, const sel_fuse_program *p) {
  bool written[SEL_PW_COUNT] = {false};
  for (int s = 0; s < p->steps; s++) {
    const int op = p->step[s].op;
    if (written[op]) continue;
    written[op] = true;
    fprintf(out,
            "CPU_INLINE T row_%s(T a, T b, T c) {\n"
            "  (void)a, (void)b, (void)c;\n"
            "  return (T)(%s);\n"
            "}\n",
            rows[op].name, rows[op].expression);
  }
}

static void write_step(FILE *out, const sel_fuse_step *step, int value) {
  const row *r = &rows[step->op];
  fprintf(out, "    const T v%d = row_%s(v%d", value, r->name, step->operand[0]);
  for (int k = 1; k < 3; k++)
    if (k < r->inputs)
      fprintf(out, ", v%d", step->operand[k]);
    else
      fputs(", 0", out);
  fputs(");\n", out);
}

static void write_loop(FILE *out, const sel_fuse_program *p) {
  fputs("void cpu_fused(int64_t n, const void *const *in, void *const *out) {\n", out);
  for (int i = 0; i < p->inputs; i++) fprintf(out, "  const T *restrict in%d = in[%d];\n", i, i);
  for (int k = 0; k < p->outputs; k++) fprintf(out, "  T *restrict out%d = out[%d];\n", k, k);
  for (int i = 0; i < p->constants; i++) {
    uint64_t bits;
    memcpy(&bits, &p->constant[i], sizeof bits);
    fprintf(out, "  const T v%d = number(0x%016llxull);\n", p->inputs + i,
            (unsigned long long)bits);
  }
  fputs("#pragma omp simd\n  for (int64_t i = 0; i < n; i++) {\n", out);
  for (int i = 0; i < p->inputs; i++) fprintf(out, "    const T v%d = in%d[i];\n", i, i);
  for (int s = 0; s < p->steps; s++) write_step(out, &p->step[s], p->inputs + p->constants + s);
  for (int k = 0; k < p->outputs; k++) fprintf(out, "    out%d[i] = v%d;\n", k, p->output[k]);
  fputs("  }\n}\n", out);
}

char *cpu_fuse_source(const sel_fuse_program *p, sel_dtype compute) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  if (!out) return NULL;
  fputs(start, out);
  fputs(compute == SEL_F32 ? cpu_text_functions_f32 : cpu_text_functions_f64, out);
  fputs(number_text, out);
  write_rows(out, p);
  write_loop(out, p);
  const bool failed = ferror(out) != 0;
  if (fclose(out) != 0 || failed) {
    free(text);
    return NULL;
  }
  return text;
}
