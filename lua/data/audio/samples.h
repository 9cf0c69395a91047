/* The form of samples that this library's functions take and give. */
#ifndef SEL_DATA_SAMPLES_H
#define SEL_DATA_SAMPLES_H

#include <selenite/tensor.h>

#include "audio.h"
#include "check.h"

/* [channels, frames], uninitialised. New. */
sel_status samples_new(int64_t channels, int64_t frames, sel_tensor **out);
/* samples are f32 [channels, frames] in contiguous memory of the CPU. */
sel_status samples_check(const char *operation, const sel_tensor *samples);
/* The samples of one channel. Borrowed. */
float *samples_channel(const sel_tensor *samples, int64_t channel);

#endif
