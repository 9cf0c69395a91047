/* Short-time Fourier transform, as torch.stft: windowed pieces of a sound, each transformed by
 * KISS FFT, which works for any even length. */
#include <kiss_fftr.h>
#include <stdlib.h>

#include "samples.h"

typedef struct plan {
  int n_fft, hop, bins, window_start;
  int64_t pad, length, frames; /* pad: samples that are mirrored at each end; length: without */
  const float *window;
  int64_t window_size;
  kiss_fftr_cfg transform;
  float *piece;
  kiss_fft_cpx *spectrum;
} plan;

/* Position i of the sound with mirrored ends, the last sample not doubled. */
static int64_t position(const plan *p, int64_t i) {
  i -= p->pad;
  if (i < 0) return -i;
  return i < p->length ? i : 2 * (p->length - 1) - i;
}

static void transform_frame(const plan *p, const float *x, int64_t frame, float *out) {
  for (int i = 0; i < p->n_fft; i++) p->piece[i] = 0;
  for (int64_t i = 0; i < p->window_size; i++) {
    int64_t at = p->window_start + i;
    p->piece[at] = x[position(p, frame * p->hop + at)] * p->window[i];
  }
  kiss_fftr(p->transform, p->piece, p->spectrum);
  for (int k = 0; k < p->bins; k++) {
    float *to = out + 2 * (k * p->frames + frame);
    to[0] = p->spectrum[k].r;
    to[1] = p->spectrum[k].i;
  }
}

static sel_status check(const sel_tensor *samples, int n_fft, int hop, const sel_tensor *window,
                        bool center) {
  char text[256];
  SEL_TRY(samples_check("stft", samples));
  SEL_CHECK(n_fft >= 2 && n_fft % 2 == 0 && n_fft <= 1 << 20, SEL_E_ARGUMENT,
            "stft: expected an even n_fft from 2 to %d, got %d", 1 << 20, n_fft);
  SEL_CHECK(hop >= 1, SEL_E_ARGUMENT, "stft: expected a hop_length of 1 or more, got %d", hop);
  SEL_CHECK(sel_tensor_dtype(window) == SEL_F32 && sel_ndim(window) == 1 &&
                sel_is_contiguous(window) && sel_numel(window) >= 1 && sel_numel(window) <= n_fft,
            SEL_E_SHAPE, "stft: expected a window f32[1 to %d], got %s", n_fft,
            sel_describe(window, text, sizeof text));
  int64_t least = center ? n_fft / 2 + 1 : n_fft, length = sel_size(samples, 1);
  SEL_CHECK(length >= least, SEL_E_SHAPE,
            "stft: expected %lld samples or more for an n_fft of %d, got %lld", (long long)least,
            n_fft, (long long)length);
  return SEL_OK;
}

static sel_status run(plan *p, const sel_tensor *samples, sel_tensor **out) {
  int64_t channels = sel_size(samples, 0);
  int64_t shape[] = {channels, p->bins, p->frames, 2};
  sel_tensor *result;
  SEL_TRY(sel_empty(4, shape, SEL_F32, sel_tensor_device(samples), &result));
  for (int64_t c = 0; c < channels; c++)
    for (int64_t f = 0; f < p->frames; f++)
      transform_frame(p, samples_channel(samples, c), f,
                      (float *)sel_data(result) + c * p->bins * p->frames * 2);
  *out = result;
  return SEL_OK;
}

sel_status sel_sound_stft(sel_tensor *samples, int n_fft, int hop, sel_tensor *window, bool center,
                          sel_tensor **out) {
  SEL_TRY(check(samples, n_fft, hop, window, center));
  plan p = {.n_fft = n_fft,
            .hop = hop,
            .bins = n_fft / 2 + 1,
            .pad = center ? n_fft / 2 : 0,
            .length = sel_size(samples, 1),
            .window = sel_data(window),
            .window_size = sel_numel(window)};
  p.window_start = (int)(n_fft - p.window_size) / 2;
  p.frames = 1 + (p.length + 2 * p.pad - n_fft) / hop;
  p.transform = kiss_fftr_alloc(n_fft, 0, NULL, NULL);
  p.piece = malloc((size_t)n_fft * sizeof *p.piece);
  p.spectrum = malloc((size_t)p.bins * sizeof *p.spectrum);
  bool enough = p.transform && p.piece && p.spectrum;
  sel_status status =
      enough ? run(&p, samples, out) : sel_fail(SEL_E_MEMORY, "stft: out of host memory");
  kiss_fftr_free(p.transform);
  free(p.piece);
  free(p.spectrum);
  return status;
}
