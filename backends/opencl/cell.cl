// One step of a recurrent cell after its products, a work-item an element of the state. In front of
// this text: T, KIND and which operands there are: MASKED, SAVES, and the HAS_ of backward.

#define TANH 0
#define RELU 1
#define LSTM 2
#define GRU 3

#define OF(name) __global T *name, long name##_first
#define BYTES(name) __global const uchar *name, long name##_first

inline T logistic(T x) { return 1 / (1 + exp(-x)); }

// Element j of row r: of the states, of gate k, of saved activation k.
#define ITEM                                       \
  const long item = get_global_id(0);              \
  if (item >= n * size) return;                    \
  const long r = item / size, j = item % size;
#define STATE(name) name[name##_first + item]
#define GATE(name, k) name[name##_first + (r * GATES + (k)) * size + j]
#define SAVED(k) saved[saved_first + (r * 4 + (k)) * size + j]
#define KEEPS (MASKED && !mask[mask_first + r])

__kernel void forward(long n, long size, OF(gates_x), OF(gates_h), OF(h_prev), OF(c_prev), OF(h),
                      OF(c), OF(saved), BYTES(mask)) {
  ITEM
  if (KEEPS) {
    STATE(h) = STATE(h_prev);
    if (KIND == LSTM) STATE(c) = STATE(c_prev);
    return;
  }
#if KIND == LSTM
  const T i = logistic(GATE(gates_x, 0) + GATE(gates_h, 0));
  const T f = logistic(GATE(gates_x, 1) + GATE(gates_h, 1));
  const T g = tanh(GATE(gates_x, 2) + GATE(gates_h, 2));
  const T o = logistic(GATE(gates_x, 3) + GATE(gates_h, 3));
  const T state = f * STATE(c_prev) + i * g;
  STATE(c) = state;
  STATE(h) = o * tanh(state);
  if (SAVES) SAVED(0) = i, SAVED(1) = f, SAVED(2) = g, SAVED(3) = o;
#elif KIND == GRU
  const T reset = logistic(GATE(gates_x, 0) + GATE(gates_h, 0));
  const T z = logistic(GATE(gates_x, 1) + GATE(gates_h, 1));
  const T part = GATE(gates_h, 2);
  const T fresh = tanh(GATE(gates_x, 2) + reset * part);
  STATE(h) = fresh + z * (STATE(h_prev) - fresh);
  if (SAVES) SAVED(0) = reset, SAVED(1) = z, SAVED(2) = fresh, SAVED(3) = part;
#else
  const T a = GATE(gates_x, 0) + GATE(gates_h, 0);
  STATE(h) = KIND == TANH ? tanh(a) : a < 0 ? 0 : a;
#endif
}

__kernel void backward(long n, long size, OF(gates_x), OF(gates_h), OF(h_prev), OF(c_prev), OF(h),
                       OF(c), OF(saved), BYTES(mask), OF(grad_h), OF(grad_out), OF(grad_c),
                       OF(grad_gates_x), OF(grad_gates_h), OF(grad_h_prev), OF(grad_c_prev)) {
  ITEM
  const T dh = (HAS_GRAD_H ? STATE(grad_h) : 0) + (HAS_GRAD_OUT ? STATE(grad_out) : 0);
  const T dc_out = HAS_GRAD_C ? STATE(grad_c) : 0;
  if (KEEPS) {
    STATE(grad_h_prev) = dh;
    for (int k = 0; k < GATES; k++) GATE(grad_gates_x, k) = 0;
    for (int k = 0; k < GATES && HAS_GRAD_GATES_H; k++) GATE(grad_gates_h, k) = 0;
    if (KIND == LSTM) STATE(grad_c_prev) = dc_out;
    return;
  }
#if KIND == LSTM
  const T i = SAVED(0), f = SAVED(1), g = SAVED(2), o = SAVED(3), t = tanh(STATE(c));
  const T dc = dc_out + dh * o * (1 - t * t);
  GATE(grad_gates_x, 0) = dc * g * i * (1 - i);
  GATE(grad_gates_x, 1) = dc * STATE(c_prev) * f * (1 - f);
  GATE(grad_gates_x, 2) = dc * i * (1 - g * g);
  GATE(grad_gates_x, 3) = dh * t * o * (1 - o);
  STATE(grad_c_prev) = dc * f;
  if (HAS_GRAD_H_PREV) STATE(grad_h_prev) = 0;
#elif KIND == GRU
  const T reset = SAVED(0), z = SAVED(1), fresh = SAVED(2);
  const T dn = dh * (1 - z) * (1 - fresh * fresh);
  const T dz = dh * (STATE(h_prev) - fresh) * z * (1 - z);
  const T dr = dn * SAVED(3) * reset * (1 - reset);
  GATE(grad_gates_x, 0) = GATE(grad_gates_h, 0) = dr;
  GATE(grad_gates_x, 1) = GATE(grad_gates_h, 1) = dz;
  GATE(grad_gates_x, 2) = dn;
  GATE(grad_gates_h, 2) = dn * reset;
  STATE(grad_h_prev) = dh * z;
#else
  const T y = STATE(h);
  GATE(grad_gates_x, 0) = KIND == TANH ? dh * (1 - y * y) : y > 0 ? dh : 0;
  if (HAS_GRAD_H_PREV) STATE(grad_h_prev) = 0;
#endif
}
