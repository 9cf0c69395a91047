/* See pairs.h. Open addressing; slots are a power of two, at most half of them used. */
#include "pairs.h"

#include <stdlib.h>

void pairs_free(pairs *p) {
  free(p->keys);
  free(p->values);
  *p = (pairs){0};
}

static size_t pair_slot(const pairs *p, uint64_t key) {
  uint64_t h = key * 0x9e3779b97f4a7c15u;
  size_t at = (h ^ h >> 32) & (p->n_slots - 1);
  while (p->keys[at] && p->keys[at] != key) at = (at + 1) & (p->n_slots - 1);
  return at;
}

pair_value *pairs_find(const pairs *p, uint64_t pair) {
  if (p->n_slots == 0) return NULL;
  size_t at = pair_slot(p, pair + 1);
  return p->keys[at] ? &p->values[at] : NULL;
}

static bool grow_pairs(pairs *p) {
  pairs grown = {.n = p->n, .n_slots = p->n_slots ? 2 * p->n_slots : 64};
  grown.keys = calloc(grown.n_slots, sizeof *grown.keys);
  grown.values = calloc(grown.n_slots, sizeof *grown.values);
  if (!grown.keys || !grown.values) {
    pairs_free(&grown);
    return false;
  }
  for (size_t i = 0; i < p->n_slots; i++) {
    if (!p->keys[i]) continue;
    size_t at = pair_slot(&grown, p->keys[i]);
    grown.keys[at] = p->keys[i];
    grown.values[at] = p->values[i];
  }
  pairs_free(p);
  *p = grown;
  return true;
}

pair_value *pairs_put(pairs *p, uint64_t pair) {
  if (2 * (p->n + 1) > p->n_slots && !grow_pairs(p)) {
    p->failed = true;
    return NULL;
  }
  size_t at = pair_slot(p, pair + 1);
  if (!p->keys[at]) {
    p->keys[at] = pair + 1;
    p->n++;
  }
  return &p->values[at];
}
