/* rnn_cell, lstm_cell, gru_cell: one step of the recurrent layers, with the same numbers. */
#include "rnn.h"
#include "selenite/ops.h"

typedef struct cell {
  sel_cell kind;
  int64_t input_size, size;
} cell;

/* ---- making ---- */

static sel_status init_with(sel_layer *self, const sel_options *options, sel_cell kind) {
  cell *state = sel_layer_state(self);
  sel_dtype dtype = SEL_F32;
  *state =
      (cell){kind, sel_options_int(options, "input_size"), sel_options_int(options, "hidden_size")};
  RNN_TRY(rnn_parameter_dtype(options, &dtype));
  return rnn_add_cell(self, kind, state->input_size, state->size, sel_options_bool(options, "bias"),
                      dtype, "");
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

/* ---- forward ---- */

/* `given` as [n, features], owned. */
static sel_status take(const char *what, sel_tensor *given, bool single, int64_t n,
                       int64_t features, sel_tensor **out) {
  if (!given) return SEL_OK;
  const int64_t shape[] = {n, features};
  RNN_TRY(rnn_expect_shape(what, given, single ? 1 : 2, single ? shape + 1 : shape));
  *out = sel_retain(given);
  return single ? rnn_insert_dim(out, 0) : SEL_OK;
}

/* x, h, c: [n, ...], owned by the caller; results too. */
static sel_status step(sel_layer *self, sel_tensor *x, sel_tensor *h, sel_tensor *c,
                       sel_tensor **new_h, sel_tensor **new_c) {
  const cell *state = sel_layer_state(self);
  sel_tensor *in = NULL, *out = NULL;
  sel_status status =
      sel_linear(x, sel_layer_slot(self, RNN_WEIGHT_IH), sel_layer_slot(self, RNN_BIAS_IH), &in);
  if (status == SEL_OK) status = rnn_insert_dim(&in, 0);
  if (status == SEL_OK)
    status =
        sel_recurrence(state->kind, in, sel_layer_slot(self, RNN_WEIGHT_HH),
                       sel_layer_slot(self, RNN_BIAS_HH), h, c, NULL, false, &out, new_h, new_c);
  sel_release(in);
  sel_release(out);
  return status;
}

static sel_status forward(sel_layer *self, sel_tensor *const *in, sel_tensor **outputs) {
  const cell *state = sel_layer_state(self);
  const bool lstm = state->kind == SEL_CELL_LSTM, single = sel_ndim(in[0]) == 1;
  const int64_t n = single ? 1 : sel_size(in[0], 0);
  sel_tensor *x = NULL, *h = NULL, *c = NULL, *result[2] = {NULL};
  sel_status status = take("input", in[0], single, single ? n : -1, state->input_size, &x);
  if (status == SEL_OK) status = take("h", in[1], single, n, state->size, &h);
  if (status == SEL_OK && lstm) status = take("c", in[2], single, n, state->size, &c);
  if (status == SEL_OK) status = step(self, x, h, c, &result[0], &result[1]);
  for (int i = 0; i < 2 && single && status == SEL_OK; i++) status = rnn_drop_dim(&result[i], 0);
  sel_release(x);
  sel_release(h);
  sel_release(c);
  for (int i = 0; i < (lstm ? 2 : 1); i++) {
    if (status == SEL_OK)
      outputs[i] = result[i];
    else
      sel_release(result[i]);
  }
  return status;
}

/* ---- descriptions ---- */

static const sel_option plain_options[] = {RNN_INPUT_SIZE, RNN_HIDDEN_SIZE, RNN_BIAS,
                                           RNN_NONLINEARITY, RNN_DTYPE};
static const sel_option options[] = {RNN_INPUT_SIZE, RNN_HIDDEN_SIZE, RNN_BIAS, RNN_DTYPE};
static const sel_port inputs[] = {{"input", "[N, input_size] or [input_size]", false},
                                  {"h", "[N, hidden_size] or [hidden_size]; zeros", true},
                                  {"c", "[N, hidden_size] or [hidden_size]; zeros", true}};
static const sel_port outputs[] = {{"h", "[N, hidden_size] or [hidden_size]", false},
                                   {"c", "[N, hidden_size] or [hidden_size]", false}};

const sel_layer_type rnn_rnn_cell = {
    .size = sizeof(sel_layer_type),
    .name = "rnn_cell",
    .summary = "one step of rnn: the new state from an input and the state",
    .example = "nn.rnn_cell(8, 16):forward(sel.randn(2, 8), sel.zeros(2, 16))",
    .n_options = RNN_COUNT(plain_options),
    .options = plain_options,
    .n_inputs = 2,
    .inputs = inputs,
    .n_outputs = 1,
    .outputs = outputs,
    .state_size = sizeof(cell),
    .init = init_rnn,
    .forward = forward};

const sel_layer_type rnn_lstm_cell = {
    .size = sizeof(sel_layer_type),
    .name = "lstm_cell",
    .summary = "one step of lstm: the new states from an input and the states",
    .example = "local h, c = nn.lstm_cell(8, 16)(sel.randn(2, 8))",
    .n_options = RNN_COUNT(options),
    .options = options,
    .n_inputs = 3,
    .inputs = inputs,
    .n_outputs = 2,
    .outputs = outputs,
    .state_size = sizeof(cell),
    .init = init_lstm,
    .forward = forward};

const sel_layer_type rnn_gru_cell = {
    .size = sizeof(sel_layer_type),
    .name = "gru_cell",
    .summary = "one step of gru: the new state from an input and the state",
    .example = "nn.gru_cell(8, 16):forward(sel.randn(2, 8))",
    .n_options = RNN_COUNT(options),
    .options = options,
    .n_inputs = 2,
    .inputs = inputs,
    .n_outputs = 1,
    .outputs = outputs,
    .state_size = sizeof(cell),
    .init = init_gru,
    .forward = forward};
