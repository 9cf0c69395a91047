/* flatten: joins the dims start_dim to end_dim into one. */
#include "fc.h"
#include "selenite/ops.h"

typedef struct flatten {
  int start, end; /* as sel_options_dim gives them */
} flatten;

static sel_status init(sel_layer *self, const sel_options *options) {
  flatten *state = sel_layer_state(self);
  FC_TRY(sel_options_dim(options, "start_dim", &state->start));
  return sel_options_dim(options, "end_dim", &state->end);
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const flatten *state = sel_layer_state(self);
  int start = 0, end = 0;
  char text[160];
  FC_TRY(fc_find_dim(inputs[0], "start_dim", state->start, &start));
  FC_TRY(fc_find_dim(inputs[0], "end_dim", state->end, &end));
  if (start > end)
    return sel_fail(SEL_E_SHAPE, "start_dim %d comes after end_dim %d of the input %s", start + 1,
                    end + 1, sel_describe(inputs[0], text, sizeof text));
  return sel_flatten(inputs[0], start, end, outputs);
}

static const sel_option options[] = {{.name = "start_dim",
                                      .kind = SEL_OPTION_INT,
                                      .default_text = "2",
                                      .doc = "first dim to join, counted from 1"},
                                     {.name = "end_dim",
                                      .kind = SEL_OPTION_INT,
                                      .default_text = "-1",
                                      .doc = "last dim to join; -1 is the last there is"}};
static const sel_port input = {"input", "[N, *]", false};
static const sel_port output = {"output", "[N, product of *]", false};

const sel_layer_type fc_flatten = {.size = sizeof(sel_layer_type),
                                   .name = "flatten",
                                   .summary = "joins neighbouring dims into one",
                                   .example = "nn.flatten():forward(sel.randn(32, 28, 28))",
                                   .n_options = FC_COUNT(options),
                                   .options = options,
                                   .n_inputs = 1,
                                   .inputs = &input,
                                   .n_outputs = 1,
                                   .outputs = &output,
                                   .state_size = sizeof(flatten),
                                   .init = init,
                                   .forward = forward};
