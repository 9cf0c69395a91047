/* Other sampling rates, by libsamplerate's band-limited interpolation (Smith 2002): what can't be
 * told at the lower of both rates is filtered out. */
#include <math.h>
#include <samplerate.h>
#include <string.h>

#include "samples.h"

static sel_status resample_channel(const float *from, int64_t n, float *to, int64_t wanted,
                                   double ratio, int converter) {
  SRC_DATA data = {.data_in = from,
                   .data_out = to,
                   .input_frames = (long)n,
                   .output_frames = (long)wanted,
                   .src_ratio = ratio};
  int failed = src_simple(&data, converter, 1);
  SEL_CHECK(!failed, SEL_E_MEMORY, "resample: %s", src_strerror(failed));
  /* It may end a frame early. */
  memset(to + data.output_frames_gen, 0, (size_t)(wanted - data.output_frames_gen) * sizeof *to);
  return SEL_OK;
}

sel_status sel_sound_resample(sel_tensor *samples, int from, int to, sel_resampling quality,
                              sel_tensor **out) {
  static const int converters[] = {SRC_SINC_BEST_QUALITY, SRC_SINC_MEDIUM_QUALITY,
                                   SRC_SINC_FASTEST};
  SEL_TRY(samples_check("resample", samples));
  double ratio = (double)to / from;
  SEL_CHECK(from >= 1 && to >= 1 && src_is_valid_ratio(ratio), SEL_E_ARGUMENT,
            "resample: expected rates of 1 or more whose ratio is at most 256, got %d and %d", from,
            to);
  SEL_CHECK((unsigned)quality < 3, SEL_E_ARGUMENT, "resample: there is no quality %d",
            (int)quality);
  int64_t channels = sel_size(samples, 0), n = sel_size(samples, 1);
  int64_t wanted = (int64_t)llround((double)n * ratio);
  sel_tensor *result;
  SEL_TRY(samples_new(channels, wanted, &result));
  sel_status status = SEL_OK;
  for (int64_t c = 0; c < channels && wanted > 0 && status == SEL_OK; c++)
    status = resample_channel(samples_channel(samples, c), n, samples_channel(result, c), wanted,
                              ratio, converters[quality]);
  if (status != SEL_OK) {
    sel_release(result);
    return status;
  }
  *out = result;
  return SEL_OK;
}
