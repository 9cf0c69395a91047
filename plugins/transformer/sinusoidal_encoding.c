/* sinusoidal_encoding (Vaswani et al. 2017, section 3.5): position p adds sin(p / 10000^(2i /
 * d_model)) to feature 2i and the cosine to feature 2i + 1.
 *
 * The table is the buffer pe [max_len, 1, d_model], as in PyTorch's tutorial on transformers. */
#include "encoding.h"

/* Angles in f64: at position 5000, f32 would be off by 3e-4. */
static sel_status make_table(int64_t positions, int64_t features, sel_dtype dtype,
                             sel_tensor **out) {
  sel_device *host = NULL;
  TF_TRY(sel_device_find("cpu", &host));
  tf_composition c = {.status = SEL_OK};
  sel_tensor *exponent = TF(&c, arange, 0, (double)features, 2, SEL_F64, host);
  exponent = TF(&c, mul_scalar, exponent, -log(10000) / (double)features);
  sel_tensor *frequency = TF(&c, exp, exponent);
  sel_tensor *position = TF(&c, arange, 0, (double)positions, 1, SEL_F64, host);
  position = TF(&c, unsqueeze, position, 1);
  sel_tensor *angle = TF(&c, mul, position, frequency);
  sel_tensor *waves[] = {TF(&c, sin, angle), TF(&c, cos, angle)};
  sel_tensor *pairs = TF(&c, stack, 2, waves, -1);
  sel_tensor *table =
      TF(&c, reshape, pairs, 3, ((const int64_t[]){positions, 1, (features + 1) / 2 * 2}));
  table = TF(&c, narrow, table, -1, 0, features);
  table = TF(&c, to, table, dtype, sel_default_device());
  return tf_end(&c, TF(&c, contiguous, table), out);
}

static sel_status init(sel_layer *self, const sel_options *options) {
  sel_tensor *table = NULL;
  sel_dtype dtype = SEL_F32;
  TF_TRY(tf_float_dtype(options, &dtype));
  *(tf_encoding *)sel_layer_state(self) =
      (tf_encoding){.batch_first = sel_options_bool(options, "batch_first"),
                    .dropout = sel_options_number(options, "dropout")};
  TF_TRY(make_table(sel_options_int(options, "max_len"), sel_options_int(options, "d_model"), dtype,
                    &table));
  return sel_layer_add_buffer(self, "pe", table, true);
}

static const sel_option options[] = {TF_D_MODEL,
                                     {.name = "max_len",
                                      .kind = SEL_OPTION_INT,
                                      .default_text = "5000",
                                      .low = 1,
                                      .high = INFINITY,
                                      .doc = "positions of the table"},
                                     TF_ENCODING_DROPOUT,
                                     TF_ENCODING_BATCH_FIRST,
                                     TF_DTYPE};
static const sel_port inputs[] = {{"input", "[L, N, d_model]", false}, TF_OFFSET_PORT};
static const sel_port output = {"output", "the input's shape", false};

const sel_layer_type transformer_sinusoidal_encoding = {
    .size = sizeof(sel_layer_type),
    .name = "sinusoidal_encoding",
    .summary = "adds sines and cosines of the position, in many wavelengths",
    .example = "nn.sinusoidal_encoding(16):forward(sel.randn(5, 2, 16))",
    .n_options = TF_COUNT(options),
    .options = options,
    .n_inputs = TF_COUNT(inputs),
    .inputs = inputs,
    .n_outputs = 1,
    .outputs = &output,
    .state_size = sizeof(tf_encoding),
    .init = init,
    .forward = tf_encoding_forward};
