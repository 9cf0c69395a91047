/* What transforms do to the converted values of one image: erasing, and the user's own functions.
 */
#include <math.h>
#include <string.h>

#include "transform.h"

typedef struct rectangle {
  int64_t top, left, height, width;
} rectangle;

/* A rectangle smaller than the image, of a random area and shape, as torchvision draws it; false
 * when ten tries gave none that fits. */
static bool draw_rectangle(const sel_transform *s, const int64_t image[2], sel__draws *draws,
                           rectangle *out) {
  double area = (double)image[0] * (double)image[1];
  double low = log(s->ratio[0]), high = log(s->ratio[1]);
  for (int tries = 0; tries < 10; tries++) {
    double wanted = area * (s->scale[0] + (s->scale[1] - s->scale[0]) * sel__draw(draws));
    double ratio = exp(low + (high - low) * sel__draw(draws));
    double height = rint(sqrt(wanted * ratio)), width = rint(sqrt(wanted / ratio));
    if (!(height < (double)image[0] && width < (double)image[1])) continue;
    *out = (rectangle){.height = (int64_t)height, .width = (int64_t)width};
    out->top = sel__draw_below(draws, image[0] - out->height + 1);
    out->left = sel__draw_below(draws, image[1] - out->width + 1);
    return true;
  }
  return false;
}

static void erase(const sel__transforms *t, int k, sel__draws draws, char *values) {
  rectangle r;
  const sel_transform *s = &t->steps[k];
  int64_t height = t->to[1], width = t->to[2];
  if (!(sel__draw(&draws) < s->p) || !draw_rectangle(s, &t->to[1], &draws, &r)) return;
  size_t size = sel_dtype_size(t->values);
  const char *value = t->erased + (size_t)(k * t->to[0]) * size;
  for (int64_t c = 0; c < t->to[0]; c++, value += size)
    for (int64_t y = r.top; y < r.top + r.height; y++) {
      char *line = values + (size_t)((c * height + y) * width + r.left) * size;
      for (int64_t x = 0; x < r.width; x++) memcpy(line + (size_t)x * size, value, size);
    }
}

void sel__transforms_change(const sel__transforms *t, uint64_t seed, char *values) {
  for (int k = t->n_moves; k < t->n; k++) {
    sel__draws draws = sel__draws_of(seed, k);
    if (t->steps[k].kind == SEL_TRANSFORM_RANDOM_ERASING)
      erase(t, k, draws, values);
    else
      t->steps[k].fn(t->steps[k].context, values, t->values, t->to, sel__draw_word(&draws));
  }
}
