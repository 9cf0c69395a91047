/* The kernels of one instruction-set level, and the table plugin.c registers for it.
 *
 * Files that include this header are compiled once per level with CPU_LEVEL set by the build
 * (baseline, v3, v4); CPU_NAME keeps their symbols apart. Nothing else in the plugin knows levels
 * except plugin.c. Contracts are those of selenite/backend.h.
 */
#ifndef CPU_KERNELS_H
#define CPU_KERNELS_H

#include "selenite/backend.h"

#define CPU_JOIN_(name, level) name##_##level
#define CPU_JOIN(name, level) CPU_JOIN_(name, level)
#define CPU_NAME(name) CPU_JOIN(name, CPU_LEVEL)

#define CPU_INLINE static inline __attribute__((always_inline))

sel_status CPU_NAME(cpu_copy)(sel_backend_device device, const sel_copy_args *args);
sel_status CPU_NAME(cpu_pointwise)(sel_backend_device device, const sel_pointwise_args *args);
sel_status CPU_NAME(cpu_update)(sel_backend_device device, const sel_update_args *args);
sel_status CPU_NAME(cpu_reduce)(sel_backend_device device, const sel_reduce_args *args);
sel_status CPU_NAME(cpu_scan)(sel_backend_device device, const sel_scan_args *args);
sel_status CPU_NAME(cpu_gemm)(sel_backend_device device, const sel_gemm_args *args);
sel_status CPU_NAME(cpu_index)(sel_backend_device device, const sel_index_args *args);
sel_status CPU_NAME(cpu_sort)(sel_backend_device device, const sel_sort_args *args);
sel_status CPU_NAME(cpu_softmax)(sel_backend_device device, const sel_softmax_args *args);
sel_status CPU_NAME(cpu_cross_entropy)(sel_backend_device device,
                                       const sel_cross_entropy_args *args);
sel_status CPU_NAME(cpu_random)(sel_backend_device device, const sel_random_args *args);
sel_status CPU_NAME(cpu_conv)(sel_backend_device device, const sel_conv_args *args);
sel_status CPU_NAME(cpu_pool)(sel_backend_device device, const sel_pool_args *args);
sel_status CPU_NAME(cpu_upsample)(sel_backend_device device, const sel_upsample_args *args);
sel_status CPU_NAME(cpu_norm)(sel_backend_device device, const sel_norm_args *args);
sel_status CPU_NAME(cpu_cell)(sel_backend_device device, const sel_cell_args *args);
sel_status CPU_NAME(cpu_recurrence)(sel_backend_device device, const sel_recurrence_args *args);
sel_status CPU_NAME(cpu_attention)(sel_backend_device device, const sel_attention_args *args);

extern const sel_fuse_ability CPU_NAME(cpu_fuse);

extern const sel_backend CPU_NAME(cpu_backend);

/* sel_dtype_size without the call into another library: small operations take tens of ns. */
static inline int64_t cpu_size(sel_dtype dtype) {
  static const int8_t sizes[SEL_DTYPE_COUNT] = {[SEL_F32] = sizeof(float),
                                                [SEL_F64] = sizeof(double),
                                                [SEL_F16] = 2,
                                                [SEL_BF16] = 2,
                                                [SEL_I64] = sizeof(int64_t),
                                                [SEL_I32] = sizeof(int32_t),
                                                [SEL_U8] = sizeof(uint8_t),
                                                [SEL_BOOL] = 1};
  return sizes[dtype];
}

/* The operand's first element. */
static inline void *cpu_at(const sel_operand *operand) {
  return (char *)operand->data + operand->offset * cpu_size(operand->dtype);
}

#endif
