/* See row_failures.h. */
#include "row_failures.h"

#include <string.h>

static const char no_memory[] = "a row failed, and there is no memory for the reason";

sel_status sel__failures_reserve(sel__failures *f, int64_t n) {
  if (n <= f->capacity) return SEL_OK;
  sel__failure *grown = sel__resize(f->rows, (size_t)n * sizeof *grown);
  if (!grown) return SEL_E_MEMORY;
  memset(grown + f->capacity, 0, (size_t)(n - f->capacity) * sizeof *grown);
  f->rows = grown;
  f->capacity = n;
  return SEL_OK;
}

void sel__failures_clear(sel__failures *f) {
  for (int64_t k = 0; k < f->capacity && f->n > 0; k++) {
    const char *text = f->rows[k].text;
    if (!text) continue;
    if (text != no_memory) sel__free((void *)(intptr_t)text);
    f->rows[k] = (sel__failure){0};
    f->n--;
  }
}

void sel__failures_release(sel__failures *f) {
  sel__failures_clear(f);
  sel__free(f->rows);
  *f = (sel__failures){0};
}

void sel__failures_note(sel__failures *f, int64_t k, sel_status status) {
  if (f->rows[k].text) return;
  const char *text = sel__strdup(sel_error());
  f->rows[k] = (sel__failure){status, text ? text : no_memory};
  f->n++;
}

const sel__failure *sel__failures_first(const sel__failures *f, sel_status except) {
  for (int64_t k = 0; k < f->capacity && f->n > 0; k++)
    if (f->rows[k].text && f->rows[k].status != except) return &f->rows[k];
  return NULL;
}

/* ---- over all batches ---- */

sel_status sel__skipped_add(sel__skipped *s, int64_t row, const char *text) {
  for (int64_t i = 0; i < s->n; i++)
    if (s->rows[i].row == row) return SEL_OK;
  if (s->n == s->capacity) {
    int64_t grown = s->capacity ? 2 * s->capacity : 16;
    sel__skipped_row *moved = sel__resize(s->rows, (size_t)grown * sizeof *moved);
    if (!moved) return SEL_E_MEMORY;
    s->rows = moved;
    s->capacity = grown;
  }
  char *copy = sel__strdup(text);
  if (!copy) return SEL_E_MEMORY;
  s->rows[s->n++] = (sel__skipped_row){row, copy};
  return SEL_OK;
}

void sel__skipped_release(sel__skipped *s) {
  for (int64_t i = 0; i < s->n; i++) sel__free(s->rows[i].text);
  sel__free(s->rows);
  *s = (sel__skipped){0};
}
