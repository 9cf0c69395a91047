/* embedding: rows of a table, by id. Ids count from 0, padding_idx too. */
#include "rnn.h"
#include "selenite/autograd.h"
#include "selenite/ops.h"

typedef struct table {
  int64_t padding; /* -1: none */
} table;

static sel_status fill(sel_tensor *weight, int64_t padding) {
  sel_tensor *row = NULL;
  RNN_TRY(sel_normal_(weight, 0, 1));
  if (padding < 0) return SEL_OK;
  RNN_TRY(sel_select(weight, 0, padding, &row));
  sel_status status = sel_fill_(row, 0);
  sel_release(row);
  return status;
}

static sel_status init(sel_layer *self, const sel_options *options) {
  table *state = sel_layer_state(self);
  const int64_t shape[] = {sel_options_int(options, "num_embeddings"),
                           sel_options_int(options, "embedding_dim")};
  sel_dtype dtype = SEL_F32;
  sel_tensor *weight = NULL;
  state->padding = sel_options_int(options, "padding_idx");
  if (state->padding >= shape[0])
    return sel_fail(SEL_E_ARGUMENT, "option padding_idx is %lld, but the ids end at %lld",
                    (long long)state->padding, (long long)shape[0] - 1);
  RNN_TRY(rnn_parameter_dtype(options, &dtype));
  RNN_TRY(sel_empty(2, shape, dtype, NULL, &weight));
  sel_status status = fill(weight, state->padding);
  if (status != SEL_OK) {
    sel_release(weight);
    return status;
  }
  return sel_layer_add_parameter(self, "weight", weight);
}

/* *rows, owned: the same without a gradient where the id is padding. */
static sel_status without_gradient(sel_tensor *ids, int64_t padding, sel_tensor **rows) {
  sel_tensor *is_padding = NULL, *constant = NULL, *mixed = NULL;
  sel_status status = sel_eq_scalar(ids, (double)padding, &is_padding);
  if (status == SEL_OK) status = rnn_insert_dim(&is_padding, -1);
  if (status == SEL_OK) status = sel_detach(*rows, &constant);
  if (status == SEL_OK) status = sel_where(is_padding, constant, *rows, &mixed);
  sel_release(is_padding);
  sel_release(constant);
  if (status != SEL_OK) return status;
  sel_release(*rows);
  *rows = mixed;
  return SEL_OK;
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const table *state = sel_layer_state(self);
  sel_tensor *rows = NULL;
  RNN_TRY(sel_embedding(sel_layer_slot(self, 0), inputs[0], &rows));
  sel_status status = SEL_OK;
  if (state->padding >= 0 && sel_requires_grad(rows))
    status = without_gradient(inputs[0], state->padding, &rows);
  if (status == SEL_OK)
    *outputs = rows;
  else
    sel_release(rows);
  return status;
}

static const sel_option options[] = {
    RNN_SIZE("num_embeddings", "rows of the table"),
    RNN_SIZE("embedding_dim", "numbers a row"),
    {.name = "padding_idx",
     .kind = SEL_OPTION_INT,
     .default_text = "-1",
     .low = -1,
     .high = INFINITY,
     .doc = "id, from 0, whose row starts as zero and is not trained; -1: none"},
    RNN_DTYPE};
static const sel_port input = {"input", "[*], i64 or i32 ids from 0", false};
static const sel_port output = {"output", "[*, embedding_dim]", false};

const sel_layer_type rnn_embedding = {
    .size = sizeof(sel_layer_type),
    .name = "embedding",
    .summary = "rows of a table, weight [num_embeddings, embedding_dim], by id",
    .example = "nn.embedding(100, 16):forward(sel.tensor({3, 1, 4}, {dtype = \"i64\"}))",
    .n_options = RNN_COUNT(options),
    .options = options,
    .n_inputs = 1,
    .inputs = &input,
    .n_outputs = 1,
    .outputs = &output,
    .state_size = sizeof(table),
    .init = init,
    .forward = forward};
