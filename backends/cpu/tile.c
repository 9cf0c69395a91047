/* Tables of tile moves: every dtype to and from every compute type. */
#include "tile.h"

#include "float16.h"

/* A float goes to u8 through i32, so that -1 wraps as an integer does. */
#define VALUE float
#define TYPED(name) CPU_JOIN(name, f32)
#define TO_WHOLE(x) (int32_t)(x)
#include "tile_body.h"
#define VALUE double
#define TYPED(name) CPU_JOIN(name, f64)
#define TO_WHOLE(x) (int32_t)(x)
#include "tile_body.h"
#define VALUE int64_t
#define TYPED(name) CPU_JOIN(name, i64)
#define TO_WHOLE(x) (x)
#include "tile_body.h"
#define VALUE int32_t
#define TYPED(name) CPU_JOIN(name, i32)
#define TO_WHOLE(x) (x)
#include "tile_body.h"
#define VALUE uint8_t
#define TYPED(name) CPU_JOIN(name, u8)
#define TO_WHOLE(x) (x)
#include "tile_body.h"

#define EACH_DTYPE(move, compute)                                         \
  {                                                                       \
    [SEL_F32] = move##_f32_##compute, [SEL_F64] = move##_f64_##compute,   \
    [SEL_F16] = move##_f16_##compute, [SEL_BF16] = move##_bf16_##compute, \
    [SEL_I64] = move##_i64_##compute, [SEL_I32] = move##_i32_##compute,   \
    [SEL_U8] = move##_u8_##compute, [SEL_BOOL] = move##_bool_##compute,   \
  }

cpu_load *const CPU_NAME(cpu_loads)[SEL_DTYPE_COUNT][SEL_DTYPE_COUNT] = {
    [SEL_F32] = EACH_DTYPE(load, f32), [SEL_F64] = EACH_DTYPE(load, f64),
    [SEL_I64] = EACH_DTYPE(load, i64), [SEL_I32] = EACH_DTYPE(load, i32),
    [SEL_U8] = EACH_DTYPE(load, u8),
};

cpu_store *const CPU_NAME(cpu_stores)[SEL_DTYPE_COUNT][SEL_DTYPE_COUNT] = {
    [SEL_F32] = EACH_DTYPE(store, f32), [SEL_F64] = EACH_DTYPE(store, f64),
    [SEL_I64] = EACH_DTYPE(store, i64), [SEL_I32] = EACH_DTYPE(store, i32),
    [SEL_U8] = EACH_DTYPE(store, u8),
};
