/* Bytes as printable characters, as GPT-2's files write them. See tokenizer.h. */
#include "tokenizer.h"

static bool stands_for_itself(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) ||
         (byte >= 0xAE && byte <= 0xFF);
}

int32_t byte_character(unsigned char byte) {
  int32_t others = 0;
  if (stands_for_itself(byte)) return byte;
  for (int b = 0; b < byte; b++) others += !stands_for_itself(b);
  return 256 + others;
}

/* The byte of a character, or -1. */
static int byte_of(int32_t code) {
  if (code >= 0 && code < 256) return stands_for_itself(code) ? code : -1;
  for (int b = 0; b < 256; b++)
    if (byte_character((unsigned char)b) == code) return b;
  return -1;
}

bool bytes_of_characters(const char *text, size_t size, bytes *out) {
  size_t before = out->size;
  for (size_t at = 0; at < size;) {
    int32_t code;
    at += utf8_next(text + at, size - at, &code);
    int byte = byte_of(code);
    if (byte < 0) {
      out->size = before;
      return false;
    }
    char c = (char)byte;
    bytes_add(out, &c, 1);
  }
  return true;
}

void characters_of_bytes(const char *data, size_t size, bytes *out) {
  for (size_t i = 0; i < size; i++) utf8_add(out, byte_character((unsigned char)data[i]));
}
