/* Optimizers: what optim.c keeps, optim_rules.c defines and optim_update.c runs. */
#ifndef SEL_OPTIM_H
#define SEL_OPTIM_H

#include "selenite/backend.h"
#include "selenite/optim.h"

enum { SEL__MAX_SETTINGS = 8, SEL__MAX_STATES = 3 };

/* Values a setting may take; all are finite. */
typedef enum sel__setting_range {
  SEL__ANY_NUMBER = 0,
  SEL__NOT_NEGATIVE,
  SEL__BELOW_ONE, /* 0 <= x < 1 */
  SEL__FLAG       /* 0 or 1 */
} sel__setting_range;

typedef struct sel__setting {
  const char *name; /* NULL ends the table */
  double initial;
  sel__setting_range range;
} sel__setting;

/* How the next update of some parameters is computed: row `op` of SEL_UPDATES with its scalars, on
 * the first `states` states of the kind. */
typedef struct sel__rule {
  sel_update_op op;
  int states;
  double initial; /* what a new state tensor is filled with */
  double scalar[SEL_MAX_SCALARS];
} sel__rule;

typedef struct sel__optim_kind {
  const char *name;
  const sel__setting settings[SEL__MAX_SETTINGS + 1];
  const char *states[SEL__MAX_STATES + 1]; /* NULL ends the list */
  /* step: number of the update to come, from 1. fresh: its states were not updated yet. */
  sel_status (*rule)(const double *settings, int64_t step, bool fresh, sel__rule *out);
} sel__optim_kind;

const sel__optim_kind *sel__optim_kind_at(int i); /* NULL past the last */

typedef struct sel__parameter {
  sel_tensor *tensor;
  sel_tensor *state[SEL__MAX_STATES]; /* contiguous, f32 or f64; NULL before it is needed */
  int64_t steps;
  bool fresh;   /* states were made, but no update went into them */
  bool pending; /* waits for its update in the step that runs */
} sel__parameter;

typedef struct sel__group {
  int first, count; /* its parameters */
  double setting[SEL__MAX_SETTINGS];
} sel__group;

/* Parameters lie group after group. The last three arrays are room for one update of the largest
 * group, so that a step allocates nothing. */
struct sel_optimizer {
  const sel__optim_kind *kind;
  int n_groups, n_parameters;
  sel__group *groups;
  sel__parameter *parameters;
  int room;
  sel_update_item *items;
  sel__parameter **owners; /* of items */
  sel_tensor **work;       /* parameter and gradient of each item, packed */
};

#endif
