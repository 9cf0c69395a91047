#define READER sel_npz_read
#define TYPE sel_archive
#define RELEASE sel_archive_release
#include "reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return read_input(data, size); }
