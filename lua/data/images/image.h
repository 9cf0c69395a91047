/* What the files of this library share: pictures as u8 tensors [height, width, channels], and which
 * size one is wanted in. */
#ifndef SEL_DATA_IMAGE_H
#define SEL_DATA_IMAGE_H

#include <selenite/tensor.h>

#include "check.h"
#include "images.h"

/* An uninitialised picture on the CPU. New. */
sel_status image_new(int64_t height, int64_t width, int64_t channels, sel_tensor **out);

/* The size of a picture of height x width just before the middle is cut out of it. */
void image_fit(const sel_image_settings *wanted, int64_t height, int64_t width, int64_t size[2]);

/* A PNG or JPEG file. wanted: a JPEG that is much larger than that may be decoded at a half, a
 * quarter or an eighth of its size; NULL: as it is. Errors don't name the file. New. */
sel_status image_decode(const char *path, const sel_image_settings *wanted, sel_tensor **out);
sel_status image_decode_jpeg(const char *path, const sel_image_settings *wanted, sel_tensor **out);

/* n channels a pixel to `channels`, 1 or 3. `image` itself where nothing changes. New. */
sel_status image_to_channels(sel_tensor *image, int channels, sel_tensor **out);

/* The rows top...top + height - 1 and columns left...left + width - 1 of the picture resized to
 * `size`. New. */
sel_status image_resample(sel_tensor *image, const int64_t size[2], int64_t top, int64_t left,
                          int64_t height, int64_t width, sel_tensor **out);

/* Puts "OPERATION: PATH: " before the text of a failure. */
sel_status image_name_file(sel_status status, const char *operation, const char *path);

#endif
