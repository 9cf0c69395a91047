/* Generating OpenCL C: see fuse_source.h, and fuse.cl for what the names mean. */
#include "fuse_source.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "selenite/pointwise.h"
#include "texts.h"

typedef struct row {
  const char *name, *expression;
  int inputs;
} row;

#define ROW(kind, name, types, ...) {#name, #__VA_ARGS__, SEL_POINTWISE_INPUTS(kind)},
static const row rows[SEL_PW_COUNT] = {SEL_POINTWISE(ROW)};

static void write_rows(FILE *out, const sel_fuse_program *p) {
  bool written[SEL_PW_COUNT] = {false};
  fputs("#define ROWS", out);
  for (int s = 0; s < p->steps; s++) {
    const row *r = &rows[p->step[s].op];
    if (written[p->step[s].op]) continue;
    written[p->step[s].op] = true;
    fprintf(out, " \\\n  inline T row_%s(T a, T b, T c) { return (T)(%s); }", r->name,
            r->expression);
  }
  fputs("\n", out);
}

/* As bits: infinities have no name in OpenCL C that fits both types. */
static void write_constant(FILE *out, int value, double number, sel_dtype compute) {
  uint64_t wide;
  uint32_t narrow;
  const float single = (float)number;
  memcpy(&wide, &number, sizeof wide);
  memcpy(&narrow, &single, sizeof narrow);
  if (compute == SEL_F64)
    fprintf(out, " \\\n  const T v%d = as_double(0x%016llxul);", value, (unsigned long long)wide);
  else
    fprintf(out, " \\\n  const T v%d = as_float(0x%08xu);", value, (unsigned)narrow);
}

static void write_steps(FILE *out, const sel_fuse_program *p, sel_dtype compute) {
  fputs("#define STEPS", out);
  for (int i = 0; i < p->constants; i++)
    write_constant(out, p->inputs + i, p->constant[i], compute);
  for (int s = 0; s < p->steps; s++) {
    const sel_fuse_step *step = &p->step[s];
    const row *r = &rows[step->op];
    fprintf(out, " \\\n  const T v%d = row_%s(", p->inputs + p->constants + s, r->name);
    for (int k = 0; k < 3; k++)
      if (k < r->inputs)
        fprintf(out, "%sv%d", k ? ", " : "", step->operand[k]);
      else
        fputs(", 0", out);
    fputs(");", out);
  }
  fputs("\n", out);
}

char *opencl_fuse_source(const sel_fuse_program *p, sel_dtype compute, bool host, int span) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  if (!out) return NULL;
  fprintf(out, "#define T STORED(%s)\n#define IN_FLOATS 1\n#define HOST %d\n#define SPAN %d\n",
          sel_dtype_name(compute), host, span);
  write_rows(out, p);
  write_steps(out, p, compute);
  fputs("#define OUTPUTS(DO)", out);
  for (int k = 0; k < p->outputs; k++) fprintf(out, " DO(%d, v%d)", k, p->output[k]);
  fputs("\n", out);
  fputs(opencl_text_fuse, out);
  const bool failed = ferror(out) != 0;
  if (fclose(out) != 0 || failed) {
    free(text);
    return NULL;
  }
  return text;
}
