/* A chunk's checksum refuses most mutations before anything is parsed: each input is read as it is,
 * and once more with all checksums made right. */
#include <string.h>

#define READER sel_png_read
#define TYPE sel_tensor
#define RELEASE sel_release
#include "reader.h"

static uint32_t load32(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* CRC-32 as in https://www.w3.org/TR/png/#D-CRCAppendix */
static uint32_t checksum(const uint8_t *data, size_t size) {
  uint32_t crc = 0xffffffff;
  for (size_t i = 0; i < size; i++) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

/* Chunks: length, 4 bytes of type, data, checksum of type and data; the first at byte 8. */
static void repair(uint8_t *data, size_t size) {
  for (size_t at = 8; at + 12 <= size;) {
    size_t length = load32(data + at);
    if (length > size - at - 12) return;
    uint32_t crc = checksum(data + at + 4, length + 4);
    for (int i = 0; i < 4; i++) data[at + 8 + length + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
    at += length + 12;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  read_input(data, size);
  uint8_t *repaired = malloc(size + 1);
  if (!repaired) return 0;
  memcpy(repaired, data, size);
  repair(repaired, size);
  read_input(repaired, size);
  free(repaired);
  return 0;
}
