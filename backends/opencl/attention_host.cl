// Attention on the host's own cores: formulas as in attention.cl, products as in tile.cl. A
// work-item takes COLUMNS queries of a head, or keys, turned into a panel, one beside the other,
// and goes over the other side LINES at a time; so nothing has to be summed up along a vector. In
// front of this text: what tile.cl, exp.cl and scores.cl need, HEAD and VALUE (sizes of a head).
#include "tile.cl"
#include "exp.cl"
#include "scores.cl"

enum { LINES = 32 }; // a multiple of ROWS

// Memory of the work-item's own for `lines` lines of COLUMNS numbers.
#define OWN(name, lines)                 \
  VECTOR name##_vectors[(lines)*VECTORS]; \
  T *name = (T *)name##_vectors

#define EACH_COLUMN(i) \
  _Pragma("clang loop vectorize(assume_safety)") for (int i = 0; i < COLUMNS; i++)

// panel[c][i] = from[i][c] of `width` rows of `size` numbers, 0 beside them.
inline void turn(T *panel, __global const T *from, int width, int size) {
  for (int c = 0; c < size; c++)
    for (int i = 0; i < COLUMNS; i++) panel[c * COLUMNS + i] = i < width ? from[i * size + c] : 0;
}

// The way back, and zeros to begin with.
inline void turn_back(__global T *to, const T *lines, int width, int size) {
  for (int i = 0; i < width; i++)
    for (int c = 0; c < size; c++) to[i * size + c] = lines[c * COLUMNS + i];
}
inline void clear(T *lines, int n) {
  for (int e = 0; e < n * COLUMNS; e++) lines[e] = 0;
}

// s[l][i] = sum over c of from[l][c] panel[c][i], for n rows l of `size` numbers.
inline void multiply(T *s, __global const T *from, int n, int size, const T *panel) {
  for (int l = 0; l < n; l += ROWS) {
    __global const T *row[ROWS];
    rows_from(from, l, n - 1, size, row);
    const tile sum = product_of(row, 1, panel, size);
#pragma unroll
    for (int r = 0; r < ROWS; r++)
#pragma unroll
      for (int v = 0; v < VECTORS; v++) STORE_VECTOR(sum.at[r][v], v, s + (l + r) * COLUMNS);
  }
}

// to[c][i] += sum over l < n of from[l][c] s[l][i], for rows of `size` numbers c.
inline void add_product(T *to, __global const T *from, int n, int size, const T *s) {
  for (int c = 0; c < size; c += ROWS) {
    __global const T *row[ROWS];
    rows_from(from, c, size - 1, 1, row);
    const tile sum = product_of(row, size, s, n);
    for (int r = 0; r < ROWS && c + r < size; r++)
#pragma unroll
      for (int v = 0; v < VECTORS; v++) {
        T *at = to + (c + r) * COLUMNS;
        STORE_VECTOR(LOAD_VECTOR(v, at) + sum.at[r][v], v, at);
      }
  }
}

inline T probability(T s, T log_sum) { return log_sum == -INFINITY ? 0 : EXP(s - log_sum); }

// Dims of the launch: queries / COLUMNS, batch * heads.
#define QUERIES_OF_ITEM                                                         \
  const long head = get_global_id(1), kv = KV_HEAD(a, head);                    \
  const long query = get_global_id(0) * COLUMNS;                                \
  const int width = (int)min(a.q_length - query, (long)COLUMNS);                \
  const long at = head * a.q_length + query;                                    \
  const long all_seen = keys_seen(&a, query + width - 1);                       \
  k += k_first + kv * a.k_length * HEAD;                                        \
  v += v_first + kv * a.k_length * VALUE;                                       \
  OWN(queries, HEAD);                                                           \
  turn(queries, q + q_first + at * HEAD, width, HEAD);

// How many of the keys from `first` on query i of the item sees; past the last query, the last.
inline int seen_of(const attention *a, long query, int width, int i, long first) {
  return (int)clamp(keys_seen(a, query + min(i, width - 1)) - first, 0l, (long)LINES);
}

__kernel void forward(attention a, T scale, T rate, __global const T *q, long q_first,
                      __global const T *k, long k_first, __global const T *v, long v_first,
                      __global const T *mask, __global T *out, long out_first,
                      __global T *log_sums, long log_sums_first) {
  QUERIES_OF_ITEM
  OWN(result, VALUE);
  OWN(s, LINES);
  T top[COLUMNS], sum[COLUMNS];
  clear(result, VALUE);
  for (int i = 0; i < COLUMNS; i++) top[i] = -INFINITY, sum[i] = 0;
  for (long first = 0; first < all_seen; first += LINES) {
    const int n = (int)min((long)LINES, all_seen - first);
    T most[COLUMNS], shift[COLUMNS], rescale[COLUMNS];
    int seen[COLUMNS];
    for (int i = 0; i < COLUMNS; i++) {
      most[i] = top[i];
      seen[i] = seen_of(&a, query, width, i, first);
    }
    multiply(s, k + first * HEAD, n, HEAD, queries);
    for (int l = 0; l < n; l++)
      EACH_COLUMN(i) {
        T x = s[l * COLUMNS + i] * scale;
        if (MASKED) x += mask_of(&a, mask, head, query + min(i, width - 1), first + l);
        x = l < seen[i] ? x : -INFINITY;
        most[i] = ((x > most[i]) | (x != x)) ? x : most[i];
        s[l * COLUMNS + i] = x;
      }
    EACH_COLUMN(i) {
      shift[i] = most[i] == -INFINITY ? 0 : most[i];
      rescale[i] = EXP(top[i] - shift[i]);
      sum[i] *= rescale[i];
      top[i] = most[i];
    }
    for (int c = 0; c < VALUE; c++)
      EACH_COLUMN(i) result[c * COLUMNS + i] *= rescale[i];
    for (int l = 0; l < n; l++)
      EACH_COLUMN(i) {
        const T p = EXP(s[l * COLUMNS + i] - shift[i]);
        sum[i] += p;
        s[l * COLUMNS + i] = p;
        if (DROPPED) s[l * COLUMNS + i] *= keep_of(&a, rate, head, query + i, first + l);
      }
    add_product(result, v + first * VALUE, n, VALUE, s);
  }
  for (int i = 0; i < width; i++)
    log_sums[log_sums_first + at + i] = sum[i] == 0 ? -INFINITY : top[i] + log(sum[i]);
  EACH_COLUMN(i) sum[i] = sum[i] == 0 ? 0 : 1 / sum[i];
  for (int c = 0; c < VALUE; c++)
    EACH_COLUMN(i) result[c * COLUMNS + i] *= sum[i];
  turn_back(out + out_first + at * VALUE, result, width, VALUE);
}

__kernel void grad_queries(attention a, T scale, T rate, __global const T *q, long q_first,
                           __global const T *k, long k_first, __global const T *v, long v_first,
                           __global const T *mask, __global const T *log_sums, long log_sums_first,
                           __global const T *grad, long grad_first, __global const T *d,
                           __global T *dq, long dq_first) {
  QUERIES_OF_ITEM
  OWN(pulls, VALUE);
  OWN(result, HEAD);
  OWN(s, LINES);
  OWN(dp, LINES);
  T log_sum[COLUMNS], level[COLUMNS];
  turn(pulls, grad + grad_first + at * VALUE, width, VALUE);
  clear(result, HEAD);
  for (int i = 0; i < COLUMNS; i++) {
    log_sum[i] = log_sums[log_sums_first + at + min(i, width - 1)];
    level[i] = d[at + min(i, width - 1)];
  }
  for (long first = 0; first < all_seen; first += LINES) {
    const int n = (int)min((long)LINES, all_seen - first);
    int seen[COLUMNS];
    for (int i = 0; i < COLUMNS; i++) seen[i] = seen_of(&a, query, width, i, first);
    multiply(s, k + first * HEAD, n, HEAD, queries);
    multiply(dp, v + first * VALUE, n, VALUE, pulls);
    for (int l = 0; l < n; l++)
      EACH_COLUMN(i) {
        T x = s[l * COLUMNS + i] * scale, pull = dp[l * COLUMNS + i];
        if (MASKED) x += mask_of(&a, mask, head, query + min(i, width - 1), first + l);
        if (DROPPED) pull *= keep_of(&a, rate, head, query + i, first + l);
        const T p = l < seen[i] ? probability(x, log_sum[i]) : 0;
        s[l * COLUMNS + i] = p * (pull - level[i]) * scale;
      }
    add_product(result, k + first * HEAD, n, HEAD, s);
  }
  turn_back(dq + dq_first + at * HEAD, result, width, HEAD);
}

// Dims: keys / COLUMNS, batch * kv_heads.
__kernel void grad_keys(attention a, T scale, T rate, __global const T *q, long q_first,
                        __global const T *k, long k_first, __global const T *v, long v_first,
                        __global const T *mask, __global const T *log_sums, long log_sums_first,
                        __global const T *grad, long grad_first, __global const T *d,
                        __global T *dk, long dk_first, __global T *dv, long dv_first) {
  const long kv = get_global_id(1), key = get_global_id(0) * COLUMNS, share = a.heads / a.kv_heads;
  const int width = (int)min(a.k_length - key, (long)COLUMNS);
  const long row = kv * a.k_length + key;
  OWN(keys, HEAD);
  OWN(values, VALUE);
  OWN(result_k, HEAD);
  OWN(result_v, VALUE);
  OWN(s, LINES);
  OWN(dp, LINES);
  turn(keys, k + k_first + row * HEAD, width, HEAD);
  turn(values, v + v_first + row * VALUE, width, VALUE);
  clear(result_k, HEAD);
  clear(result_v, VALUE);
  for (long h = 0; h < share; h++) {
    const long head = kv / a.kv_heads * a.heads + kv % a.kv_heads * share + h;
    for (long first = 0; first < a.q_length; first += LINES) {
      const int n = (int)min((long)LINES, a.q_length - first);
      const long at = head * a.q_length + first;
      if (keys_seen(&a, first + n - 1) <= key) continue; // none is seen
      multiply(s, q + q_first + at * HEAD, n, HEAD, keys);
      multiply(dp, grad + grad_first + at * VALUE, n, VALUE, values);
      for (int l = 0; l < n; l++) {
        const int seen = (int)clamp(keys_seen(&a, first + l) - key, 0l, (long)COLUMNS);
        const T log_sum = log_sums[log_sums_first + at + l], level = d[at + l];
        EACH_COLUMN(i) {
          T x = s[l * COLUMNS + i] * scale, pull = dp[l * COLUMNS + i], keep = 1;
          if (MASKED) x += mask_of(&a, mask, head, first + l, key + min(i, width - 1));
          if (DROPPED) keep = keep_of(&a, rate, head, first + l, key + i);
          const T p = i < seen ? probability(x, log_sum) : 0;
          s[l * COLUMNS + i] = p * keep;
          dp[l * COLUMNS + i] = p * (pull * keep - level) * scale;
        }
      }
      add_product(result_v, grad + grad_first + at * VALUE, n, VALUE, s);
      add_product(result_k, q + q_first + at * HEAD, n, HEAD, dp);
    }
  }
  turn_back(dk + dk_first + row * HEAD, result_k, width, HEAD);
  turn_back(dv + dv_first + row * VALUE, result_v, width, VALUE);
}
