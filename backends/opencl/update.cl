// One optimizer rule over up to ITEMS tensors. In front of this text stand T, ITEMS, STATES (how
// many of m, v, w the rule keeps), RULE, its statements in p, g, m, v, w, s0...s7, and
// EACH_ITEM(DO), which is DO(0) DO(1) ...
//
// Tensors are cut into groups of work-items, and the groups of all tensors counted through.

#define K(x) ((T)(x))
#define SQRT sqrt

typedef struct items {
  long first_group[ITEMS + 1];
  long numel[ITEMS];
  long first[ITEMS][2 + STATES]; // where p, g, m, v, w begin in their buffers
} items;

typedef struct scalars {
  T s[8];
} scalars;

// DO_STATES(DO, k): DO(k, state, its number) for each state the rule keeps.
#if STATES == 0
#define DO_STATES(DO, k)
#elif STATES == 1
#define DO_STATES(DO, k) DO(k, m, 2)
#elif STATES == 2
#define DO_STATES(DO, k) DO(k, m, 2) DO(k, v, 3)
#else
#define DO_STATES(DO, k) DO(k, m, 2) DO(k, v, 3) DO(k, w, 4)
#endif

#define STATE_PARAMETER(k, state, n) , __global T *state##k
#define PARAMETERS(k) , __global T *p##k, __global const T *g##k DO_STATES(STATE_PARAMETER, k)

#define TAKE_STATE(k, state, n) state##s = state##k + all.first[k][n];
#define TAKE(k)                     \
  case k:                           \
    ps = p##k + all.first[k][0];    \
    gs = g##k + all.first[k][1];    \
    DO_STATES(TAKE_STATE, k)        \
    break;

#define POINTER(k, state, n) __global T *state##s = 0;
#define READ(k, state, n) state = state##s[i];
#define WRITE(k, state, n) state##s[i] = state;

__kernel void update(items all, scalars parameters EACH_ITEM(PARAMETERS)) {
  const long group = get_group_id(0);
  int k = 0;
  while (k + 1 < ITEMS && group >= all.first_group[k + 1]) k++;
  const long i = (group - all.first_group[k]) * (long)get_local_size(0) + (long)get_local_id(0);
  if (i >= all.numel[k]) return;

  __global T *ps = 0;
  __global const T *gs = 0;
  DO_STATES(POINTER, 0)
  switch (k) { EACH_ITEM(TAKE) }
  const T s0 = parameters.s[0], s1 = parameters.s[1], s2 = parameters.s[2], s3 = parameters.s[3],
          s4 = parameters.s[4], s5 = parameters.s[5], s6 = parameters.s[6], s7 = parameters.s[7];
  T p = ps[i], g = gs[i], m = 0, v = 0, w = 0;
  DO_STATES(READ, 0)
  RULE
  ps[i] = p;
  DO_STATES(WRITE, 0)
}
