/* A file of given bytes that lives in memory, so that a fuzzer calls the readers as users do, by
 * path, without a disk. One file a process, overwritten each time. Borrowed. */
#ifndef MEMORY_FILE_H
#define MEMORY_FILE_H

#include <stddef.h>
#include <stdint.h>

const char *memory_file(const uint8_t *data, size_t size);

/* libFuzzer's entry point, which each reader's file defines: https://llvm.org/docs/LibFuzzer.html
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Inputs so far that were read without error. */
extern long accepted;

#endif
