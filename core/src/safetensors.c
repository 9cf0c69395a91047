/* The safetensors format: https://github.com/huggingface/safetensors#format
 *
 *   8 bytes   n, little endian
 *   n bytes   JSON, {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ...},
 *             padded with spaces; "__metadata__" is an object of strings
 *   the rest  the tensors' bytes, C order, little endian; offsets count from here
 *
 * The tensors' bytes must cover the rest exactly, without gap or overlap, which is checked before
 * anything is allocated for them: a reader never needs more memory than the file is long. A file
 * written here is byte for byte what the reference implementation writes.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "atomic_file.h"
#include "file_error.h"
#include "host_bytes.h"
#include "input_file.h"
#include "selenite/file.h"
#include "tensor_impl.h"

/* The reference implementation's limit. */
enum { HEADER_MAX = 100000000 };

#define METADATA_KEY "__metadata__"

/* Rank: the reference lays tensors out by rank, then name, so that each is aligned to its size. */
static const struct {
  const char *name;
  int rank;
} formats[SEL_DTYPE_COUNT] = {
    [SEL_I64] = {"I64", 0}, [SEL_F64] = {"F64", 1},   [SEL_F32] = {"F32", 2},
    [SEL_I32] = {"I32", 3}, [SEL_BF16] = {"BF16", 4}, [SEL_F16] = {"F16", 5},
    [SEL_U8] = {"U8", 6},   [SEL_BOOL] = {"BOOL", 7},
};

typedef struct entry {
  const char *name;   /* the JSON's, or the archive's */
  sel_tensor *tensor; /* when writing */
  sel_dtype dtype;
  int ndim;
  int64_t shape[SEL_MAX_DIMS];
  uint64_t begin, end;
} entry;

/* ---- reading ---- */

static sel_status read_header(const sel__input *in, json_t **out, uint64_t *data_start) {
  uint64_t length;
  SEL_CHECK(in->size >= sizeof length, SEL_E_FILE,
            "expected 8 bytes of header length, found a file of %" PRIu64 " bytes", in->size);
  SEL_TRY(sel__input_read(in, 0, &length, sizeof length));
  SEL_CHECK(length <= HEADER_MAX, SEL_E_FILE,
            "expected a header of at most %d bytes, found a length of %" PRIu64, HEADER_MAX,
            length);
  SEL_CHECK(length <= in->size - sizeof length, SEL_E_FILE,
            "truncated: expected a header of %" PRIu64 " bytes, found %" PRIu64, length,
            in->size - sizeof length);

  char *text = sel__alloc(length);
  if (!text) return SEL_E_MEMORY;
  sel_status status = sel__input_read(in, sizeof length, text, length);
  json_t *header = NULL;
  if (status == SEL_OK && (length == 0 || text[0] != '{')) {
    status = sel_fail(SEL_E_FILE, "expected a header that begins with '{'; is this safetensors?");
  } else if (status == SEL_OK) {
    json_error_t error;
    header = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (!header)
      status = sel_fail(SEL_E_FILE, "the header is no valid JSON: %s at byte %d", error.text,
                        error.position);
  }
  sel__free(text);
  if (status != SEL_OK) return status;
  *out = header;
  *data_start = sizeof length + length;
  return SEL_OK;
}

static sel_status read_metadata(const json_t *metadata, sel_archive *archive) {
  SEL_CHECK(json_is_object(metadata), SEL_E_FILE, "expected " METADATA_KEY " to be an object");
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)metadata, key, value) {
    SEL_CHECK(json_is_string(value), SEL_E_FILE,
              "expected a string as value of '%.200s' in " METADATA_KEY, key);
    SEL_TRY(sel_archive_set_metadata(archive, key, json_string_value(value)));
  }
  return SEL_OK;
}

static sel_status parse_dtype(const json_t *value, sel_dtype *out) {
  const char *name = json_string_value(value);
  SEL_CHECK(name, SEL_E_FILE, "expected a string as dtype");
  for (int d = 0; d < SEL_DTYPE_COUNT; d++) {
    if (strcmp(name, formats[d].name) != 0) continue;
    *out = (sel_dtype)d;
    return SEL_OK;
  }
  return sel_fail(SEL_E_FILE,
                  "dtype %.40s has no counterpart here; expected F32, F64, F16, BF16, I64, I32, U8 "
                  "or BOOL",
                  name);
}

static sel_status parse_shape(const json_t *value, entry *e) {
  SEL_CHECK(json_is_array(value), SEL_E_FILE, "expected an array as shape");
  size_t ndim = json_array_size(value);
  SEL_CHECK(ndim <= SEL_MAX_DIMS, SEL_E_FILE, "expected at most %d dims, found %zu", SEL_MAX_DIMS,
            ndim);
  e->ndim = (int)ndim;
  for (size_t d = 0; d < ndim; d++) {
    json_t *extent = json_array_get(value, d);
    SEL_CHECK(json_is_integer(extent) && json_integer_value(extent) >= 0, SEL_E_FILE,
              "expected a whole number from 0 as extent %zu of shape", d);
    e->shape[d] = json_integer_value(extent);
  }
  return SEL_OK;
}

/* The offsets, against the shape's size and against the `available` bytes of data. */
static sel_status parse_offsets(const json_t *value, uint64_t available, entry *e) {
  json_t *begin = json_array_get(value, 0), *end = json_array_get(value, 1);
  SEL_CHECK(json_array_size(value) == 2 && json_is_integer(begin) && json_is_integer(end) &&
                json_integer_value(begin) >= 0 &&
                json_integer_value(begin) <= json_integer_value(end),
            SEL_E_FILE, "expected [begin, end] with 0 <= begin <= end as data_offsets");
  e->begin = (uint64_t)json_integer_value(begin);
  e->end = (uint64_t)json_integer_value(end);

  char shape[SEL_TEXT];
  sel__shape_text(e->ndim, e->shape, shape, sizeof shape);
  uint64_t bytes;
  SEL_CHECK(sel__shape_bytes(e->ndim, e->shape, e->dtype, &bytes), SEL_E_FILE,
            "shape %s has more elements than can be counted", shape);
  SEL_CHECK(e->end - e->begin == bytes, SEL_E_FILE,
            "expected %" PRIu64 " bytes for %s%s, found data_offsets [%" PRIu64 ", %" PRIu64
            "], which are %" PRIu64,
            bytes, formats[e->dtype].name, shape, e->begin, e->end, e->end - e->begin);
  SEL_CHECK(e->end <= available, SEL_E_FILE,
            "truncated: expected data up to byte %" PRIu64 ", found %" PRIu64 " bytes of data",
            e->end, available);
  return SEL_OK;
}

static sel_status parse_entry(const char *name, const json_t *value, uint64_t available,
                              entry *out) {
  entry e = {.name = name};
  sel_status status = SEL_OK;
  if (!json_is_object(value))
    status = sel_fail(SEL_E_FILE, "expected an object with dtype, shape and data_offsets");
  if (status == SEL_OK) status = parse_dtype(json_object_get(value, "dtype"), &e.dtype);
  if (status == SEL_OK) status = parse_shape(json_object_get(value, "shape"), &e);
  if (status == SEL_OK)
    status = parse_offsets(json_object_get(value, "data_offsets"), available, &e);
  if (status == SEL_OK) *out = e;
  return status;
}

static int by_offset(const void *a, const void *b) {
  const entry *x = *(entry *const *)a, *y = *(entry *const *)b;
  if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
  return (x->end > y->end) - (x->end < y->end);
}

/* The data is covered exactly, in whatever order the header lists it. */
static sel_status check_coverage(const entry *entries, size_t n, uint64_t available) {
  const entry **order = sel__alloc(n * sizeof *order);
  if (!order) return SEL_E_MEMORY;
  for (size_t i = 0; i < n; i++) order[i] = &entries[i];
  qsort(order, n, sizeof *order, by_offset);

  sel_status status = SEL_OK;
  uint64_t end = 0;
  for (size_t i = 0; i < n && status == SEL_OK; i++) {
    if (order[i]->begin != end)
      status = sel_fail(SEL_E_FILE,
                        "tensor '%.200s': expected its data to begin at byte %" PRIu64
                        ", where the one before ends, found %" PRIu64,
                        order[i]->name, end, order[i]->begin);
    end = order[i]->end;
  }
  sel__free(order);
  SEL_TRY(status);
  SEL_CHECK(end == available, SEL_E_FILE,
            "expected %" PRIu64 " bytes of data for all tensors, found %" PRIu64, end, available);
  return SEL_OK;
}

static sel_status read_tensor(const sel__input *in, uint64_t data_start, const entry *e,
                              sel_archive *archive) {
  sel_tensor *t;
  void *data;
  size_t size = e->end - e->begin;
  SEL_TRY(sel__host_tensor(e->ndim, e->shape, e->dtype, &t, &data));
  sel_status status = sel__input_read(in, data_start + e->begin, data, size);
  if (status == SEL_OK && e->dtype == SEL_BOOL) sel__clean_bools(data, size);
  if (status == SEL_OK) status = sel_archive_add(archive, e->name, t);
  sel_release(t);
  return status;
}

/* Puts the name of the tensor in front of a failure. */
static sel_status name_tensor(sel_status status, const char *name) {
  return sel__name_part(status, "tensor", name);
}

static sel_status read_entries(const sel__input *in, json_t *header, uint64_t data_start,
                               sel_archive *archive) {
  uint64_t available = in->size - data_start;
  entry *entries = sel__alloc(json_object_size(header) * sizeof *entries);
  if (!entries) return SEL_E_MEMORY;
  size_t n = 0;
  sel_status status = SEL_OK;
  const char *name;
  json_t *value;
  json_object_foreach(header, name, value) {
    if (strcmp(name, METADATA_KEY) == 0)
      status = read_metadata(value, archive);
    else
      status = name_tensor(parse_entry(name, value, available, &entries[n++]), name);
    if (status != SEL_OK) break;
  }
  if (status == SEL_OK) status = check_coverage(entries, n, available);
  for (size_t i = 0; i < n && status == SEL_OK; i++)
    status = name_tensor(read_tensor(in, data_start, &entries[i], archive), entries[i].name);
  sel__free(entries);
  return status;
}

static sel_status read_archive(const char *path, sel_archive **out) {
  sel__input in;
  json_t *header = NULL;
  uint64_t data_start = 0;
  sel_archive *archive = NULL;
  SEL_TRY(sel__input_open(path, &in));
  sel_status status = read_header(&in, &header, &data_start);
  if (status == SEL_OK) status = sel_archive_new(&archive);
  if (status == SEL_OK) status = read_entries(&in, header, data_start, archive);
  json_decref(header);
  sel__input_close(&in);
  if (status == SEL_OK)
    *out = archive;
  else
    sel_archive_release(archive);
  return status;
}

sel_status sel_safetensors_read(const char *path, sel_archive **out) {
  SEL_CHECK_PATH("safetensors_read", path);
  return sel__name_file(read_archive(path, out), "safetensors_read", path);
}

/* ---- writing ---- */

static int by_layout(const void *a, const void *b) {
  const entry *x = a, *y = b;
  int rank = formats[x->dtype].rank - formats[y->dtype].rank;
  return rank ? rank : strcmp(x->name, y->name);
}

static sel_status lay_out(const sel_archive *archive, entry *entries, int n) {
  for (int i = 0; i < n; i++) {
    sel_tensor *t = sel_archive_tensor(archive, i);
    entry *e = &entries[i];
    *e = (entry){.name = sel_archive_name(archive, i),
                 .tensor = t,
                 .dtype = sel_tensor_dtype(t),
                 .ndim = sel_ndim(t),
                 .end = (uint64_t)sel_numel(t) * sel_dtype_size(sel_tensor_dtype(t))};
    if (e->ndim) memcpy(e->shape, sel_shape(t), (size_t)e->ndim * sizeof *e->shape);
    SEL_CHECK(strcmp(e->name, METADATA_KEY) != 0, SEL_E_ARGUMENT,
              "no tensor can be named " METADATA_KEY ", which is where metadata goes");
  }
  qsort(entries, (size_t)n, sizeof *entries, by_layout);
  uint64_t at = 0;
  for (int i = 0; i < n; i++) {
    entries[i].begin = at;
    entries[i].end = at += entries[i].end;
  }
  return SEL_OK;
}

/* New JSON, or NULL: out of memory, or a text that is not UTF-8. */
static json_t *entry_json(const entry *e) {
  json_t *shape = json_array();
  for (int d = 0; d < e->ndim; d++)
    if (json_array_append_new(shape, json_integer(e->shape[d])) != 0) {
      json_decref(shape);
      return NULL;
    }
  return json_pack("{s:s, s:o, s:[I, I]}", "dtype", formats[e->dtype].name, "shape", shape,
                   "data_offsets", (json_int_t)e->begin, (json_int_t)e->end);
}

static json_t *metadata_json(const sel_archive *archive) {
  json_t *metadata = json_object();
  for (int i = 0; metadata && i < sel_archive_metadata_count(archive); i++) {
    if (json_object_set_new(metadata, sel_archive_metadata_key(archive, i),
                            json_string(sel_archive_metadata_value(archive, i))) == 0)
      continue;
    json_decref(metadata);
    metadata = NULL;
  }
  return metadata;
}

static sel_status header_json(const sel_archive *archive, const entry *entries, int n,
                              json_t *header) {
  if (sel_archive_metadata_count(archive) > 0)
    SEL_CHECK(json_object_set_new(header, METADATA_KEY, metadata_json(archive)) == 0,
              SEL_E_ARGUMENT,
              "metadata can't be written as JSON: expected valid UTF-8 and enough memory");
  for (int i = 0; i < n; i++)
    SEL_CHECK(json_object_set_new(header, entries[i].name, entry_json(&entries[i])) == 0,
              SEL_E_ARGUMENT,
              "the name of tensor '%.200s' can't be written as JSON: expected valid UTF-8 and "
              "enough memory",
              entries[i].name);
  return SEL_OK;
}

/* The length, the JSON and spaces up to a multiple of 8, so that the data is aligned. */
static sel_status write_header(sel__atomic_file *file, json_t *header) {
  char *text = json_dumps(header, JSON_COMPACT);
  SEL_CHECK(text, SEL_E_MEMORY, "out of host memory for the header");
  size_t used = strlen(text);
  uint64_t length = (used + 7) / 8 * 8;
  sel_status status = SEL_OK;
  if (length > HEADER_MAX)
    status = sel_fail(SEL_E_ARGUMENT,
                      "expected a header of at most %d bytes, found %" PRIu64
                      ": too many tensors, or too much metadata",
                      HEADER_MAX, length);
  if (status == SEL_OK) status = sel__atomic_write(file, &length, sizeof length);
  if (status == SEL_OK) status = sel__atomic_write(file, text, used);
  if (status == SEL_OK) status = sel__atomic_write(file, "        ", length - used);
  free(text);
  return status;
}

static sel_status write_tensor(sel__atomic_file *file, const entry *e) {
  sel__host_bytes bytes;
  SEL_TRY(sel__host_bytes_get(e->tensor, &bytes));
  sel_status status = sel__atomic_write(file, bytes.data, bytes.size);
  sel__host_bytes_release(&bytes);
  return status;
}

static sel_status write_archive(const char *path, const sel_archive *archive) {
  int n = sel_archive_count(archive);
  sel__atomic_file file = {.fd = -1};
  json_t *header = NULL;
  entry *entries = sel__alloc((size_t)n * sizeof *entries);
  if (!entries) return SEL_E_MEMORY;
  sel_status status = lay_out(archive, entries, n);
  if (status == SEL_OK && !(header = json_object()))
    status = sel_fail(SEL_E_MEMORY, "out of host memory for the header");
  if (status == SEL_OK) status = header_json(archive, entries, n, header);
  if (status == SEL_OK) status = sel__atomic_begin(path, &file);
  if (status == SEL_OK) status = write_header(&file, header);
  for (int i = 0; i < n && status == SEL_OK; i++)
    status = name_tensor(write_tensor(&file, &entries[i]), entries[i].name);
  if (status == SEL_OK) status = sel__atomic_commit(&file);
  sel__atomic_abort(&file);
  json_decref(header);
  sel__free(entries);
  return status;
}

sel_status sel_safetensors_write(const char *path, const sel_archive *archive) {
  SEL_CHECK_PATH("safetensors_write", path);
  return sel__name_file(write_archive(path, archive), "safetensors_write", path);
}
