/* Crops and flips of one image. All of them act on rows and columns apart, so a whole list of them
 * is two maps, from the rows and columns of the result to those of the image; the elements are
 * moved once, at the end.
 *
 * A map's entry below the image's extent is a row or column of it. Entry extent + k is padding by
 * the fill of step k; where a row and a column are padding, the later step's fill counts, because
 * it was put around the earlier's result.
 */
#include <string.h>

#include "transform.h"

typedef struct axis {
  int64_t n;
  int64_t *map, *spare;
} axis;

/* ---- the maps ---- */

static int64_t *identity(int64_t *map, int64_t n) {
  for (int64_t i = 0; i < n; i++) map[i] = i;
  return map;
}

/* The position that stands at i, before the first or past the last of n. */
static int64_t position_at(sel_padding_mode mode, int64_t i, int64_t n) {
  switch (mode) {
    case SEL_PADDING_REFLECT:
      return i < 0 ? -i : 2 * (n - 1) - i;
    case SEL_PADDING_SYMMETRIC:
      return i < 0 ? -1 - i : 2 * n - 1 - i;
    default:
      return i < 0 ? 0 : n - 1; /* edge */
  }
}

/* Positions start...start + n - 1, also those outside. */
static void cut(axis *a, int64_t start, int64_t n, sel_padding_mode mode, int64_t fill) {
  for (int64_t k = 0; k < n; k++) {
    int64_t i = start + k;
    if (i >= 0 && i < a->n)
      a->spare[k] = a->map[i];
    else
      a->spare[k] = mode == SEL_PADDING_CONSTANT ? fill : a->map[position_at(mode, i, a->n)];
  }
  int64_t *swap = a->map;
  a->map = a->spare;
  a->spare = swap;
  a->n = n;
}

static void flip(axis *a) {
  for (int64_t i = 0, j = a->n - 1; i < j; i++, j--) {
    int64_t swap = a->map[i];
    a->map[i] = a->map[j];
    a->map[j] = swap;
  }
}

/* Half of `rest`, a half rounded to even, as Python's round does for torchvision. */
static int64_t middle(int64_t rest) { return rest / 2 + (rest & (rest / 2) & 1); }

static void move_maps(const sel__transforms *t, int k, uint64_t seed, axis *rows, axis *columns) {
  const sel_transform *s = &t->steps[k];
  sel__draws draws = sel__draws_of(seed, k);
  switch (s->kind) {
    case SEL_TRANSFORM_RANDOM_CROP: {
      int64_t places = rows->n + s->padding[1] + s->padding[3] - s->height + 1;
      int64_t top = sel__draw_below(&draws, places) - s->padding[1];
      places = columns->n + s->padding[0] + s->padding[2] - s->width + 1;
      int64_t left = sel__draw_below(&draws, places) - s->padding[0];
      cut(rows, top, s->height, s->padding_mode, t->from[1] + k);
      cut(columns, left, s->width, s->padding_mode, t->from[2] + k);
      break;
    }
    case SEL_TRANSFORM_CENTER_CROP:
      cut(rows, middle(rows->n - s->height), s->height, SEL_PADDING_CONSTANT, 0);
      cut(columns, middle(columns->n - s->width), s->width, SEL_PADDING_CONSTANT, 0);
      break;
    default:
      if (sel__draw(&draws) < s->p)
        flip(s->kind == SEL_TRANSFORM_RANDOM_HORIZONTAL_FLIP ? columns : rows);
  }
}

/* ---- the elements ---- */

/* Row `from` of a channel, and behind it each step's fill, so that a column's entry is a place in
 * `line` in either case. */
static inline void load_line(const sel__transforms *t, const char *channel, int64_t from,
                             char *line, size_t size) {
  int64_t height = t->from[1], width = t->from[2];
  if (from < height) {
    memcpy(line, channel + (size_t)(from * width) * size, (size_t)width * size);
    memcpy(line + (size_t)width * size, t->fills, (size_t)t->n_moves * size);
    return;
  }
  for (int64_t x = 0; x < width + t->n_moves; x++) {
    int64_t step = x - width > from - height ? x - width : from - height;
    memcpy(line + (size_t)x * size, t->fills + (size_t)step * size, size);
  }
}

static inline void gather(const sel__transforms *t, const char *image, const axis *rows,
                          const axis *columns, char *line, char *to, size_t size) {
  size_t channel = (size_t)(t->from[1] * t->from[2]) * size;
  for (int64_t c = 0; c < t->from[0]; c++, image += channel)
    for (int64_t y = 0; y < rows->n; y++) {
      load_line(t, image, rows->map[y], line, size);
      for (int64_t x = 0; x < columns->n; x++, to += size)
        memcpy(to, line + (size_t)columns->map[x] * size, size);
    }
}

/* ---- scratch memory: four maps, a line, the result ---- */

static size_t maps_bytes(const sel__transforms *t) {
  return 2 * (size_t)(t->room[0] + t->room[1]) * sizeof(int64_t);
}
static size_t line_bytes(const sel__transforms *t) {
  return (size_t)(t->from[2] + t->n_moves) * sel_dtype_size(t->rows) / 8 * 8 + 8;
}

size_t sel__transforms_scratch(const sel__transforms *t) {
  if (t->n_moves == 0) return 0;
  size_t result = (size_t)(t->to[0] * t->to[1] * t->to[2]) * sel_dtype_size(t->rows);
  return maps_bytes(t) + line_bytes(t) + result;
}

const char *sel__transforms_move(const sel__transforms *t, uint64_t seed, const char *image,
                                 void *scratch) {
  if (t->n_moves == 0) return image;
  int64_t *maps = scratch;
  char *line = (char *)scratch + maps_bytes(t), *to = line + line_bytes(t);
  axis rows = {t->from[1], identity(maps, t->from[1]), maps + t->room[0]};
  maps += 2 * t->room[0];
  axis columns = {t->from[2], identity(maps, t->from[2]), maps + t->room[1]};
  for (int k = 0; k < t->n_moves; k++) move_maps(t, k, seed, &rows, &columns);
  switch (sel_dtype_size(t->rows)) { /* known sizes, so that an element is a plain load and store */
    case 1:
      gather(t, image, &rows, &columns, line, to, 1);
      break;
    case 2:
      gather(t, image, &rows, &columns, line, to, 2);
      break;
    case 4:
      gather(t, image, &rows, &columns, line, to, 4);
      break;
    default:
      gather(t, image, &rows, &columns, line, to, 8);
  }
  return to;
}
