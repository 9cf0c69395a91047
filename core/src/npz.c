/* NumPy's .npz: a zip with one .npy an array, read through libzip and written stored, as np.savez
 * does. What a hostile zip can claim is bounded by the file's size before memory is allocated. */
#include <inttypes.h>
#include <string.h>
#include <zip.h>

#include "atomic_file.h"
#include "file_error.h"
#include "host_bytes.h"
#include "input_file.h"
#include "npy.h"
#include "selenite/file.h"

#define EXTENSION ".npy"

/* ---- reading ---- */

static sel_status read_entry_bytes(void *context, void *destination, size_t size) {
  zip_file_t *file = context;
  char *to = destination;
  while (size > 0) {
    zip_int64_t got = zip_fread(file, to, size);
    SEL_CHECK(got >= 0, SEL_E_FILE, "cannot read: %s", zip_file_strerror(file));
    SEL_CHECK(got > 0, SEL_E_FILE, "expected %zu bytes more, found the end", size);
    to += got, size -= (size_t)got;
  }
  return SEL_OK;
}

/* libzip compares the checksum when it meets the end. */
static sel_status expect_end(zip_file_t *file) {
  char rest;
  zip_int64_t got = zip_fread(file, &rest, 1);
  SEL_CHECK(got >= 0, SEL_E_FILE, "cannot read: %s", zip_file_strerror(file));
  SEL_CHECK(got == 0, SEL_E_FILE, "holds more bytes than the zip says");
  return SEL_OK;
}

/* `packed` is what the file has left for this and later entries. */
static sel_status check_entry(const zip_stat_t *entry, uint64_t packed) {
  SEL_CHECK(entry->comp_method == ZIP_CM_STORE || entry->comp_method == ZIP_CM_DEFLATE, SEL_E_FILE,
            "expected a stored or deflated entry, found compression method %d", entry->comp_method);
  SEL_CHECK(entry->comp_size <= packed, SEL_E_FILE,
            "expected at most %" PRIu64
            " compressed bytes, which the file has left, found %" PRIu64,
            packed, (uint64_t)entry->comp_size);
  SEL_CHECK(entry->comp_method == ZIP_CM_STORE ? entry->size == entry->comp_size
                                               : sel__can_inflate(entry->comp_size, entry->size),
            SEL_E_FILE,
            "%" PRIu64 " compressed bytes cannot hold the %" PRIu64 " that the zip claims",
            (uint64_t)entry->comp_size, (uint64_t)entry->size);
  return SEL_OK;
}

static sel_status read_array(zip_t *zip, const zip_stat_t *entry, uint64_t packed,
                             sel_tensor **out) {
  SEL_TRY(check_entry(entry, packed));
  zip_file_t *file = zip_fopen_index(zip, entry->index, 0);
  SEL_CHECK(file, SEL_E_FILE, "cannot open: %s", zip_strerror(zip));
  sel__npy_source source = {entry->size, read_entry_bytes, file};
  sel_tensor *t = NULL;
  sel_status status = sel__npy_parse(&source, &t);
  if (status == SEL_OK) status = expect_end(file);
  zip_fclose(file);
  if (status == SEL_OK)
    *out = t;
  else
    sel_release(t);
  return status;
}

/* Adds the array under its entry's name without ".npy". */
static sel_status add_array(sel_archive *archive, const char *entry_name, sel_tensor *t) {
  size_t length = strlen(entry_name);
  char *name = sel__strdup(entry_name);
  if (!name) return SEL_E_MEMORY;
  name[length - strlen(EXTENSION)] = '\0';
  sel_status status = SEL_OK;
  if (sel_archive_find(archive, name))
    status = sel_fail(SEL_E_FILE, "expected each name once, found it twice");
  if (status == SEL_OK) status = sel_archive_add(archive, name, t);
  sel__free(name);
  return status;
}

static sel_status read_entry(zip_t *zip, zip_uint64_t i, uint64_t *packed, sel_archive *archive) {
  zip_stat_t entry;
  zip_uint64_t needed =
      ZIP_STAT_NAME | ZIP_STAT_INDEX | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
  SEL_CHECK(zip_stat_index(zip, i, 0, &entry) == 0 && (entry.valid & needed) == needed, SEL_E_FILE,
            "entry %" PRIu64 " of the zip is damaged", (uint64_t)i);
  size_t length = strlen(entry.name);
  sel_tensor *t = NULL;
  sel_status status = SEL_OK;
  if (length < strlen(EXTENSION) || strcmp(entry.name + length - strlen(EXTENSION), EXTENSION) != 0)
    status = sel_fail(SEL_E_FILE, "expected nothing but names that end with " EXTENSION);
  if (status == SEL_OK) status = read_array(zip, &entry, *packed, &t);
  if (status == SEL_OK) status = add_array(archive, entry.name, t);
  if (status == SEL_OK) *packed -= entry.comp_size;
  sel_release(t);
  return sel__name_part(status, "entry", entry.name);
}

/* Takes over in->fd. */
static sel_status open_zip(sel__input *in, zip_t **out) {
  int code;
  zip_t *zip = zip_fdopen(in->fd, ZIP_RDONLY, &code);
  if (zip) {
    in->fd = -1;
    *out = zip;
    return SEL_OK;
  }
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  sel_fail(SEL_E_FILE, "cannot read it as a zip: %s", zip_error_strerror(&error));
  zip_error_fini(&error);
  return SEL_E_FILE;
}

static sel_status read_archive(const char *path, sel_archive **out) {
  sel__input in;
  zip_t *zip = NULL;
  sel_archive *archive = NULL;
  SEL_TRY(sel__input_open(path, &in));
  uint64_t packed = in.size;
  sel_status status = open_zip(&in, &zip);
  if (status == SEL_OK) status = sel_archive_new(&archive);
  zip_int64_t n = zip ? zip_get_num_entries(zip, 0) : 0;
  for (zip_int64_t i = 0; i < n && status == SEL_OK; i++)
    status = read_entry(zip, (zip_uint64_t)i, &packed, archive);
  if (zip) zip_discard(zip);
  sel__input_close(&in);
  if (status == SEL_OK)
    *out = archive;
  else
    sel_archive_release(archive);
  return status;
}

sel_status sel_npz_read(const char *path, sel_archive **out) {
  SEL_CHECK_PATH("npz_read", path);
  return sel__name_file(read_archive(path, out), "npz_read", path);
}

/* ---- writing ---- libzip pulls each entry's bytes as it writes, so one tensor is copied at most.
 */

typedef struct array {
  const sel_tensor *tensor;
  char prologue[SEL__NPY_PROLOGUE_MAX];
  size_t prologue_size, size, at; /* size: prologue and elements */
  sel__host_bytes bytes;          /* between open and close */
  sel_status status;              /* of the last open */
  zip_error_t error;
} array;

static zip_int64_t open_array(array *a) {
  a->at = 0;
  a->status = sel__host_bytes_get(a->tensor, &a->bytes);
  if (a->status == SEL_OK) return 0;
  zip_error_set(&a->error, ZIP_ER_READ, 0);
  return -1;
}

static zip_int64_t copy_array(array *a, char *to, size_t size) {
  if (size > a->size - a->at) size = a->size - a->at;
  size_t from_prologue = a->at < a->prologue_size ? a->prologue_size - a->at : 0;
  if (from_prologue > size) from_prologue = size;
  memcpy(to, a->prologue + a->at, from_prologue);
  if (size > from_prologue)
    memcpy(to + from_prologue,
           (const char *)a->bytes.data + (a->at + from_prologue - a->prologue_size),
           size - from_prologue);
  a->at += size;
  return (zip_int64_t)size;
}

static zip_int64_t array_source(void *context, void *data, zip_uint64_t size,
                                zip_source_cmd_t command) {
  array *a = context;
  switch (command) {
    case ZIP_SOURCE_SUPPORTS:
      return ZIP_SOURCE_SUPPORTS_READABLE;
    case ZIP_SOURCE_STAT: {
      zip_stat_t *stat = data;
      zip_stat_init(stat);
      stat->size = a->size;
      stat->valid = ZIP_STAT_SIZE;
      return sizeof *stat;
    }
    case ZIP_SOURCE_OPEN:
      return open_array(a);
    case ZIP_SOURCE_READ:
      return copy_array(a, data, size);
    case ZIP_SOURCE_CLOSE:
      sel__host_bytes_release(&a->bytes);
      return 0;
    case ZIP_SOURCE_ERROR:
      return zip_error_to_data(&a->error, data, size);
    case ZIP_SOURCE_FREE: /* the array outlives the zip */
      return 0;
    default:
      zip_error_set(&a->error, ZIP_ER_OPNOTSUPP, 0);
      return -1;
  }
}

static sel_status prepare_array(const sel_tensor *t, array *a) {
  *a = (array){.tensor = t};
  zip_error_init(&a->error);
  SEL_TRY(sel__npy_prologue(t, a->prologue, &a->prologue_size));
  a->size = a->prologue_size + (size_t)sel_numel(t) * sel_dtype_size(sel_tensor_dtype(t));
  return SEL_OK;
}

/* 1 January 1980, the zip's first day, so that the same arrays make the same file. */
enum { DOS_TIME = 0, DOS_DATE = 1 << 5 | 1 };

static sel_status put_entry(zip_t *zip, const char *name, array *a) {
  size_t size = strlen(name) + sizeof EXTENSION;
  char *entry_name = sel__alloc(size);
  if (!entry_name) return SEL_E_MEMORY;
  memcpy(entry_name, name, size - sizeof EXTENSION);
  memcpy(entry_name + size - sizeof EXTENSION, EXTENSION, sizeof EXTENSION);
  zip_source_t *source = zip_source_function(zip, array_source, a);
  zip_int64_t i = source ? zip_file_add(zip, entry_name, source, ZIP_FL_ENC_UTF_8) : -1;
  bool put = i >= 0 && zip_set_file_compression(zip, (zip_uint64_t)i, ZIP_CM_STORE, 0) == 0 &&
             zip_file_set_dostime(zip, (zip_uint64_t)i, DOS_TIME, DOS_DATE, 0) == 0;
  if (i < 0 && source) zip_source_free(source);
  sel__free(entry_name);
  SEL_CHECK(put, SEL_E_FILE, "cannot add it to the zip: %s", zip_strerror(zip));
  return SEL_OK;
}

static sel_status close_zip(zip_t *zip, const array *arrays, int n) {
  if (zip_close(zip) == 0) return SEL_OK;
  sel_status status = SEL_OK; /* a tensor that could not be read has set the error text itself */
  for (int i = 0; i < n && status == SEL_OK; i++) status = arrays[i].status;
  if (status == SEL_OK) status = sel_fail(SEL_E_FILE, "cannot write: %s", zip_strerror(zip));
  zip_discard(zip);
  return status;
}

static sel_status write_zip(const char *path, const sel_archive *archive, array *arrays, int n) {
  int code;
  zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
  SEL_CHECK(zip, SEL_E_FILE, "cannot begin the zip: libzip's error %d", code);
  for (int i = 0; i < n; i++) {
    const char *name = sel_archive_name(archive, i);
    sel_status status = sel__name_part(put_entry(zip, name, &arrays[i]), "tensor", name);
    if (status == SEL_OK) continue;
    zip_discard(zip);
    return status;
  }
  return close_zip(zip, arrays, n);
}

/* libzip leaves no file behind for an empty zip. This is one. */
static sel_status write_empty_zip(sel__atomic_file *file) {
  static const char end_of_central_directory[22] = "PK\x05\x06";
  return sel__atomic_write(file, end_of_central_directory, sizeof end_of_central_directory);
}

static sel_status write_archive(const char *path, const sel_archive *archive) {
  int n = sel_archive_count(archive);
  sel__atomic_file file = {.fd = -1};
  array *arrays = sel__alloc((size_t)n * sizeof *arrays);
  if (!arrays) return SEL_E_MEMORY;
  sel_status status = SEL_OK;
  for (int i = 0; i < n && status == SEL_OK; i++)
    status = sel__name_part(prepare_array(sel_archive_tensor(archive, i), &arrays[i]), "tensor",
                            sel_archive_name(archive, i));
  if (status == SEL_OK) status = sel__atomic_begin(path, &file);
  if (status == SEL_OK && n == 0) status = write_empty_zip(&file);
  if (status == SEL_OK && n > 0) {
    sel__atomic_lend_path(&file);
    status = write_zip(file.temporary, archive, arrays, n);
  }
  if (status == SEL_OK) status = sel__atomic_commit(&file);
  sel__atomic_abort(&file);
  sel__free(arrays);
  return status;
}

sel_status sel_npz_write(const char *path, const sel_archive *archive) {
  SEL_CHECK_PATH("npz_write", path);
  return sel__name_file(write_archive(path, archive), "npz_write", path);
}
