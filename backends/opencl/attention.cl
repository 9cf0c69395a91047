// Attention. In front of this text: T, HEAD and VALUE (sizes of a head), ROWS (work-items of a
// group), KEYS (rows of the other side that a group has in local memory at a time), MASKED,
// DROPPED, WIDE (T is double).
//
//   s = q k^T scale + mask      p = exp(s - log sum exp s)      out = (p * keep) v
//   dv = (p * keep)^T dy        ds = p (keep * dy v^T - d), d = sum of dy out along a row
//   dq = ds k scale             dk = ds^T q scale
//
// keep is dropout's factor: 0, or 1 / (1 - rate). Nothing of the size of p is stored: forward and
// dq have a work-item a query and walk over tiles of keys; dk and dv a work-item a key, over
// queries.
#include "scores.cl"

enum { WIDTH = 8 };

inline T dot_local(const T *a, __local const T *b, int n) {
  T part[WIDTH];
  for (int l = 0; l < WIDTH; l++) part[l] = 0;
  int c = 0;
  for (; c + WIDTH <= n; c += WIDTH)
    for (int l = 0; l < WIDTH; l++) part[l] += a[c + l] * b[c + l];
  for (; c < n; c++) part[0] += a[c] * b[c];
  for (int width = WIDTH / 2; width > 0; width /= 2)
    for (int l = 0; l < width; l++) part[l] += part[l + width];
  return part[0];
}

// The group brings `rows` rows of `size` numbers into local memory.
inline void bring(__local T *to, __global const T *from, long rows, int size) {
  for (long e = get_local_id(0); e < rows * size; e += get_local_size(0)) to[e] = from[e];
}

#define HEAD_OF_GROUP ((long)get_group_id(1))

// Groups: ROWS queries of one head. Dims of the launch: queries, batch * heads.
__kernel void forward(attention a, T scale, T rate, __global const T *q, long q_first,
                      __global const T *k, long k_first, __global const T *v, long v_first,
                      __global const T *mask, __global T *out, long out_first,
                      __global T *log_sums, long log_sums_first) {
  __local T keys[KEYS * HEAD], values[KEYS * VALUE];
  const long head = HEAD_OF_GROUP, kv = KV_HEAD(a, head), i = get_global_id(0);
  const bool real = i < a.q_length;
  const long row = head * a.q_length + (real ? i : 0);
  const long last = min((long)(get_group_id(0) + 1) * ROWS, a.q_length) - 1;
  const long seen = real ? keys_seen(&a, i) : 0, group_seen = keys_seen(&a, last);
  T query[HEAD], sum_of[VALUE], s[KEYS];
  for (int c = 0; c < HEAD; c++) query[c] = q[q_first + row * HEAD + c];
  for (int c = 0; c < VALUE; c++) sum_of[c] = 0;
  T top = -INFINITY, sum = 0;
  for (long first = 0; first < group_seen; first += KEYS) {
    const int n = (int)min((long)KEYS, group_seen - first);
    barrier(CLK_LOCAL_MEM_FENCE);
    bring(keys, k + k_first + (kv * a.k_length + first) * HEAD, n, HEAD);
    bring(values, v + v_first + (kv * a.k_length + first) * VALUE, n, VALUE);
    barrier(CLK_LOCAL_MEM_FENCE);
    const int mine = (int)clamp(seen - first, 0l, (long)n);
    T most = top;
    for (int j = 0; j < mine; j++) {
      s[j] = dot_local(query, keys + j * HEAD, HEAD) * scale +
             mask_of(&a, mask, head, i, first + j);
      most = s[j] > most || s[j] != s[j] ? s[j] : most;
    }
    const T shift = most == -INFINITY ? 0 : most, rescale = exp(top - shift);
    sum *= rescale;
    for (int c = 0; c < VALUE; c++) sum_of[c] *= rescale;
    for (int j = 0; j < mine; j++) {
      const T p = exp(s[j] - shift), kept = p * keep_of(&a, rate, head, i, first + j);
      sum += p;
      for (int c = 0; c < VALUE; c++) sum_of[c] += kept * values[j * VALUE + c];
    }
    top = most;
  }
  if (!real) return;
  const T inverse = sum == 0 ? 0 : 1 / sum;
  for (int c = 0; c < VALUE; c++) out[out_first + row * VALUE + c] = sum_of[c] * inverse;
  log_sums[log_sums_first + row] = sum == 0 ? -INFINITY : top + log(sum);
}

// d of each row.
__kernel void row_sums(long rows, __global const T *out, long out_first, __global const T *grad,
                       long grad_first, __global T *d) {
  const long row = get_global_id(0);
  if (row >= rows) return;
  T sum = 0;
  for (int c = 0; c < VALUE; c++)
    sum += out[out_first + row * VALUE + c] * grad[grad_first + row * VALUE + c];
  d[row] = sum;
}

inline T probability(T s, T log_sum) { return log_sum == -INFINITY ? 0 : exp(s - log_sum); }

// As forward.
__kernel void grad_queries(attention a, T scale, T rate, __global const T *q, long q_first,
                           __global const T *k, long k_first, __global const T *v, long v_first,
                           __global const T *mask, __global const T *log_sums, long log_sums_first,
                           __global const T *grad, long grad_first, __global const T *d,
                           __global T *dq, long dq_first) {
  __local T keys[KEYS * HEAD], values[KEYS * VALUE];
  const long head = HEAD_OF_GROUP, kv = KV_HEAD(a, head), i = get_global_id(0);
  const bool real = i < a.q_length;
  const long row = head * a.q_length + (real ? i : 0);
  const long last = min((long)(get_group_id(0) + 1) * ROWS, a.q_length) - 1;
  const long seen = real ? keys_seen(&a, i) : 0, group_seen = keys_seen(&a, last);
  T query[HEAD], pull[VALUE], result[HEAD];
  for (int c = 0; c < HEAD; c++) query[c] = q[q_first + row * HEAD + c], result[c] = 0;
  for (int c = 0; c < VALUE; c++) pull[c] = grad[grad_first + row * VALUE + c];
  const T log_sum = log_sums[log_sums_first + row], level = d[row];
  for (long first = 0; first < group_seen; first += KEYS) {
    const int n = (int)min((long)KEYS, group_seen - first);
    barrier(CLK_LOCAL_MEM_FENCE);
    bring(keys, k + k_first + (kv * a.k_length + first) * HEAD, n, HEAD);
    bring(values, v + v_first + (kv * a.k_length + first) * VALUE, n, VALUE);
    barrier(CLK_LOCAL_MEM_FENCE);
    const int mine = (int)clamp(seen - first, 0l, (long)n);
    for (int j = 0; j < mine; j++) {
      const T s = dot_local(query, keys + j * HEAD, HEAD) * scale +
                  mask_of(&a, mask, head, i, first + j);
      const T dp = dot_local(pull, values + j * VALUE, VALUE) *
                   keep_of(&a, rate, head, i, first + j);
      const T ds = probability(s, log_sum) * (dp - level) * scale;
      for (int c = 0; c < HEAD; c++) result[c] += ds * keys[j * HEAD + c];
    }
  }
  if (!real) return;
  for (int c = 0; c < HEAD; c++) dq[dq_first + row * HEAD + c] = result[c];
}

// Groups: ROWS keys of one kv head. Dims of the launch: keys, batch * kv_heads.
__kernel void grad_keys(attention a, T scale, T rate, __global const T *q, long q_first,
                        __global const T *k, long k_first, __global const T *v, long v_first,
                        __global const T *mask, __global const T *log_sums, long log_sums_first,
                        __global const T *grad, long grad_first, __global const T *d,
                        __global T *dk, long dk_first, __global T *dv, long dv_first) {
  __local T queries[KEYS * HEAD], pulls[KEYS * VALUE];
  const long kv = HEAD_OF_GROUP, j = get_global_id(0), share = a.heads / a.kv_heads;
  const bool real = j < a.k_length;
  const long row = kv * a.k_length + (real ? j : 0);
  T key[HEAD], value[VALUE], result_k[HEAD], result_v[VALUE];
  for (int c = 0; c < HEAD; c++) key[c] = k[k_first + row * HEAD + c], result_k[c] = 0;
  for (int c = 0; c < VALUE; c++) value[c] = v[v_first + row * VALUE + c], result_v[c] = 0;
  for (long h = 0; h < share; h++) {
    const long head = kv / a.kv_heads * a.heads + kv % a.kv_heads * share + h;
    for (long first = 0; first < a.q_length; first += KEYS) {
      const int n = (int)min((long)KEYS, a.q_length - first);
      const long at = head * a.q_length + first;
      if (keys_seen(&a, first + n - 1) <= (long)get_group_id(0) * ROWS) continue; // none is seen
      barrier(CLK_LOCAL_MEM_FENCE);
      bring(queries, q + q_first + at * HEAD, n, HEAD);
      bring(pulls, grad + grad_first + at * VALUE, n, VALUE);
      barrier(CLK_LOCAL_MEM_FENCE);
      for (int i = 0; i < n; i++) {
        if (!real || j >= keys_seen(&a, first + i)) continue;
        const T s = dot_local(key, queries + i * HEAD, HEAD) * scale +
                    mask_of(&a, mask, head, first + i, j);
        const T p = probability(s, log_sums[log_sums_first + at + i]);
        const T keep = keep_of(&a, rate, head, first + i, j);
        const T ds = p * (dot_local(value, pulls + i * VALUE, VALUE) * keep - d[at + i]) * scale;
        for (int c = 0; c < VALUE; c++) result_v[c] += p * keep * pulls[i * VALUE + c];
        for (int c = 0; c < HEAD; c++) result_k[c] += ds * queries[i * HEAD + c];
      }
    }
  }
  if (!real) return;
  for (int c = 0; c < HEAD; c++) dk[dk_first + row * HEAD + c] = result_k[c];
  for (int c = 0; c < VALUE; c++) dv[dv_first + row * VALUE + c] = result_v[c];
}
