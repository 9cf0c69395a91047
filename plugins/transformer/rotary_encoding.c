/* rotary_encoding (Su et al. 2021): turns pairs of features by angles that grow with the position,
 * so that the product of a query and a key depends on how far apart they are. It has no parameters
 * and goes on queries and keys, head by head. */
#include "encoding.h"

typedef struct turn {
  int64_t size;
  double base;
  bool interleaved;
} turn;

static sel_status init(sel_layer *self, const sel_options *options) {
  turn *state = sel_layer_state(self);
  *state = (turn){.size = sel_options_int(options, "size"),
                  .base = sel_options_number(options, "base"),
                  .interleaved = sel_options_bool(options, "interleaved")};
  if (state->size % 2 != 0)
    return sel_fail(SEL_E_ARGUMENT, "option size is even, got %lld", (long long)state->size);
  return SEL_OK;
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const turn *state = sel_layer_state(self);
  const sel_tensor *x = inputs[0];
  int64_t offset = 0;
  char text[160];
  if (sel_ndim(x) < 2 || sel_size(x, -1) != state->size)
    return sel_fail(SEL_E_SHAPE, "input: expected [*, length, %lld], got %s",
                    (long long)state->size, sel_describe(x, text, sizeof text));
  TF_TRY(tf_read_offset(inputs[1], &offset));
  return sel_rotary(inputs[0], offset, state->base, state->interleaved, outputs);
}

static const sel_option options[] = {
    {.name = "size",
     .kind = SEL_OPTION_INT,
     .required = true,
     .low = 2,
     .high = INFINITY,
     .doc = "features of a head, an even number"},
    {.name = "base",
     .kind = SEL_OPTION_NUMBER,
     .default_text = "10000",
     .low = 1,
     .high = INFINITY,
     .doc = "pair j turns by base^(-2j / size) from one position to the next"},
    {.name = "interleaved",
     .kind = SEL_OPTION_BOOL,
     .default_text = "false",
     .doc = "pairs are neighbours (GPT-J) instead of halves apart (GPT-NeoX, Llama)"}};
static const sel_port inputs[] = {{"input", "[*, length, size]", false}, TF_OFFSET_PORT};
static const sel_port output = {"output", "the input's shape", false};

const sel_layer_type transformer_rotary_encoding = {
    .size = sizeof(sel_layer_type),
    .name = "rotary_encoding",
    .summary = "turns queries and keys by angles that grow with the position",
    .example = "nn.rotary_encoding(8):forward(sel.randn(2, 4, 5, 8)) -- [N, heads, length, size]",
    .n_options = TF_COUNT(options),
    .options = options,
    .n_inputs = TF_COUNT(inputs),
    .inputs = inputs,
    .n_outputs = 1,
    .outputs = &output,
    .state_size = sizeof(turn),
    .init = init,
    .forward = forward};
