/* Files: safetensors, NumPy's .npy and .npz, IDX. Readers are bounds-checked and never execute
 * anything; writers write a temporary file beside the target, sync it and rename it, so that a
 * failure leaves what was there. Gzip is recognised by its first bytes.
 */
#ifndef SELENITE_FILE_H
#define SELENITE_FILE_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Named tensors and text metadata: what a model file holds. Order is kept. */
typedef struct sel_archive sel_archive;

SEL_API sel_status sel_archive_new(sel_archive **out); /* new, empty */
SEL_API void sel_archive_release(sel_archive *archive);
SEL_API int sel_archive_count(const sel_archive *archive);
SEL_API const char *sel_archive_name(const sel_archive *archive, int i);            /* borrowed */
SEL_API sel_tensor *sel_archive_tensor(const sel_archive *archive, int i);          /* borrowed */
SEL_API sel_tensor *sel_archive_find(const sel_archive *archive, const char *name); /* or NULL */
/* Adds (or replaces) a tensor; a reference is kept. */
SEL_API sel_status sel_archive_add(sel_archive *archive, const char *name, sel_tensor *tensor);
SEL_API int sel_archive_metadata_count(const sel_archive *archive);
SEL_API const char *sel_archive_metadata_key(const sel_archive *archive, int i);   /* borrowed */
SEL_API const char *sel_archive_metadata_value(const sel_archive *archive, int i); /* borrowed */
SEL_API sel_status sel_archive_set_metadata(sel_archive *archive, const char *key,
                                            const char *value);

/* https://github.com/huggingface/safetensors (format): 8 bytes header length, JSON, data. Tensors
 * are read to the CPU. A dtype Selenite has not (I8, U16, F8, ...) is an error that names the
 * tensor. Tensors are written ordered as the reference implementation does, by dtype, then name, so
 * that the same archive makes the same file. */
SEL_API sel_status sel_safetensors_read(const char *path, sel_archive **out);
SEL_API sel_status sel_safetensors_write(const char *path, const sel_archive *archive);

/* NEP 1: .npy of versions 1 to 3, C or Fortran order, little endian; a .npz is a zip of them
 * (stored or deflated), names without ".npy", written stored and without metadata. bf16 has no
 * NumPy dtype: writing it is an error that says so. */
SEL_API sel_status sel_npy_read(const char *path, sel_tensor **out);
SEL_API sel_status sel_npy_write(const char *path, sel_tensor *tensor);
SEL_API sel_status sel_npz_read(const char *path, sel_archive **out);
SEL_API sel_status sel_npz_write(const char *path, const sel_archive *archive);

/* The IDX files of MNIST and its kin (big endian; element types u8, i32, f32, f64; i8 and i16
 * become i32), plain or gzipped. */
SEL_API sel_status sel_idx_read(const char *path, sel_tensor **out);

/* PNG images: u8 [height, width, channels] of 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA)
 * channels; [height, width] is written as grey. Files of other depths and with palettes are read as
 * 8 bits. */
SEL_API sel_status sel_png_write(const char *path, sel_tensor *image);
SEL_API sel_status sel_png_read(const char *path, sel_tensor **out);
/* The bytes that sel_png_write would write, as a new u8 tensor of one dimension. */
SEL_API sel_status sel_png_encode(sel_tensor *image, sel_tensor **out);

/* Writes `size` bytes of text or data the same atomic way. */
SEL_API sel_status sel_file_write(const char *path, const void *data, size_t size);

#ifdef __cplusplus
}
#endif
#endif
