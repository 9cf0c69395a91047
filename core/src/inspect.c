/* What operations and layers gave, in recordings that look at results.
 *
 * A storage remembers the event that last left NaN or infinity in it, and an operation's event the
 * one behind its inputs: from any result a chain leads back to where such a value was made of
 * finite ones. NaN goes before infinity, which is also made on purpose, for masks. */
#include "inspect.h"

#include <string.h>

/* ---- looking at a tensor ---- */

/* How a dtype's bits tell: the exponent all ones, with a mantissa of 0 for infinity. */
typedef struct layout {
  size_t size;
  uint64_t exponent, mantissa;
} layout;

static layout layout_of(sel_dtype dtype) {
  switch (dtype) {
    case SEL_F64:
      return (layout){8, UINT64_C(0x7ff) << 52, (UINT64_C(1) << 52) - 1};
    case SEL_F32:
      return (layout){4, 0xffu << 23, (1u << 23) - 1};
    case SEL_F16:
      return (layout){2, 0x1fu << 10, (1u << 10) - 1};
    case SEL_BF16:
      return (layout){2, 0xffu << 7, (1u << 7) - 1};
    default:
      return (layout){0};
  }
}

static uint64_t word_at(const char *data, size_t size) {
  uint64_t word8;
  uint32_t word4;
  uint16_t word2;
  switch (size) {
    case 8:
      memcpy(&word8, data, sizeof word8);
      return word8;
    case 4:
      memcpy(&word4, data, sizeof word4);
      return word4;
    default:
      memcpy(&word2, data, sizeof word2);
      return word2;
  }
}

static sel_finiteness worst_of(const char *data, int64_t n, layout l) {
  sel_finiteness worst = SEL_FINITE;
  for (int64_t i = 0; i < n; i++) {
    const uint64_t word = word_at(data + (size_t)i * l.size, l.size);
    if ((word & l.exponent) != l.exponent) continue;
    if (word & l.mantissa) return SEL_NAN;
    worst = SEL_INFINITE;
  }
  return worst;
}

/* The worst element of t. What can't be read ends the recording: it would be taken for finite. */
static sel_finiteness look(const sel_tensor *t) {
  if (!t || sel__is_scalar(t) || t->numel == 0) return SEL_FINITE;
  const layout l = layout_of((sel_dtype)t->dtype);
  if (l.size == 0) return SEL_FINITE;
  const size_t bytes = (size_t)t->numel * l.size;
  char *copy = sel__alloc(bytes);
  sel__recording_pause(true);
  const bool read = copy && sel_read(t, copy, bytes) == SEL_OK;
  sel__recording_pause(false);
  if (!read) sel__recording_fail();
  const sel_finiteness worst = read ? worst_of(copy, t->numel, l) : SEL_FINITE;
  sel__free(copy);
  return worst;
}

/* ---- operations ---- */

sel__sight sel__look_at_inputs(int n, sel_tensor *const *in) {
  sel__sight sight = {.worst = SEL_FINITE};
  for (int i = 0; i < n; i++) {
    const sel_finiteness found = look(in[i]);
    if (found <= sight.worst) continue;
    sight.worst = found;
    sight.maker = in[i]->storage->maker;
  }
  return sight;
}

void sel__look_at_results(sel_span span, const sel__sight *inputs, int n, sel_tensor *const *out,
                          bool fresh) {
  sel_finiteness worst = SEL_FINITE;
  for (int k = 0; k < n; k++) {
    const sel_finiteness found = look(out[k]);
    if (found > worst) worst = found;
    if (found != SEL_FINITE && fresh) out[k]->storage->maker = span;
  }
  sel_profile_result *result = sel__result_of(span);
  if (!result) return;
  result->text = sel__description_of(out[0]);
  result->given = inputs->worst;
  result->made = worst;
  result->source = sel__event_of(inputs->maker);
}

int sel_profile_maker(const sel_tensor *t) {
  if (look(t) == SEL_FINITE) return -1;
  return sel__event_of(t->storage->maker);
}

/* ---- layers ---- */

void sel_profile_gave(const sel_tensor *t) {
  sel_profile_result *result = sel__result_of(sel__span_layer());
  if (result && t) result->text = sel__description_of(t);
}
