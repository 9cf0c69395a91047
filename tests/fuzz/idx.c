#define READER sel_idx_read
#define TYPE sel_tensor
#define RELEASE sel_release
#include "reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return read_input(data, size); }
