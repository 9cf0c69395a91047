/* Feeds LLVMFuzzerTestOneInput with mutated files, without clang: driver SEED COUNT FILE...
 *
 * Input i depends on SEED, i and the files alone. The loop runs in a child, so that when an input
 * kills it, that input is written to ./crash and named. `driver - FILE...` runs files as they are.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory_file.h"

enum { MAX_SIZE = 1 << 16, MAX_FILES = 64 };

typedef struct input {
  size_t size;
  uint8_t bytes[MAX_SIZE];
} input;

/* Shared with the child. */
typedef struct progress {
  long done, accepted;
  input current;
} progress;

static input *files;
static int file_count;

/* splitmix64: https://prng.di.unimi.it/splitmix64.c */
static uint64_t random_state;
static uint64_t next_random(void) {
  uint64_t z = (random_state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}
static size_t below(size_t n) { return n ? (size_t)(next_random() % n) : 0; }

/* Replaces `old_size` bytes at `at` by new ones; what grows beyond MAX_SIZE is cut. */
static void splice(input *in, size_t at, size_t old_size, const uint8_t *bytes, size_t size) {
  static uint8_t tail[MAX_SIZE];
  size_t rest = in->size - at - old_size, room = at < MAX_SIZE ? MAX_SIZE - at : 0;
  if (size > room) size = room;
  if (rest > room - size) rest = room - size;
  memcpy(tail, in->bytes + at + old_size, rest);
  memmove(in->bytes + at, bytes, size);
  memcpy(in->bytes + at + size, tail, rest);
  in->size = at + size + rest;
}

/* Numbers at the edges of what fields hold, binary of 1 to 8 bytes or in decimal. */
static size_t edge_number(uint8_t bytes[24]) {
  static const uint64_t edges[] = {
      0,        1,          2,          7,         8,          9,          127,        128,
      255,      256,        32767,      65535,     65536,      0x7fffffff, 0x80000000, 0xffffffff,
      1u << 20, 1ull << 32, 1ull << 61, INT64_MAX, 1ull << 63, UINT64_MAX, 100000000};
  uint64_t value = edges[below(sizeof edges / sizeof *edges)];
  if (below(2)) return (size_t)sprintf((char *)bytes, "%" PRIu64, value);
  bool big_endian = below(2);
  size_t size = (size_t)1 << below(4);
  for (size_t i = 0; i < size; i++)
    bytes[big_endian ? size - 1 - i : i] = (uint8_t)(value >> (8 * i));
  return size;
}

static void mutate(input *in) {
  uint8_t number[24];
  const input *other = &files[below((size_t)file_count)];
  size_t at = below(in->size), length = below(in->size - at + 1);
  if (length > 32 && below(4)) length %= 32;
  switch (below(8)) {
    case 0:
      if (in->size) in->bytes[at] ^= (uint8_t)(1u << below(8));
      break;
    case 1:
      if (in->size) in->bytes[at] = (uint8_t)next_random();
      break;
    case 2: { /* over what is there */
      size_t size = edge_number(number);
      splice(in, at, size < in->size - at ? size : in->size - at, number, size);
      break;
    }
    case 3: { /* in place of the decimal number that is there, or between */
      size_t digits = 0, size = edge_number(number);
      while (at + digits < in->size && in->bytes[at + digits] >= '0' &&
             in->bytes[at + digits] <= '9')
        digits++;
      splice(in, at, digits, number, size);
      break;
    }
    case 4: /* remove */
      splice(in, at, length, number, 0);
      break;
    case 5: /* repeat */
      splice(in, at, 0, in->bytes + at, length);
      break;
    case 6: /* cut off */
      in->size = at;
      break;
    case 7: { /* a piece of another file */
      size_t from = below(other->size), size = below(other->size - from + 1);
      splice(in, at, size < in->size - at ? size : in->size - at, other->bytes + from, size);
      break;
    }
  }
}

static void make_input(uint64_t seed, long i, input *out) {
  random_state = seed * 0x2545f4914f6cdd1du + (uint64_t)i;
  const input *from = &files[below((size_t)file_count)];
  out->size = from->size;
  memcpy(out->bytes, from->bytes, from->size);
  for (size_t n = 1 + below(4); n > 0; n--) mutate(out);
}

static void read_files(char **paths) {
  files = calloc(MAX_FILES, sizeof *files);
  for (; *paths && file_count < MAX_FILES; paths++, file_count++) {
    FILE *file = fopen(*paths, "rb");
    if (!file) {
      perror(*paths);
      exit(EXIT_FAILURE);
    }
    files[file_count].size = fread(files[file_count].bytes, 1, MAX_SIZE, file);
    fclose(file);
  }
}

static int report_crash(uint64_t seed, const progress *state) {
  FILE *file = fopen("crash", "wb");
  if (file) {
    fwrite(state->current.bytes, 1, state->current.size, file);
    fclose(file);
  }
  printf("input %ld of seed %" PRIu64 " killed the reader; it was written to ./crash\n",
         state->done, seed);
  return EXIT_FAILURE;
}

static int run_mutations(uint64_t seed, long count) {
  progress *state =
      mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (state == MAP_FAILED) return EXIT_FAILURE;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    for (; state->done < count; state->done++) {
      make_input(seed, state->done, &state->current);
      LLVMFuzzerTestOneInput(state->current.bytes, state->current.size);
      state->accepted = accepted;
    }
    exit(EXIT_SUCCESS);
  }
  int status;
  if (child < 0 || waitpid(child, &status, 0) != child) return EXIT_FAILURE;
  if (status != 0 && state->done < count) return report_crash(seed, state);
  printf("%ld inputs of seed %" PRIu64 ", %ld of them valid\n", state->done, seed, state->accepted);
  return status == 0 && state->accepted > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv) {
  if (argc >= 3 && strcmp(argv[1], "-") == 0) {
    read_files(argv + 2);
    for (int i = 0; i < file_count; i++) LLVMFuzzerTestOneInput(files[i].bytes, files[i].size);
    printf("%d files, %ld of them valid\n", file_count, accepted);
    return EXIT_SUCCESS;
  }
  if (argc < 4) {
    fprintf(stderr, "usage: %s SEED COUNT FILE...   or   %s - FILE...\n", argv[0], argv[0]);
    return EXIT_FAILURE;
  }
  read_files(argv + 3);
  return run_mutations(strtoull(argv[1], NULL, 10), strtol(argv[2], NULL, 10));
}
