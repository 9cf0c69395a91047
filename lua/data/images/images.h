/* Pictures from files, PNG and JPEG, and whole lists of them as rows of a loader. */
#ifndef SEL_DATA_IMAGES_H
#define SEL_DATA_IMAGES_H

#ifndef SEL_FFI /* there the core's declarations are known already */
#include <selenite/data.h>
#endif

/* A PNG or JPEG file, told apart by its first bytes: u8 [height, width, channels] on the CPU, with
 * as many channels as the file has: 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA). New. */
SEL_API sel_status sel_image_read(const char *path, sel_tensor **out);
/* u8 [height, width], or [height, width, 1 or 3], as baseline JPEG; quality from 1 to 100. */
SEL_API sel_status sel_jpeg_write(const char *path, sel_tensor *image, int quality);
/* u8 [height, width, channels] to other sizes, as Pillow's BILINEAR does it: each pixel is a mean
 * of all that it covers, weighted by a triangle. New. */
SEL_API sel_status sel_image_resize(sel_tensor *image, int64_t height, int64_t width,
                                    sel_tensor **out);

/* ---- many files as rows ---- */

typedef enum sel_image_fit {
  SEL_IMAGE_CROP = 0, /* resized to just cover the size, then cut out of the middle */
  SEL_IMAGE_STRETCH,  /* resized to the size, whatever becomes of the proportions */
  SEL_IMAGE_EXACT     /* must be of this size */
} sel_image_fit;

typedef struct sel_image_settings {
  int64_t height, width; /* of every row; 0 with EXACT: the first file's that can be read */
  int channels;          /* 1: grey; 3: RGB. Alpha is dropped */
  sel_image_fit fit;
} sel_image_settings;

/* A list of files, decoded when a row is asked for: u8 [channels, height, width]. */
typedef struct sel_image_files sel_image_files;

SEL_API sel_status sel_image_files_new(int64_t n, const char *const *paths,
                                       const sel_image_settings *settings,
                                       sel_image_files **out); /* new */
SEL_API void sel_image_files_release(sel_image_files *files);
/* The rows. They hold on to the list by themselves, as sel_row_source tells. */
SEL_API void sel_image_files_source(sel_image_files *files, sel_row_source *out);

#endif
