/* Layer types with one fault each, all y = w x in the end: what `selenite check` must find. The
 * last one crashes. */
#include <selenite/selenite.h>
#include <stdlib.h>
#include <time.h>

/* ---- what all have ---- */

static sel_status init(sel_layer *self, const sel_options *options) {
  (void)options;
  sel_tensor *weight = NULL;
  sel_status status = sel_full(0, NULL, 3, SEL_F32, NULL, &weight);
  return status ? status : sel_layer_add_parameter(self, "weight", weight);
}

static sel_status times_weight(sel_layer *self, sel_tensor *x, sel_tensor **out) {
  return sel_mul(x, sel_layer_tensor(self, "weight"), out);
}

/* out = a * x, computed on the host from x's first numel elements in memory. */
static sel_status from_memory(double a, sel_tensor *x, sel_tensor **out) {
  sel_status status = sel_empty_like(x, out);
  if (status) return status;
  for (int64_t i = 0; i < sel_numel(x); i++) {
    if (sel_tensor_dtype(x) == SEL_F64)
      ((double *)sel_data(*out))[i] = a * ((double *)sel_data(x))[i];
    else
      ((float *)sel_data(*out))[i] = (float)a * ((float *)sel_data(x))[i];
  }
  return SEL_OK;
}

static sel_status record(const sel_function *function, sel_tensor *x, sel_tensor *out) {
  return sel_record(function, NULL, 1, &x, 0, NULL, 1, &out);
}

/* ---- the faults ---- */

/* The gradient is 2 where the factor is 3. */
static sel_status two(void *context, sel_tensor *const *saved, sel_tensor *const *grads,
                      sel_tensor **out) {
  (void)context, (void)saved;
  return sel_mul_scalar(grads[0], 2, out);
}
static sel_status gradient(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  static const sel_function function = {sizeof function, "faulty_gradient", two, NULL};
  (void)self;
  sel_tensor *x = NULL;
  sel_status status = sel_contiguous(inputs[0], &x);
  if (!status) status = from_memory(3, x, outputs);
  if (!status) status = record(&function, inputs[0], outputs[0]);
  sel_release(x);
  return status;
}

/* Reads the input as if it were contiguous. */
static sel_status three(void *context, sel_tensor *const *saved, sel_tensor *const *grads,
                        sel_tensor **out) {
  (void)context, (void)saved;
  return sel_mul_scalar(grads[0], 3, out);
}
static const sel_function by_three = {sizeof by_three, "faulty", three, NULL};
static sel_status strides(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  (void)self;
  sel_status status = from_memory(3, inputs[0], outputs);
  return status ? status : record(&by_three, inputs[0], outputs[0]);
}

/* The same in backward. */
static sel_status three_of_memory(void *context, sel_tensor *const *saved, sel_tensor *const *grads,
                                  sel_tensor **out) {
  (void)context, (void)saved;
  return from_memory(3, grads[0], out);
}
static sel_status backward_strides(sel_layer *self, sel_tensor *const *inputs,
                                   sel_tensor **outputs) {
  static const sel_function function = {sizeof function, "faulty", three_of_memory, NULL};
  (void)self;
  sel_tensor *x = NULL;
  sel_status status = sel_contiguous(inputs[0], &x);
  if (!status) status = from_memory(3, x, outputs);
  if (!status) status = record(&function, inputs[0], outputs[0]);
  sel_release(x);
  return status;
}

/* Writes to its input. */
static sel_status input(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  sel_status status = times_weight(self, inputs[0], outputs);
  if (sel_numel(inputs[0]) > 0 && sel_tensor_dtype(inputs[0]) == SEL_F32)
    *(float *)sel_data(inputs[0]) += 1;
  return status;
}

/* Forgets to release a tensor. */
static sel_status leak(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  sel_tensor *forgotten = NULL;
  sel_status status = sel_empty_like(inputs[0], &forgotten);
  return status ? status : times_weight(self, inputs[0], outputs);
}

/* Remembers how often it ran. */
static sel_status memory(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  static _Thread_local int runs;
  sel_tensor *product = NULL;
  sel_status status = times_weight(self, inputs[0], &product);
  if (!status) status = sel_add_scalar(product, runs++, outputs);
  sel_release(product);
  return status;
}

/* Counts the runs at this moment where all threads see it; waits a little for another one. */
static sel_status threads(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  static int running;
  const struct timespec moment = {.tv_nsec = 200000};
  sel_tensor *product = NULL;
  sel_status status = times_weight(self, inputs[0], &product);
  int most = __atomic_add_fetch(&running, 1, __ATOMIC_SEQ_CST);
  for (int i = 0; i < 50 && most == 1; i++) {
    nanosleep(&moment, NULL);
    most = __atomic_load_n(&running, __ATOMIC_SEQ_CST);
  }
  if (!status) status = sel_mul_scalar(product, most, outputs);
  sel_release(product);
  __atomic_fetch_sub(&running, 1, __ATOMIC_SEQ_CST);
  return status;
}

/* Is at home with f32 alone. */
static sel_status narrow(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  if (sel_tensor_dtype(inputs[0]) != SEL_F32) return sel_fail(SEL_E_DTYPE, "f32 is expected");
  return times_weight(self, inputs[0], outputs);
}

static sel_status crash(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  if (sel_numel(inputs[0]) == 0) abort();
  return times_weight(self, inputs[0], outputs);
}

/* ---- registered ---- */

static const sel_port port = {.name = "x", .shape = "[*]"};

#define TYPE(fault)                                                                                \
  {                                                                                                \
    .size = sizeof(sel_layer_type), .name = "faulty_" #fault, .summary = "a layer with one fault", \
    .example = "nn.faulty_" #fault "():forward(sel.randn(3, 4))", .n_inputs = 1, .inputs = &port,  \
    .n_outputs = 1, .outputs = &port, .init = init, .forward = fault                               \
  }

static const sel_layer_type types[] = {TYPE(gradient), TYPE(strides), TYPE(backward_strides),
                                       TYPE(input),    TYPE(leak),    TYPE(memory),
                                       TYPE(threads),  TYPE(narrow),  TYPE(crash)};

static sel_status register_types(void) {
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    const sel_status status = sel_register_layer_type(&types[i]);
    if (status != SEL_OK) return status;
  }
  return SEL_OK;
}

SEL_EXPORT const sel_plugin sel_plugin_descriptor = {.magic = SEL_PLUGIN_MAGIC,
                                                     .abi_major = SEL_ABI_MAJOR,
                                                     .abi_minor = SEL_ABI_MINOR,
                                                     .size = sizeof(sel_plugin),
                                                     .name = "faulty",
                                                     .version = "0.1.0",
                                                     .licence = "MIT",
                                                     .kind = SEL_PLUGIN_LAYERS,
                                                     .init = register_types};
