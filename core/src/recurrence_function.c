/* sel_recurrence: checks, the mask that lengths stand for, low precision. */
#include "recurrence.h"
#include "selenite/autograd.h"
#include "selenite/nn.h"
#include "tape.h"

extern const sel_op sel__op_recurrence;

/* ---- checks ---- */

static sel_status expect_shape(const char *role, const sel_tensor *t, const sel_tensor *inputs,
                               int ndim, int64_t rows, int64_t columns) {
  const int64_t shape[] = {rows, columns};
  char expected[SEL_TEXT], got[SEL_TEXT], text[SEL_TEXT];
  SEL_TRY(sel__expect_tensor("recurrence", role, t));
  SEL_TRY(sel__same_dtype("recurrence", inputs, t));
  SEL_CHECK(t->ndim == ndim && t->shape[0] == rows && (ndim == 1 || t->shape[1] == columns),
            SEL_E_SHAPE, "recurrence: expected %s %s for inputs %s, got %s", role,
            sel__shape_text(ndim, shape, expected, sizeof expected),
            sel_describe(inputs, text, sizeof text), sel_describe(t, got, sizeof got));
  return SEL_OK;
}

static sel_status check(sel_cell cell, const sel_tensor *inputs, const sel_tensor *weight,
                        const sel_tensor *bias, const sel_tensor *h0, const sel_tensor *c0,
                        sel_recurrence_attrs *a) {
  char text[SEL_TEXT];
  const int gates = sel_cell_gates(cell);
  SEL_TRY(sel__expect_tensor("recurrence", "inputs", inputs));
  SEL_TRY(sel__float_dtype("recurrence", inputs));
  SEL_CHECK(inputs->ndim == 3 && inputs->shape[0] > 0 && inputs->shape[2] % gates == 0, SEL_E_SHAPE,
            "recurrence: expected inputs [steps, n, %d * size] of at least one step, got %s", gates,
            sel_describe(inputs, text, sizeof text));
  a->steps = inputs->shape[0], a->n = inputs->shape[1], a->size = inputs->shape[2] / gates;
  SEL_TRY(expect_shape("weight", weight, inputs, 2, gates * a->size, a->size));
  if (bias) SEL_TRY(expect_shape("bias", bias, inputs, 1, gates * a->size, 0));
  if (h0) SEL_TRY(expect_shape("h0", h0, inputs, 2, a->n, a->size));
  SEL_CHECK(!c0 || cell == SEL_CELL_LSTM, SEL_E_ARGUMENT, "recurrence: only LSTM takes a state c0");
  if (c0) SEL_TRY(expect_shape("c0", c0, inputs, 2, a->n, a->size));
  return SEL_OK;
}

/* ---- lengths ---- */

static sel_status check_lengths(const sel_tensor *lengths, const sel_recurrence_attrs *a) {
  char text[SEL_TEXT];
  SEL_TRY(sel__expect_tensor("recurrence", "lengths", lengths));
  SEL_CHECK(lengths->dtype == SEL_I64, SEL_E_DTYPE, "recurrence: expected i64 lengths, got %s",
            sel_describe(lengths, text, sizeof text));
  SEL_CHECK(lengths->ndim == 1 && lengths->shape[0] == a->n, SEL_E_SHAPE,
            "recurrence: expected lengths [%lld], one a row, got %s", (long long)a->n,
            sel_describe(lengths, text, sizeof text));
  return SEL_OK;
}

static sel_status fill_mask(const int64_t *lengths, const sel_recurrence_attrs *a, uint8_t *mask) {
  for (int64_t r = 0; r < a->n; r++) {
    SEL_CHECK(lengths[r] >= 0 && lengths[r] <= a->steps, SEL_E_ARGUMENT,
              "recurrence: row %lld has length %lld, but the sequence has %lld steps", (long long)r,
              (long long)lengths[r], (long long)a->steps);
    for (int64_t t = 0; t < a->steps; t++) mask[t * a->n + r] = t < lengths[r];
  }
  return SEL_OK;
}

/* bool [steps, n]: which steps count. Reads the lengths, so it waits for them. */
static sel_status mask_of(sel_tensor *lengths, const sel_recurrence_attrs *a, sel_tensor **out) {
  SEL_TRY(check_lengths(lengths, a));
  const int64_t shape[] = {a->steps, a->n};
  const size_t bytes = (size_t)(a->steps * a->n);
  int64_t *values = sel__alloc((size_t)a->n * sizeof *values + bytes + 1);
  if (!values) return SEL_E_MEMORY;
  uint8_t *mask = (uint8_t *)(values + a->n);
  sel_status status = sel_read(lengths, values, (size_t)a->n * sizeof *values);
  if (status == SEL_OK) status = fill_mask(values, a, mask);
  if (status == SEL_OK)
    status = sel_from_data(2, shape, SEL_BOOL, sel__device(lengths), mask, bytes, out);
  sel__free(values);
  return status;
}

/* ---- the function ---- */

static sel_tensor *outputs_within(sel_scope *s, sel_tensor *states, sel_tensor *mask) {
  sel_tensor *out = NULL, *counts = x_unsqueeze(s, mask, 2);
  if (s->status != SEL_OK) return NULL;
  return sel__hold(s, sel_where_scalar(counts, states, 0, &out), &out);
}

sel_status sel_recurrence(sel_cell cell, sel_tensor *inputs, sel_tensor *weight, sel_tensor *bias,
                          sel_tensor *h0, sel_tensor *c0, sel_tensor *lengths, bool reverse,
                          sel_tensor **out, sel_tensor **h, sel_tensor **c) {
  sel_recurrence_attrs attrs = {.cell = cell, .reverse = reverse};
  SEL_TRY(check(cell, inputs, weight, bias, h0, c0, &attrs));
  const sel_dtype dtype = (sel_dtype)inputs->dtype, wide = sel__compute_dtype(dtype);
  SEL_SCOPE(s);
  sel_tensor *given[] = {inputs, weight, bias, h0, c0}, *in[6] = {NULL}, *results[3] = {NULL};
  for (int i = 0; i < 5; i++)
    if (given[i]) in[i] = x_to(&s, given[i], wide);
  if (lengths && s.status == SEL_OK)
    in[5] = sel__hold(&s, mask_of(lengths, &attrs, &in[5]), &in[5]);
  sel_call call = {.op = &sel__op_recurrence, .n_in = 6, .in = in, .attrs = &attrs};
  if (s.status == SEL_OK) {
    attrs.keep = sel__tape_wanted(&call);
    s.status = sel__run(&call);
  }
  for (int k = 0; k < 4 && s.status == SEL_OK; k++) sel__hold(&s, SEL_OK, &call.out[k]);
  if (s.status == SEL_OK) {
    sel_tensor *states = in[5] ? outputs_within(&s, call.out[0], in[5]) : call.out[0];
    results[0] = x_to(&s, states, dtype);
    results[1] = x_to(&s, call.out[1], dtype);
    results[2] = cell == SEL_CELL_LSTM ? x_to(&s, call.out[2], dtype) : NULL;
  }
  if (s.status == SEL_OK) {
    *out = sel_retain(results[0]);
    if (h) *h = sel_retain(results[1]);
    if (c) *c = sel_retain(results[2]);
  }
  sel__scope_drop(&s);
  return s.status;
}
