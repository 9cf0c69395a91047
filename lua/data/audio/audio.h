/* Sound: files, sampling rates, short-time Fourier transforms. Samples are f32 [channels, frames]
 * on the CPU, from -1 to 1. */
#ifndef SEL_DATA_AUDIO_H
#define SEL_DATA_AUDIO_H

#ifndef SEL_FFI /* there the core's declarations are known already */
#include <selenite/tensor.h>
#endif

typedef struct sel_sound {
  sel_tensor *samples; /* new */
  int rate;            /* frames a second */
} sel_sound;

/* WAV, and what else libsndfile reads (FLAC, Ogg, AIFF, ...). */
SEL_API sel_status sel_sound_read(const char *path, sel_sound *out);
/* A WAV file; bits: 8, 16, 24 or 32 of an integer, -32 for a float. What is beyond -1 to 1 is
 * clipped where samples are integers. */
SEL_API sel_status sel_sound_write(const char *path, sel_tensor *samples, int rate, int bits);

typedef enum sel_resampling {
  SEL_RESAMPLING_BEST = 0, /* libsamplerate's windowed sinc of this quality */
  SEL_RESAMPLING_MEDIUM,
  SEL_RESAMPLING_FAST
} sel_resampling;

/* round(frames * to / from) frames. New. */
SEL_API sel_status sel_sound_resample(sel_tensor *samples, int from, int to, sel_resampling quality,
                                      sel_tensor **out);

/* window: f32 [up to n_fft], put into the middle of a frame. center: frames are centred on samples
 * 0, hop, 2 hop, ..., the sound being mirrored at its ends; else the first begins at sample 0.
 * f32 [channels, n_fft / 2 + 1, frames, 2], real and imaginary part. New. */
SEL_API sel_status sel_sound_stft(sel_tensor *samples, int n_fft, int hop, sel_tensor *window,
                                  bool center, sel_tensor **out);

#endif
