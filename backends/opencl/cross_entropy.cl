// Cross-entropy from logits, a row a line. In front of this text: T, the logits' type, SUM, what
// sums are carried in, ID, the ids' type, WEIGHTED and LANES.
//
// With p = softmax(x), target distribution q (1 - e at the id, plus e / classes everywhere) and
// class weights w: loss = - sum_c q_c w_c log p_c          dx_c = g (p_c sum_k q_k w_k - q_c w_c)
//
// A row whose id is no class counts as ignored, and is reported.
#include "lines.cl"
#include "report.cl"
#include "exp.cl"

#define WEIGHT(c) (WEIGHTED ? (SUM)weight[c] : (SUM)1)

__kernel void forward(long rows, long n, __global const T *x, long x_first,
                      __global const ID *target, long target_first, __global const T *weight,
                      long weight_first, long ignored, SUM e, __global T *losses, long losses_first,
                      __global T *log_sums, long log_sums_first, REPORT) {
  IF_NO_LINE(rows);
  SHARED
  const long id = target[target_first + LINE];
  x += x_first + LINE * n, weight += weight_first;
  SUM top, sum, spread = 0;
#define VALUE(c) (SUM)x[c]
#define SHIFTED(c) (SUM)EXP(x[c] - (T)top)
#define DISTANCE(c) ((SUM)(log_sum - x[c]) * WEIGHT(c))
  OVER_LINE(top, n, -INFINITY, larger, VALUE)
  OVER_LANES(top, larger)
  OVER_LINE(sum, n, 0, plus, SHIFTED)
  OVER_LANES(sum, plus)
  const T log_sum = (T)(top + log(sum));
  if (e != 0) {
    OVER_LINE(spread, n, 0, plus, DISTANCE)
    OVER_LANES(spread, plus)
  }
  if (LANE != 0) return;
  const bool counts = id != ignored && VALID(id, LINE, n);
  SUM loss = 0;
  if (counts) loss = (1 - e) * (SUM)(log_sum - x[id]) * WEIGHT(id);
  if (counts && e != 0) loss += e / (SUM)n * spread;
  losses[losses_first + LINE] = (T)loss;
  log_sums[log_sums_first + LINE] = counts ? log_sum : 0;
}

__kernel void backward(long rows, long n, __global const T *x, long x_first,
                       __global const ID *target, long target_first, __global const T *weight,
                       long weight_first, long ignored, SUM e, __global const T *grad,
                       long grad_first, __global const T *log_sums, long log_sums_first,
                       __global T *dx, long dx_first, REPORT) {
  IF_NO_LINE(rows);
  SHARED
  const long id = target[target_first + LINE];
  x += x_first + LINE * n, dx += dx_first + LINE * n, weight += weight_first;
  if (id == ignored || !VALID(id, LINE, n)) {
    for (long c = LANE; c < n; c += LANES) dx[c] = 0;
    return;
  }
  const SUM g = grad[grad_first + LINE], each = e / (SUM)n;
  const T log_sum = log_sums[log_sums_first + LINE];
  SUM weights = (SUM)n;
  if (WEIGHTED && e != 0) {
    OVER_LINE(weights, n, 0, plus, WEIGHT)
    OVER_LANES(weights, plus)
  }
  const SUM at_id = (1 - e) * WEIGHT(id);
  const T scale = (T)(g * (at_id + each * weights)), smooth = (T)(g * each);
  for (long c = LANE; c < n; c += LANES) {
    T d = scale * EXP(x[c] - log_sum);
    if (e != 0) d -= smooth * (T)WEIGHT(c);
    dx[c] = c == id ? d - (T)(g * at_id) : d;
  }
}
