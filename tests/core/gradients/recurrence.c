/* Samples of recurrence: every cell, both directions, lengths, initial and final states. */
#include "sample.h"

enum { FORWARD, REVERSE };

static sel_status run(const sample *s, sel_tensor *const *in, sel_tensor *lengths, sel_tensor **out,
                      sel_tensor **h, sel_tensor **c) {
  return sel_recurrence((sel_cell)s->number[0], in[0], in[1], in[2], in[3], in[4], lengths,
                        s->number[1] == REVERSE, out, h, c);
}

/* number[0]: cell, number[1]: direction, number[2]: with lengths */
static sel_status run_outputs(const sample *s, sel_tensor *const *in, sel_tensor **out) {
  return run(s, in, NULL, out, NULL, NULL);
}

static sel_status lengths_for(const sel_tensor *inputs, sel_tensor **out) {
  static const int64_t values[] = {3, 1, 2};
  const int64_t n = sel_size(inputs, 1);
  return sel_from_data(1, &n, SEL_I64, NULL, values, (size_t)n * sizeof *values, out);
}

/* The outputs of all steps and the final states, one after the other. */
static sel_status run_all(const sample *s, sel_tensor *const *in, sel_tensor **out) {
  sel_tensor *lengths = NULL, *y = NULL, *h = NULL, *c = NULL, *flat[3] = {NULL};
  sel_status status = s->number[2] != 0 ? lengths_for(in[0], &lengths) : SEL_OK;
  if (status == SEL_OK) status = run(s, in, lengths, &y, &h, &c);
  sel_tensor *parts[] = {y, h, c};
  int n = 0;
  for (int i = 0; i < 3 && status == SEL_OK; i++)
    if (parts[i]) status = sel_flatten(parts[i], 0, -1, &flat[n++]);
  if (status == SEL_OK) status = sel_cat(n, flat, 0, out);
  for (int i = 0; i < 3; i++) sel_release(parts[i]), sel_release(flat[i]);
  sel_release(lengths);
  return status;
}

#define PLAIN_INPUTS X(-1, 1, 3, 3, 2), X(-1, 1, 2, 2), XS(-1, 1, 2), XT(-1, 1, 3, 2), NO_INPUT
#define LSTM_INPUTS \
  XT(-1, 1, 3, 3, 8), XT(-1, 1, 8, 2), X(-1, 1, 8), X(-1, 1, 3, 2), XS(-1, 1, 3, 2)
#define GRU_INPUTS X(-1, 1, 3, 3, 6), X(-1, 1, 6, 2), X(-1, 1, 6), XS(-1, 1, 3, 2), NO_INPUT
#define FIRST_ORDER .first_order = true
#define ALL(what_, inputs, ...) \
  SAMPLE("recurrence", what_, run_all, {inputs}, {__VA_ARGS__}, .inner = true, FIRST_ORDER)
#define OUTPUTS(what_, cell_, ...) \
  SAMPLE("recurrence", what_, run_outputs, {__VA_ARGS__}, {cell_}, FIRST_ORDER)

static const sample samples[] = {
    OUTPUTS("tanh, outputs", SEL_CELL_TANH, X(-1, 1, 2, 3, 2), X(-1, 1, 2, 2), NO_INPUT, NO_INPUT,
            NO_INPUT),
    OUTPUTS("relu, outputs, one step", SEL_CELL_RELU, X(-1, 1, 1, 3, 2), X(-1, 1, 2, 2), NO_INPUT,
            XS(-1, 1, 3, 2), NO_INPUT),
    OUTPUTS("lstm, outputs", SEL_CELL_LSTM, XS(-1, 1, 2, 2, 8), X(-1, 1, 8, 2), NO_INPUT, NO_INPUT,
            NO_INPUT),
    OUTPUTS("lstm, one step", SEL_CELL_LSTM, X(-1, 1, 1, 2, 8), X(-1, 1, 8, 2), NO_INPUT, NO_INPUT,
            X(-1, 1, 2, 2)),
    OUTPUTS("gru, outputs", SEL_CELL_GRU, X(-1, 1, 2, 3, 6), XT(-1, 1, 6, 2), NO_INPUT, NO_INPUT,
            NO_INPUT),
    ALL("tanh", PLAIN_INPUTS, SEL_CELL_TANH, FORWARD, 0),
    ALL("tanh, reverse", PLAIN_INPUTS, SEL_CELL_TANH, REVERSE, 0),
    ALL("tanh, lengths", PLAIN_INPUTS, SEL_CELL_TANH, FORWARD, 1),
    ALL("relu, lengths, reverse", PLAIN_INPUTS, SEL_CELL_RELU, REVERSE, 1),
    ALL("lstm", LSTM_INPUTS, SEL_CELL_LSTM, FORWARD, 0),
    ALL("lstm, reverse", LSTM_INPUTS, SEL_CELL_LSTM, REVERSE, 0),
    ALL("lstm, lengths", LSTM_INPUTS, SEL_CELL_LSTM, FORWARD, 1),
    ALL("lstm, lengths, reverse", LSTM_INPUTS, SEL_CELL_LSTM, REVERSE, 1),
    ALL("gru", GRU_INPUTS, SEL_CELL_GRU, FORWARD, 0),
    ALL("gru, reverse", GRU_INPUTS, SEL_CELL_GRU, REVERSE, 0),
    ALL("gru, lengths", GRU_INPUTS, SEL_CELL_GRU, FORWARD, 1),
    ALL("gru, lengths, reverse", GRU_INPUTS, SEL_CELL_GRU, REVERSE, 1),
};

void visit_recurrence_samples(sample_visitor visit, void *context) {
  for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) visit(context, &samples[i]);
}
