/* The name a user most likely meant, for errors about unknown names. */
#ifndef SEL_SUGGEST_H
#define SEL_SUGGEST_H

/* Offer every known name, then ask for the hint. Starts as {.wanted = name}. */
typedef struct sel__suggestion {
  const char *wanted, *best; /* borrowed */
  int distance;              /* of best */
} sel__suggestion;

void sel__suggest(sel__suggestion *suggestion, const char *known);

/* "; did you mean 'linear'?", or "" where nothing offered is near. Borrowed until the next call on
 * this thread. */
const char *sel__suggestion_hint(const sel__suggestion *suggestion);

#endif
