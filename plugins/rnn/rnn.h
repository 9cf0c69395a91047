/* The layer types of this plugin, and what several of them share. */
#ifndef RNN_H
#define RNN_H

#include <math.h>

#include "selenite/layer.h"
#include "selenite/nn.h"

extern const sel_layer_type rnn_rnn, rnn_lstm, rnn_gru;
extern const sel_layer_type rnn_rnn_cell, rnn_lstm_cell, rnn_gru_cell, rnn_embedding;

#define RNN_TRY(expr)                        \
  do {                                       \
    sel_status rnn_try_ = (expr);            \
    if (rnn_try_ != SEL_OK) return rnn_try_; \
  } while (0)

#define RNN_COUNT(array) ((int)(sizeof(array) / sizeof *(array)))
enum { RNN_TEXT = 160 };

/* ---- parameters ---- a cell's are weight_ih, weight_hh, bias_ih, bias_hh, with a suffix. */

enum { RNN_WEIGHT_IH, RNN_WEIGHT_HH, RNN_BIAS_IH, RNN_BIAS_HH, RNN_PARAMETERS };

/* Adds a cell's four parameters, drawn uniformly from [-1 / sqrt(size), 1 / sqrt(size)); without
 * `bias` the last two are names without tensor. */
sel_status rnn_add_cell(sel_layer *self, sel_cell cell, int64_t input_size, int64_t size, bool bias,
                        sel_dtype dtype, const char *suffix);
/* The cell the option `nonlinearity` names. */
sel_cell rnn_plain_cell(const sel_options *options);
/* Reads the option `dtype`, which must be a float dtype. */
sel_status rnn_parameter_dtype(const sel_options *options, sel_dtype *out);

/* ---- shapes ---- */

/* Fails unless t has these extents; -1 fits any. `what`: its port. */
sel_status rnn_expect_shape(const char *what, const sel_tensor *t, int ndim, const int64_t *shape);
/* *t, owned, becomes its view without or with a dim of extent 1 at `dim`; NULL stays NULL. */
sel_status rnn_drop_dim(sel_tensor **t, int dim);
sel_status rnn_insert_dim(sel_tensor **t, int dim);

/* ---- options ---- */

#define RNN_SIZE(option_name, words)                                                           \
  {                                                                                            \
    .name = option_name, .kind = SEL_OPTION_INT, .required = true, .low = 1, .high = INFINITY, \
    .doc = words                                                                               \
  }
#define RNN_BOOL(option_name, text, words) \
  { .name = option_name, .kind = SEL_OPTION_BOOL, .default_text = text, .doc = words }
#define RNN_INPUT_SIZE RNN_SIZE("input_size", "features of the input")
#define RNN_HIDDEN_SIZE RNN_SIZE("hidden_size", "features of the state")
#define RNN_BIAS RNN_BOOL("bias", "true", "whether biases are added")
#define RNN_NONLINEARITY                                                       \
  {                                                                            \
    .name = "nonlinearity", .kind = SEL_OPTION_STRING, .default_text = "tanh", \
    .choices = "tanh|relu", .doc = "what the new state passes through"         \
  }
#define RNN_DTYPE \
  { .name = "dtype", .kind = SEL_OPTION_DTYPE, .default_text = "f32", .doc = "of the parameters" }

#endif
