/* rnn, lstm, gru: stacked recurrent layers, each direction of each one call of sel_recurrence after
 * one product for the input parts of all steps. */
#include <stdio.h>

#include "rnn.h"
#include "selenite/ops.h"

enum { MOST_LAYERS = 64 };

typedef struct recurrent {
  sel_cell cell;
  int64_t input_size, size;
  int layers, directions;
  bool batch_first;
  double dropout;
} recurrent;

/* ---- making ---- */

static sel_status add_directions(sel_layer *self, const recurrent *r, int layer, bool bias,
                                 sel_dtype dtype) {
  const int64_t in = layer == 0 ? r->input_size : r->size * r->directions;
  for (int d = 0; d < r->directions; d++) {
    char suffix[32];
    snprintf(suffix, sizeof suffix, "_l%d%s", layer, d ? "_reverse" : "");
    RNN_TRY(rnn_add_cell(self, r->cell, in, r->size, bias, dtype, suffix));
  }
  return SEL_OK;
}

static sel_status init_with(sel_layer *self, const sel_options *options, sel_cell cell) {
  recurrent *r = sel_layer_state(self);
  sel_dtype dtype = SEL_F32;
  *r = (recurrent){.cell = cell,
                   .input_size = sel_options_int(options, "input_size"),
                   .size = sel_options_int(options, "hidden_size"),
                   .layers = (int)sel_options_int(options, "num_layers"),
                   .directions = sel_options_bool(options, "bidirectional") ? 2 : 1,
                   .batch_first = sel_options_bool(options, "batch_first"),
                   .dropout = sel_options_number(options, "dropout")};
  RNN_TRY(rnn_parameter_dtype(options, &dtype));
  for (int l = 0; l < r->layers; l++)
    RNN_TRY(add_directions(self, r, l, sel_options_bool(options, "bias"), dtype));
  return SEL_OK;
}

static sel_status init_rnn(sel_layer *self, const sel_options *options) {
  return init_with(self, options, rnn_plain_cell(options));
}
static sel_status init_lstm(sel_layer *self, const sel_options *options) {
  return init_with(self, options, SEL_CELL_LSTM);
}
static sel_status init_gru(sel_layer *self, const sel_options *options) {
  return init_with(self, options, SEL_CELL_GRU);
}

/* ---- what goes in ---- */

/* A call's tensors, all owned: x [steps, n, features], states [layers * directions, n, size]. */
typedef struct pass {
  bool single; /* the input came without a batch */
  sel_tensor *x, *h0, *c0;
  sel_tensor *lengths; /* borrowed */
  int n_final;
  sel_tensor *h[2 * MOST_LAYERS], *c[2 * MOST_LAYERS]; /* by layer and direction */
} pass;

static void drop_pass(pass *p) {
  sel_release(p->x);
  sel_release(p->h0);
  sel_release(p->c0);
  for (int i = 0; i < p->n_final; i++) {
    sel_release(p->h[i]);
    sel_release(p->c[i]);
  }
}

static sel_status check_input(const recurrent *r, const sel_tensor *x, const sel_tensor *lengths) {
  char text[RNN_TEXT];
  const int ndim = sel_ndim(x);
  if ((ndim != 2 && ndim != 3) || sel_size(x, -1) != r->input_size)
    return sel_fail(SEL_E_SHAPE,
                    "an input [%s, %lld], or [L, %lld] for one sequence, is expected, got %s",
                    r->batch_first ? "N, L" : "L, N", (long long)r->input_size,
                    (long long)r->input_size, sel_describe(x, text, sizeof text));
  if (lengths && ndim == 2)
    return sel_fail(SEL_E_SHAPE, "lengths belong to a batch, but the input is one sequence, %s",
                    sel_describe(x, text, sizeof text));
  if (sel_size(x, ndim == 3 && r->batch_first ? 1 : 0) == 0)
    return sel_fail(SEL_E_SHAPE, "a sequence of at least one step is expected, got %s",
                    sel_describe(x, text, sizeof text));
  return SEL_OK;
}

static sel_status take_state(const recurrent *r, const char *what, sel_tensor *given, bool single,
                             int64_t n, sel_tensor **out) {
  if (!given) return SEL_OK;
  const int64_t cells = r->layers * r->directions;
  if (single)
    RNN_TRY(rnn_expect_shape(what, given, 2, (const int64_t[]){cells, r->size}));
  else
    RNN_TRY(rnn_expect_shape(what, given, 3, (const int64_t[]){cells, n, r->size}));
  *out = sel_retain(given);
  return single ? rnn_insert_dim(out, 1) : SEL_OK;
}

static sel_status take_inputs(const recurrent *r, sel_tensor *x, sel_tensor *h0, sel_tensor *c0,
                              sel_tensor *lengths, pass *p) {
  RNN_TRY(check_input(r, x, lengths));
  p->single = sel_ndim(x) == 2;
  p->lengths = lengths;
  const bool turn = r->batch_first && !p->single;
  const int64_t n = p->single ? 1 : sel_size(x, turn ? 0 : 1);
  RNN_TRY(take_state(r, "h0", h0, p->single, n, &p->h0));
  RNN_TRY(take_state(r, "c0", c0, p->single, n, &p->c0));
  if (lengths) RNN_TRY(rnn_expect_shape("lengths", lengths, 1, &n));
  if (turn) return sel_transpose(x, 0, 1, &p->x);
  p->x = sel_retain(x);
  return p->single ? rnn_insert_dim(&p->x, 1) : SEL_OK;
}

/* ---- forward ---- */

static sel_status select_or_none(sel_tensor *states, int64_t i, sel_tensor **out) {
  return states ? sel_select(states, 0, i, out) : SEL_OK;
}

/* Runs cell number i (layer * directions + direction) over p->x; appends its final states. */
static sel_status run_cell(sel_layer *self, pass *p, int i, sel_tensor **y) {
  const recurrent *r = sel_layer_state(self);
  sel_tensor *in = NULL, *h0 = NULL, *c0 = NULL, *slot[RNN_PARAMETERS];
  for (int k = 0; k < RNN_PARAMETERS; k++) slot[k] = sel_layer_slot(self, i * RNN_PARAMETERS + k);
  sel_status status = sel_linear(p->x, slot[RNN_WEIGHT_IH], slot[RNN_BIAS_IH], &in);
  if (status == SEL_OK) status = select_or_none(p->h0, i, &h0);
  if (status == SEL_OK) status = select_or_none(p->c0, i, &c0);
  if (status == SEL_OK)
    status = sel_recurrence(r->cell, in, slot[RNN_WEIGHT_HH], slot[RNN_BIAS_HH], h0, c0, p->lengths,
                            i % r->directions == 1, y, &p->h[i], &p->c[i]);
  if (status == SEL_OK) p->n_final = i + 1;
  sel_release(in);
  sel_release(h0);
  sel_release(c0);
  return status;
}

/* p->x becomes what layer l makes of it. */
static sel_status run_layer(sel_layer *self, pass *p, int l) {
  const recurrent *r = sel_layer_state(self);
  sel_tensor *y[2] = {NULL}, *joined = NULL, *dropped = NULL;
  sel_status status = SEL_OK;
  for (int d = 0; d < r->directions && status == SEL_OK; d++)
    status = run_cell(self, p, l * r->directions + d, &y[d]);
  if (status == SEL_OK && r->directions == 2) status = sel_cat(2, y, 2, &joined);
  if (status == SEL_OK && r->directions == 1) joined = sel_retain(y[0]);
  const double chance = sel_layer_training(self) && l < r->layers - 1 ? r->dropout : 0;
  if (status == SEL_OK) status = sel_dropout(joined, chance, &dropped);
  for (int d = 0; d < 2; d++) sel_release(y[d]);
  sel_release(joined);
  if (status != SEL_OK) return status;
  sel_release(p->x);
  p->x = dropped;
  return SEL_OK;
}

static sel_status final_states(const pass *p, sel_tensor *const *states, sel_tensor **out) {
  RNN_TRY(sel_stack(p->n_final, states, 0, out));
  return p->single ? rnn_drop_dim(out, 1) : SEL_OK;
}

static sel_status give_outputs(const recurrent *r, const pass *p, sel_tensor *out[3]) {
  if (r->batch_first && !p->single)
    RNN_TRY(sel_transpose(p->x, 0, 1, &out[0]));
  else
    out[0] = sel_retain(p->x);
  if (p->single) RNN_TRY(rnn_drop_dim(&out[0], 1));
  RNN_TRY(final_states(p, p->h, &out[1]));
  return r->cell == SEL_CELL_LSTM ? final_states(p, p->c, &out[2]) : SEL_OK;
}

static sel_status forward_with(sel_layer *self, sel_tensor *x, sel_tensor *h0, sel_tensor *c0,
                               sel_tensor *lengths, sel_tensor **outputs) {
  const recurrent *r = sel_layer_state(self);
  pass p = {.n_final = 0};
  sel_tensor *out[3] = {NULL};
  sel_status status = take_inputs(r, x, h0, c0, lengths, &p);
  for (int l = 0; l < r->layers && status == SEL_OK; l++) status = run_layer(self, &p, l);
  if (status == SEL_OK) status = give_outputs(r, &p, out);
  drop_pass(&p);
  const int n = r->cell == SEL_CELL_LSTM ? 3 : 2;
  for (int i = 0; i < n; i++) {
    if (status == SEL_OK)
      outputs[i] = out[i];
    else
      sel_release(out[i]);
  }
  return status;
}

static sel_status forward(sel_layer *self, sel_tensor *const *in, sel_tensor **outputs) {
  return forward_with(self, in[0], in[1], NULL, in[2], outputs);
}
static sel_status forward_lstm(sel_layer *self, sel_tensor *const *in, sel_tensor **outputs) {
  return forward_with(self, in[0], in[1], in[2], in[3], outputs);
}

/* ---- descriptions ---- */

#define NUM_LAYERS                                                               \
  {                                                                              \
    .name = "num_layers", .kind = SEL_OPTION_INT, .default_text = "1", .low = 1, \
    .high = MOST_LAYERS, .doc = "layers, each on the outputs of the one before"  \
  }
#define REST                                                                                   \
  RNN_BIAS, RNN_BOOL("batch_first", "false", "whether input and output are [N, L, features]"), \
      {.name = "dropout",                                                                      \
       .kind = SEL_OPTION_NUMBER,                                                              \
       .default_text = "0",                                                                    \
       .low = 0,                                                                               \
       .high = 1,                                                                              \
       .doc = "while training, on the outputs of every layer but the last"},                   \
      RNN_BOOL("bidirectional", "false", "whether a second cell runs from the end"), RNN_DTYPE

static const sel_option options[] = {RNN_INPUT_SIZE, RNN_HIDDEN_SIZE, NUM_LAYERS, REST};
static const sel_option plain_options[] = {RNN_INPUT_SIZE, RNN_HIDDEN_SIZE, NUM_LAYERS,
                                           RNN_NONLINEARITY, REST};

#define STATE_SHAPE "[num_layers * directions, N, hidden_size]"
#define INPUT_PORT \
  { "input", "[L, N, input_size], [N, L, input_size] for batch_first, or [L, input_size]", false }
#define LENGTHS_PORT \
  { "lengths", "[N], i64: steps of each sequence; outputs behind are 0", true }
static const sel_port inputs[] = {INPUT_PORT, {"h0", STATE_SHAPE, true}, LENGTHS_PORT};
static const sel_port lstm_inputs[] = {
    INPUT_PORT, {"h0", STATE_SHAPE, true}, {"c0", STATE_SHAPE, true}, LENGTHS_PORT};
static const sel_port outputs[] = {{"output", "[L, N, directions * hidden_size]", false},
                                   {"h_n", STATE_SHAPE, false},
                                   {"c_n", STATE_SHAPE, false}};

const sel_layer_type rnn_rnn = {
    .size = sizeof(sel_layer_type),
    .name = "rnn",
    .summary = "h' = tanh(W_ih x + b_ih + W_hh h + b_hh) over a sequence (Elman 1990)",
    .example = "local y, h = nn.rnn(8, 16)(sel.randn(5, 2, 8))",
    .n_options = RNN_COUNT(plain_options),
    .options = plain_options,
    .n_inputs = RNN_COUNT(inputs),
    .inputs = inputs,
    .n_outputs = 2,
    .outputs = outputs,
    .state_size = sizeof(recurrent),
    .init = init_rnn,
    .forward = forward};

const sel_layer_type rnn_lstm = {
    .size = sizeof(sel_layer_type),
    .name = "lstm",
    .summary = "long short-term memory over a sequence (Hochreiter and Schmidhuber 1997)",
    .example = "local y, h, c = nn.lstm(8, 16, {num_layers = 2})(sel.randn(5, 2, 8))",
    .n_options = RNN_COUNT(options),
    .options = options,
    .n_inputs = RNN_COUNT(lstm_inputs),
    .inputs = lstm_inputs,
    .n_outputs = 3,
    .outputs = outputs,
    .state_size = sizeof(recurrent),
    .init = init_lstm,
    .forward = forward_lstm};

const sel_layer_type rnn_gru = {
    .size = sizeof(sel_layer_type),
    .name = "gru",
    .summary = "gated recurrent units over a sequence (Cho et al. 2014)",
    .example = "local y, h = nn.gru(8, 16, {bidirectional = true})(sel.randn(5, 2, 8))",
    .n_options = RNN_COUNT(options),
    .options = options,
    .n_inputs = RNN_COUNT(inputs),
    .inputs = inputs,
    .n_outputs = 2,
    .outputs = outputs,
    .state_size = sizeof(recurrent),
    .init = init_gru,
    .forward = forward};
