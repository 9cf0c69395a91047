/* See row_convert.h. */
#include "row_convert.h"

#define TO_FLOAT(name, from, to)                                                     \
  static void name(const void *x_, void *y_, int64_t n, double scale_, double mean_, \
                   double std_) {                                                    \
    const from *x = x_;                                                              \
    to *y = y_;                                                                      \
    to scale = (to)scale_, mean = (to)mean_, std = (to)std_;                         \
    for (int64_t i = 0; i < n; i++) y[i] = ((to)x[i] * scale - mean) / std;          \
  }
#define TO_INTEGER(name, from, to)                                                               \
  static void name(const void *x_, void *y_, int64_t n, double scale, double mean, double std) { \
    const from *x = x_;                                                                          \
    to *y = y_;                                                                                  \
    (void)scale, (void)mean, (void)std;                                                          \
    for (int64_t i = 0; i < n; i++) y[i] = (to)x[i];                                             \
  }

/* Conversions made as rows are copied: X(kind, from dtype, C type, to dtype, C type). */
#define DIRECT(X)                            \
  X(TO_FLOAT, U8, uint8_t, F32, float)       \
  X(TO_FLOAT, BOOL, uint8_t, F32, float)     \
  X(TO_FLOAT, I32, int32_t, F32, float)      \
  X(TO_FLOAT, I64, int64_t, F32, float)      \
  X(TO_FLOAT, F32, float, F32, float)        \
  X(TO_FLOAT, F64, double, F32, float)       \
  X(TO_FLOAT, U8, uint8_t, F64, double)      \
  X(TO_FLOAT, BOOL, uint8_t, F64, double)    \
  X(TO_FLOAT, I32, int32_t, F64, double)     \
  X(TO_FLOAT, I64, int64_t, F64, double)     \
  X(TO_FLOAT, F32, float, F64, double)       \
  X(TO_FLOAT, F64, double, F64, double)      \
  X(TO_INTEGER, U8, uint8_t, I32, int32_t)   \
  X(TO_INTEGER, U8, uint8_t, I64, int64_t)   \
  X(TO_INTEGER, BOOL, uint8_t, I32, int32_t) \
  X(TO_INTEGER, BOOL, uint8_t, I64, int64_t) \
  X(TO_INTEGER, I32, int32_t, I64, int64_t)  \
  X(TO_INTEGER, I64, int64_t, I32, int32_t)

#define DEFINE(kind, from, from_type, to, to_type) kind(from##_to_##to, from_type, to_type)
DIRECT(DEFINE)
#undef DEFINE

#define ENTRY(kind, from, from_type, to, to_type) [SEL_##from][SEL_##to] = from##_to_##to,
static const sel__convert_fn direct[SEL_DTYPE_COUNT][SEL_DTYPE_COUNT] = {DIRECT(ENTRY)};
#undef ENTRY

sel__convert_fn sel__row_converter(sel_dtype from, sel_dtype to) { return direct[from][to]; }
