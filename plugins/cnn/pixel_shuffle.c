/* pixel_shuffle and pixel_unshuffle (Shi et al. 2016): channels into a finer grid, and back. */
#include "cnn.h"
#include "selenite/nn.h"

static sel_status init_shuffle(sel_layer *self, const sel_options *options) {
  *(int64_t *)sel_layer_state(self) = sel_options_int(options, "upscale_factor");
  return SEL_OK;
}
static sel_status init_unshuffle(sel_layer *self, const sel_options *options) {
  *(int64_t *)sel_layer_state(self) = sel_options_int(options, "downscale_factor");
  return SEL_OK;
}

static sel_status shuffle(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  return sel_pixel_shuffle(inputs[0], *(int64_t *)sel_layer_state(self), outputs);
}
static sel_status unshuffle(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  return sel_pixel_unshuffle(inputs[0], *(int64_t *)sel_layer_state(self), outputs);
}

static const sel_option up[] = {CNN_INT("upscale_factor", "r")};
static const sel_option down[] = {CNN_INT("downscale_factor", "r")};
static const sel_port coarse = {"input", "[N, C * r^2, height, width]", false};
static const sel_port fine_output = {"output", "[N, C, height * r, width * r]", false};
static const sel_port fine = {"input", "[N, C, height * r, width * r]", false};
static const sel_port coarse_output = {"output", "[N, C * r^2, height, width]", false};

static const sel_layer_type shuffle_type = {
    .size = sizeof(sel_layer_type),
    .name = "pixel_shuffle",
    .summary = "r^2 channels become r x r neighbours of a finer image",
    .example = "nn.pixel_shuffle(2):forward(sel.randn(1, 8, 3, 3))",
    .n_options = 1,
    .options = up,
    CNN_PORTS(coarse, fine_output),
    .state_size = sizeof(int64_t),
    .init = init_shuffle,
    .forward = shuffle};
static const sel_layer_type unshuffle_type = {
    .size = sizeof(sel_layer_type),
    .name = "pixel_unshuffle",
    .summary = "r x r neighbours become r^2 channels of a coarser image",
    .example = "nn.pixel_unshuffle(2):forward(sel.randn(1, 2, 6, 6))",
    .n_options = 1,
    .options = down,
    CNN_PORTS(fine, coarse_output),
    .state_size = sizeof(int64_t),
    .init = init_unshuffle,
    .forward = unshuffle};

const sel_layer_type *const cnn_pixel_shuffle_types[] = {&shuffle_type, &unshuffle_type, NULL};
