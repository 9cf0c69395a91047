/* learned_encoding: adds a trained row for each position, weight [max_len, d_model], drawn as GPT-2
 * does, normal with standard deviation 0.02. */
#include "encoding.h"

static sel_status init(sel_layer *self, const sel_options *options) {
  const int64_t shape[] = {sel_options_int(options, "max_len"),
                           sel_options_int(options, "d_model")};
  sel_dtype dtype = SEL_F32;
  TF_TRY(tf_float_dtype(options, &dtype));
  *(tf_encoding *)sel_layer_state(self) =
      (tf_encoding){.batch_first = sel_options_bool(options, "batch_first"),
                    .dropout = sel_options_number(options, "dropout")};
  return tf_add_normal(self, "weight", 2, shape, dtype, 0.02);
}

static const sel_option options[] = {TF_D_MODEL,
                                     {.name = "max_len",
                                      .kind = SEL_OPTION_INT,
                                      .required = true,
                                      .low = 1,
                                      .high = INFINITY,
                                      .doc = "rows of the table"},
                                     TF_ENCODING_DROPOUT,
                                     TF_ENCODING_BATCH_FIRST,
                                     TF_DTYPE};
static const sel_port inputs[] = {{"input", "[L, N, d_model]", false}, TF_OFFSET_PORT};
static const sel_port output = {"output", "the input's shape", false};

const sel_layer_type transformer_learned_encoding = {
    .size = sizeof(sel_layer_type),
    .name = "learned_encoding",
    .summary = "adds a trained row of weight [max_len, d_model] for each position",
    .example = "nn.learned_encoding(16, 100):forward(sel.randn(5, 2, 16))",
    .n_options = TF_COUNT(options),
    .options = options,
    .n_inputs = TF_COUNT(inputs),
    .inputs = inputs,
    .n_outputs = 1,
    .outputs = &output,
    .state_size = sizeof(tf_encoding),
    .init = init,
    .forward = tf_encoding_forward};
