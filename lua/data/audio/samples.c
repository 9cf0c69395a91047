/* See samples.h. */
#include "samples.h"

sel_status samples_new(int64_t channels, int64_t frames, sel_tensor **out) {
  sel_device *cpu;
  SEL_TRY(sel_device_find("cpu", &cpu));
  return sel_empty(2, (int64_t[]){channels, frames}, SEL_F32, cpu, out);
}

sel_status samples_check(const char *operation, const sel_tensor *samples) {
  char text[256];
  sel_describe(samples, text, sizeof text);
  SEL_CHECK(sel_tensor_dtype(samples) == SEL_F32 && sel_ndim(samples) == 2 &&
                sel_is_contiguous(samples) && sel_size(samples, 0) >= 1,
            SEL_E_SHAPE, "%s: expected samples f32[channels, frames], got %s", operation, text);
  return SEL_OK;
}

float *samples_channel(const sel_tensor *samples, int64_t channel) {
  return (float *)sel_data(samples) + channel * sel_size(samples, 1);
}
