/* Nearest known name by edit distance: insertions, deletions, replacements, and swaps of neighbours
 * (optimal string alignment). Names longer than MAX_NAME are never suggested. */
#include "suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NAME = 48 };

static int least(int a, int b) { return a < b ? a : b; }

static int edit_distance(const char *a, const char *b) {
  int n = (int)strlen(a), m = (int)strlen(b);
  int rows[3][MAX_NAME + 1]; /* of a[..i-2], a[..i-1], a[..i] */
  int *before = rows[0], *previous = rows[1], *row = rows[2];
  for (int j = 0; j <= m; j++) before[j] = previous[j] = j;
  for (int i = 1; i <= n; i++) {
    row[0] = i;
    for (int j = 1; j <= m; j++) {
      row[j] = least(least(previous[j], row[j - 1]) + 1, previous[j - 1] + (a[i - 1] != b[j - 1]));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = least(row[j], before[j - 2] + 1);
    }
    int *oldest = before;
    before = previous, previous = row, row = oldest;
  }
  return previous[m];
}

void sel__suggest(sel__suggestion *suggestion, const char *known) {
  if (strlen(known) > MAX_NAME || strlen(suggestion->wanted) > MAX_NAME) return;
  int distance = edit_distance(suggestion->wanted, known);
  if (!suggestion->best || distance < suggestion->distance) {
    suggestion->best = known;
    suggestion->distance = distance;
  }
}

const char *sel__suggestion_hint(const sel__suggestion *suggestion) {
  static _Thread_local char hint[MAX_NAME + 24];
  if (!suggestion->best) return "";
  int tolerated = 1 + (int)strlen(suggestion->best) / 4;
  if (suggestion->distance > tolerated) return "";
  snprintf(hint, sizeof hint, "; did you mean '%s'?", suggestion->best);
  return hint;
}
