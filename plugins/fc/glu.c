/* glu (Dauphin et al. 2017): one half of the input, gated by the sigmoid of the other. */
#include "fc.h"
#include "selenite/ops.h"

static sel_status init(sel_layer *self, const sel_options *options) {
  return sel_options_dim(options, "dim", sel_layer_state(self));
}

static sel_status gate(sel_tensor *x, int dim, int64_t half, sel_tensor **out) {
  sel_tensor *value = NULL, *score = NULL, *gate = NULL;
  sel_status status = sel_narrow(x, dim, 0, half, &value);
  if (status == SEL_OK) status = sel_narrow(x, dim, half, half, &score);
  if (status == SEL_OK) status = sel_sigmoid(score, &gate);
  if (status == SEL_OK) status = sel_mul(value, gate, out);
  sel_release(value);
  sel_release(score);
  sel_release(gate);
  return status;
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  sel_tensor *x = inputs[0];
  int dim = 0;
  char text[160];
  FC_TRY(fc_find_dim(x, "dim", *(int *)sel_layer_state(self), &dim));
  int64_t extent = sel_size(x, dim);
  if (extent % 2 != 0)
    return sel_fail(SEL_E_SHAPE, "an even extent of dim %d is expected, got %s", dim + 1,
                    sel_describe(x, text, sizeof text));
  return gate(x, dim, extent / 2, outputs);
}

static const sel_option options[] = {{.name = "dim",
                                      .kind = SEL_OPTION_INT,
                                      .default_text = "-1",
                                      .doc = "dim that is halved, counted from 1; -1 is the last"}};
static const sel_port input = {"input", "[*, 2 n, *]", false};
static const sel_port output = {"output", "[*, n, *]", false};

const sel_layer_type fc_glu = {.size = sizeof(sel_layer_type),
                               .name = "glu",
                               .summary = "first half of dim, times the sigmoid of the second half",
                               .example = "nn.glu():forward(sel.randn(4, 6))",
                               .n_options = FC_COUNT(options),
                               .options = options,
                               .n_inputs = 1,
                               .inputs = &input,
                               .n_outputs = 1,
                               .outputs = &output,
                               .state_size = sizeof(int),
                               .init = init,
                               .forward = forward};
