/* Sound files through libsndfile. It takes a WAV file that is cut off for a shorter one; here the
 * length that the file states is compared with what there is. */
#include <errno.h>
#include <selenite/file.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "samples.h"

enum { BLOCK = 4096 }; /* frames read or written at once */

/* ---- reading ---- */

static uint32_t load32(const unsigned char *p) {
  return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* A RIFF file states its length; 0 and -1 are those of a stream that was never finished. */
static sel_status check_length(const char *path) {
  unsigned char start[12];
  FILE *file = fopen(path, "rb");
  SEL_CHECK(file, SEL_E_FILE, "load_audio: %s: %s", path, strerror(errno));
  size_t got = fread(start, 1, sizeof start, file);
  long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : 0;
  fclose(file);
  SEL_CHECK(size > 0, SEL_E_FILE, "load_audio: %s: the file is empty", path);
  if (got < sizeof start || memcmp(start, "RIFF", 4) != 0) return SEL_OK;
  uint32_t stated = load32(start + 4);
  SEL_CHECK(stated == 0 || stated == UINT32_MAX || (int64_t)stated + 8 <= size, SEL_E_FILE,
            "load_audio: %s: truncated: the header states %lld bytes, the file has %ld", path,
            (long long)stated + 8, size);
  return SEL_OK;
}

static sel_status read_frames(const char *path, SNDFILE *file, const SF_INFO *info, float *block,
                              sel_tensor *samples) {
  sf_count_t done = 0;
  while (done < info->frames) {
    sf_count_t wanted = info->frames - done < BLOCK ? info->frames - done : BLOCK;
    sf_count_t n = sf_readf_float(file, block, wanted);
    SEL_CHECK(n > 0, SEL_E_FILE, "load_audio: %s: truncated: expected %lld frames, got %lld", path,
              (long long)info->frames, (long long)done);
    for (int c = 0; c < info->channels; c++) {
      float *to = samples_channel(samples, c) + done;
      for (sf_count_t i = 0; i < n; i++) to[i] = block[i * info->channels + c];
    }
    done += n;
  }
  return SEL_OK;
}

static sel_status read_sound(const char *path, SNDFILE *file, const SF_INFO *info, sel_sound *out) {
  sel_tensor *samples;
  SEL_CHECK(info->channels >= 1 && info->channels <= 1024 && info->frames >= 0 &&
                info->frames < (sf_count_t)1 << 32,
            SEL_E_FILE, "load_audio: %s: %d channels of %lld frames are more than this reads", path,
            info->channels, (long long)info->frames);
  float *block = malloc((size_t)BLOCK * (size_t)info->channels * sizeof *block);
  SEL_CHECK(block, SEL_E_MEMORY, "load_audio: out of host memory");
  sel_status status = samples_new(info->channels, info->frames, &samples);
  if (status == SEL_OK) {
    status = read_frames(path, file, info, block, samples);
    if (status == SEL_OK)
      *out = (sel_sound){samples, info->samplerate};
    else
      sel_release(samples);
  }
  free(block);
  return status;
}

sel_status sel_sound_read(const char *path, sel_sound *out) {
  SF_INFO info = {0};
  SEL_TRY(check_length(path));
  SNDFILE *file = sf_open(path, SFM_READ, &info);
  SEL_CHECK(file, SEL_E_FILE, "load_audio: %s: %s", path, sf_strerror(NULL));
  sel_status status = read_sound(path, file, &info, out);
  sf_close(file);
  return status;
}

/* ---- writing: to memory, then as a file of core's atomic kind ---- */

typedef struct memory_file {
  char *data;
  sf_count_t size, capacity, at;
} memory_file;

static sf_count_t memory_size(void *user) { return ((memory_file *)user)->size; }
static sf_count_t memory_tell(void *user) { return ((memory_file *)user)->at; }

static sf_count_t memory_seek(sf_count_t offset, int whence, void *user) {
  memory_file *m = user;
  m->at = offset + (whence == SEEK_CUR ? m->at : whence == SEEK_END ? m->size : 0);
  return m->at;
}

static sf_count_t memory_read(void *to, sf_count_t n, void *user) {
  memory_file *m = user;
  if (n > m->size - m->at) n = m->size - m->at;
  if (n > 0) memcpy(to, m->data + m->at, (size_t)n);
  m->at += n;
  return n;
}

static sf_count_t memory_write(const void *from, sf_count_t n, void *user) {
  memory_file *m = user;
  if (m->at + n > m->capacity) {
    sf_count_t capacity = 2 * (m->at + n);
    char *grown = realloc(m->data, (size_t)capacity);
    if (!grown) return 0;
    memset(grown + m->capacity, 0, (size_t)(capacity - m->capacity));
    m->data = grown;
    m->capacity = capacity;
  }
  memcpy(m->data + m->at, from, (size_t)n);
  m->at += n;
  if (m->at > m->size) m->size = m->at;
  return n;
}

static sel_status write_frames(const sel_tensor *samples, SNDFILE *file, float *block) {
  int64_t channels = sel_size(samples, 0), frames = sel_size(samples, 1);
  sf_command(file, SFC_SET_CLIPPING, NULL, SF_TRUE);
  for (int64_t done = 0; done < frames; done += BLOCK) {
    int64_t n = frames - done < BLOCK ? frames - done : BLOCK;
    for (int64_t c = 0; c < channels; c++)
      for (int64_t i = 0; i < n; i++)
        block[i * channels + c] = samples_channel(samples, c)[done + i];
    SEL_CHECK(sf_writef_float(file, block, n) == n, SEL_E_MEMORY, "save_wav: %s",
              sf_strerror(file));
  }
  return SEL_OK;
}

static int format_of(int bits) {
  switch (bits) {
    case 8:
      return SF_FORMAT_PCM_U8;
    case 16:
      return SF_FORMAT_PCM_16;
    case 24:
      return SF_FORMAT_PCM_24;
    case 32:
      return SF_FORMAT_PCM_32;
    case -32:
      return SF_FORMAT_FLOAT;
    default:
      return 0;
  }
}

static sel_status encode(sel_tensor *samples, int rate, int bits, memory_file *memory) {
  SF_VIRTUAL_IO io = {memory_size, memory_seek, memory_read, memory_write, memory_tell};
  SF_INFO info = {.samplerate = rate,
                  .channels = (int)sel_size(samples, 0),
                  .format = SF_FORMAT_WAV | format_of(bits)};
  float *block = malloc((size_t)BLOCK * (size_t)info.channels * sizeof *block);
  SEL_CHECK(block, SEL_E_MEMORY, "save_wav: out of host memory");
  SNDFILE *file = sf_open_virtual(&io, SFM_WRITE, &info, memory);
  sel_status status = file ? write_frames(samples, file, block)
                           : sel_fail(SEL_E_ARGUMENT, "save_wav: %s", sf_strerror(NULL));
  if (file) sf_close(file);
  free(block);
  return status;
}

sel_status sel_sound_write(const char *path, sel_tensor *samples, int rate, int bits) {
  memory_file memory = {0};
  SEL_TRY(samples_check("save_wav", samples));
  SEL_CHECK(format_of(bits), SEL_E_ARGUMENT,
            "save_wav: expected 8, 16, 24 or 32 bits, or -32 for float, got %d", bits);
  SEL_CHECK(rate >= 1 && sel_size(samples, 0) <= 1024, SEL_E_ARGUMENT,
            "save_wav: expected a rate of 1 or more and up to 1024 channels, got %d and %lld", rate,
            (long long)sel_size(samples, 0));
  sel_status status = encode(samples, rate, bits, &memory);
  if (status == SEL_OK) status = sel_file_write(path, memory.data, (size_t)memory.size);
  free(memory.data);
  return status;
}
