/* Fused functions: all steps over one tile before the next tile, so that what lies between them
 * never leaves the first-level cache.
 *
 * Operands come as dense tiles, as in pointwise.c. Then either a compiled program computes the tile
 * in one loop, or each step runs its row over it: the same functions, so the results differ by
 * rounding at most (a compiler joins products and sums).
 *
 * A tile buffer (slot) belongs to each input, to each output, for blocks that don't lie dense where
 * they belong or that are streamed there (stream.h), and, for interpretation, to each constant and
 * to the results of steps, which share them: a slot is free again once its value was read for the
 * last time.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuse_cache.h"
#include "fuse_source.h"
#include "pointwise.h"
#include "stream.h"
#include "threads.h"
#include "tile.h"
#include "walk.h"

/* Tiles: what together fits into a first-level cache of 32 KB, or not much more. */
enum { TILES_BYTES = 40960, TILE_ALIGN = 64, MAX_SLOTS = TILES_BYTES / TILE_ALIGN };
enum { MAX_VALUES = 2048 };

/* A rough figure per element and step: compiled code saves most of it. */
static const double NANOSECONDS = 0.3;

typedef struct kernel {
  sel_dtype compute;
  int inputs, constants, steps, outputs;
  double *constant;
  sel_fuse_step *step;
  int *output; /* values */
  /* compiled */
  void *library;
  cpu_fused *fused; /* NULL: interpreted */
  /* interpreted */
  cpu_row **row; /* by step */
  int *slot;     /* by value: where it is kept; those of outputs in their output's slot */
  int slots;     /* all together */
  char how[256];
} kernel;

static int first_step(const kernel *k) { return k->inputs + k->constants; }

/* ---- preparing ---- */

/* Gives values their slots. last: by value, the step that reads it last. */
static void assign_slots(kernel *k, int *last) {
  const int first = first_step(k);
  for (int v = 0; v < first + k->steps; v++) {
    k->slot[v] = v < k->inputs ? v : v < first ? v + k->outputs : -1;
    last[v] = -1;
  }
  for (int s = 0; s < k->steps; s++)
    for (int i = 0; i < cpu_fuse_inputs(k->step[s].op); i++) last[k->step[s].operand[i]] = s;
  for (int o = 0; o < k->outputs; o++)
    if (k->output[o] >= first && k->slot[k->output[o]] < 0) k->slot[k->output[o]] = k->inputs + o;

  int free_slots[MAX_SLOTS], n_free = 0;
  k->slots = first + k->outputs;
  for (int s = 0; s < k->steps; s++) {
    for (int i = 0; i < cpu_fuse_inputs(k->step[s].op); i++) {
      const int v = k->step[s].operand[i];
      if (last[v] != s || k->slot[v] < first + k->outputs) continue;
      last[v] = -1; /* an operand may stand there twice */
      free_slots[n_free++] = k->slot[v];
    }
    if (k->slot[first + s] >= 0) continue;
    k->slot[first + s] = n_free > 0 ? free_slots[--n_free] : k->slots++;
    if (k->slots > MAX_SLOTS) return;
  }
}

static sel_status prepare_interpreter(kernel *k) {
  cpu_row *const *rows = k->compute == SEL_F32 ? CPU_NAME(cpu_rows_f32) : CPU_NAME(cpu_rows_f64);
  for (int s = 0; s < k->steps; s++) k->row[s] = rows[k->step[s].op];
  int last[MAX_VALUES];
  assign_slots(k, last);
  if (k->slots > MAX_SLOTS)
    return sel_fail(SEL_E_UNSUPPORTED, "cpu: a fused function keeps more than %d values at a time",
                    MAX_SLOTS);
  return SEL_OK;
}

static void compile(kernel *k, const sel_fuse_program *p) {
  static const char *const flags[] = {CPU_FUSE_FLAGS NULL};
  char reason[sizeof k->how - 32];
  char *source = cpu_fuse_source(p, k->compute);
  snprintf(reason, sizeof reason, "memory is short");
  if (source) k->library = cpu_fuse_cache_open(source, flags, reason, sizeof reason);
  free(source);
  if (k->library) k->fused = (cpu_fused *)(uintptr_t)dlsym(k->library, "cpu_fused");
  snprintf(k->how, sizeof k->how, k->fused ? "compiled" : "interpreted: %s", reason);
}

static void release(void *pointer) {
  kernel *k = pointer;
  if (k->library) dlclose(k->library);
  free(k);
}

/* One block for the kernel and its arrays, widest entries first. */
static kernel *allocate(const sel_fuse_program *p) {
  const size_t steps = (size_t)p->steps, constants = (size_t)p->constants;
  const size_t values = (size_t)(p->inputs + p->constants + p->steps);
  const size_t outputs = (size_t)p->outputs;
  kernel *k = calloc(1, sizeof *k + constants * sizeof *k->constant + steps * sizeof *k->row +
                            steps * sizeof *k->step + (outputs + values) * sizeof(int));
  if (!k) return NULL;
  k->inputs = p->inputs, k->constants = p->constants, k->steps = p->steps, k->outputs = p->outputs;
  k->constant = (double *)(k + 1);
  k->row = (cpu_row **)(k->constant + constants);
  k->step = (sel_fuse_step *)(k->row + steps);
  k->output = (int *)(k->step + steps);
  k->slot = k->output + outputs;
  memcpy(k->constant, p->constant, constants * sizeof *k->constant);
  memcpy(k->step, p->step, steps * sizeof *k->step);
  memcpy(k->output, p->output, outputs * sizeof *k->output);
  return k;
}

static sel_status prepare(sel_backend_device device, const sel_fuse_program *p, sel_dtype compute,
                          void **out) {
  (void)device;
  if (p->inputs + p->constants + p->steps > MAX_VALUES)
    return sel_fail(SEL_E_UNSUPPORTED, "cpu: a fused function has more than %d values", MAX_VALUES);
  kernel *k = allocate(p);
  if (!k) return sel_fail(SEL_E_MEMORY, "cpu: no memory for a fused function");
  k->compute = compute;
  k->slots = k->inputs + k->outputs;
  snprintf(k->how, sizeof k->how, "interpreted: as asked");
  if (p->compile) compile(k, p);
  const sel_status status = k->fused ? SEL_OK : prepare_interpreter(k);
  if (status != SEL_OK) {
    release(k);
    return status;
  }
  *out = k;
  return SEL_OK;
}

static const char *describe(const void *pointer) { return ((const kernel *)pointer)->how; }

/* ---- running ---- */

typedef struct job {
  const kernel *k;
  const sel_fuse_args *args;
  const char *first[SEL_FUSE_OPERANDS]; /* inputs' first elements; NULL: a number */
  int64_t size, tile_bytes;             /* of an element, of a slot */
  bool stream;                          /* results go to memory past the caches */
  cpu_walk walk;                        /* operands: inputs, then any output */
} job;

static void fill(const job *j, char *tile, double value) {
  const int64_t n = j->tile_bytes / j->size;
  if (j->k->compute == SEL_F32)
    for (int64_t i = 0; i < n; i++) ((float *)tile)[i] = (float)value;
  else
    for (int64_t i = 0; i < n; i++) ((double *)tile)[i] = value;
}

/* at: by value, its dense tile; destination: by output. */
static void interpret(const job *j, int64_t n, char *tiles, const void **at,
                      void *const *destination) {
  static const double no_parameters[2];
  const kernel *k = j->k;
  const int first = first_step(k);
  for (int s = 0; s < k->steps; s++) {
    const int *operand = k->step[s].operand, slot = k->slot[first + s];
    const bool is_output = slot < k->inputs + k->outputs;
    void *result = is_output ? destination[slot - k->inputs] : tiles + slot * j->tile_bytes;
    k->row[s](n, at[operand[0]], at[operand[1]], at[operand[2]], result, no_parameters);
    at[first + s] = result;
  }
  for (int o = 0; o < k->outputs; o++)
    if (at[k->output[o]] != destination[o])
      memcpy(destination[o], at[k->output[o]], (size_t)(n * j->size));
}

/* Numbers and constants are the same for all tiles; a compiled program has its constants within. */
static void fill_numbers(const job *j, char *tiles, const void **at) {
  const kernel *k = j->k;
  for (int v = 0; v < (k->fused ? k->inputs : first_step(k)); v++) {
    if (v < k->inputs && j->first[v]) continue;
    char *tile = tiles + (v < k->inputs ? v : v + k->outputs) * j->tile_bytes;
    fill(j, tile, v < k->inputs ? j->args->input[v].value : k->constant[v - k->inputs]);
    at[v] = tile;
  }
}

static void run_tiles(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const kernel *k = j->k;
  const int rows_dim = j->walk.ndim - 2;
  const int64_t *out_stride = j->walk.stride[k->inputs] + rows_dim;
  cpu_store *store = CPU_NAME(cpu_stores)[k->compute][k->compute];
  _Alignas(64) char tiles[TILES_BYTES];
  const void *at[MAX_VALUES];
  void *destination[SEL_FUSE_OPERANDS];
  cpu_held last[SEL_FUSE_OPERANDS];
  for (int i = 0; i < k->inputs; i++) last[i] = (cpu_held){-1, 0, 0};
  fill_numbers(j, tiles, at);
  for (int64_t number = begin; number < end; number++) {
    int64_t rows, columns, offset[CPU_WALK_OPERANDS];
    cpu_walk_tile(&j->walk, number, &rows, &columns, offset);
    const int64_t n = rows * columns;
    for (int i = 0; i < k->inputs; i++)
      if (j->first[i])
        at[i] = cpu_dense_block(j->first[i], j->args->input[i].dtype, k->compute, offset[i], rows,
                                columns, j->walk.stride[i] + rows_dim, tiles + i * j->tile_bytes,
                                &last[i]);
    const bool direct = cpu_dense(rows, columns, out_stride[0], out_stride[1]);
    const bool in_place = direct && !j->stream;
    const int64_t out_byte = offset[k->inputs] * j->size;
    for (int o = 0; o < k->outputs; o++)
      destination[o] = in_place ? (char *)cpu_at(&j->args->output[o]) + out_byte
                                : tiles + (k->inputs + o) * j->tile_bytes;
    if (k->fused)
      k->fused(n, at, destination);
    else
      interpret(j, n, tiles, at, destination);
    for (int o = 0; o < k->outputs && !in_place; o++) {
      char *memory = (char *)cpu_at(&j->args->output[o]) + out_byte;
      if (direct)
        cpu_stream(memory, destination[o], n * j->size);
      else
        store(destination[o], rows, columns, out_stride[0], out_stride[1], memory);
    }
  }
  cpu_stream_end();
}

static sel_status run(sel_backend_device device, const void *pointer, const sel_fuse_args *args) {
  (void)device;
  const kernel *k = pointer;
  job j; /* its parts are large */
  j.k = k;
  j.args = args;
  j.size = cpu_size(k->compute);
  j.stream = args->numel * j.size * k->outputs > CPU_STREAM_BYTES;
  for (int i = 0; i < k->inputs; i++)
    j.first[i] = args->input[i].data ? cpu_at(&args->input[i]) : NULL;
  j.tile_bytes = TILES_BYTES / (k->slots ? k->slots : 1) / TILE_ALIGN * TILE_ALIGN;
  if (j.tile_bytes > CPU_TILE_BYTES) j.tile_bytes = CPU_TILE_BYTES;
  cpu_walk_plan(&j.walk, args->ndim, args->shape, k->inputs + 1, args->stride,
                j.tile_bytes / j.size);
  cpu_parallel(j.walk.tiles, (double)args->numel * (k->steps + 1) * NANOSECONDS, run_tiles, &j);
  return SEL_OK;
}

const sel_fuse_ability CPU_NAME(cpu_fuse) = {.size = sizeof(sel_fuse_ability),
                                             .prepare = prepare,
                                             .describe = describe,
                                             .run = run,
                                             .release = release};
