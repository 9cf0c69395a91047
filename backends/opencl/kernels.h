/* The kernels the backend has, as plugin.c lists them. Contracts are those of selenite/backend.h.
 */
#ifndef OPENCL_KERNELS_H
#define OPENCL_KERNELS_H

#include "selenite/backend.h"

sel_status opencl_copy(sel_backend_device device, const sel_copy_args *args);
sel_status opencl_pointwise(sel_backend_device device, const sel_pointwise_args *args);
sel_status opencl_update(sel_backend_device device, const sel_update_args *args);
sel_status opencl_random(sel_backend_device device, const sel_random_args *args);
sel_status opencl_scan(sel_backend_device device, const sel_scan_args *args);
sel_status opencl_reduce(sel_backend_device device, const sel_reduce_args *args);
sel_status opencl_gemm(sel_backend_device device, const sel_gemm_args *args);
sel_status opencl_index(sel_backend_device device, const sel_index_args *args);
sel_status opencl_sort(sel_backend_device device, const sel_sort_args *args);
sel_status opencl_softmax(sel_backend_device device, const sel_softmax_args *args);
sel_status opencl_cross_entropy(sel_backend_device device, const sel_cross_entropy_args *args);
sel_status opencl_attention(sel_backend_device device, const sel_attention_args *args);
sel_status opencl_conv(sel_backend_device device, const sel_conv_args *args);
sel_status opencl_norm(sel_backend_device device, const sel_norm_args *args);
sel_status opencl_pool(sel_backend_device device, const sel_pool_args *args);
sel_status opencl_cell(sel_backend_device device, const sel_cell_args *args);
sel_status opencl_upsample(sel_backend_device device, const sel_upsample_args *args);

/* Abilities. */
extern const sel_fuse_ability opencl_fuse;
extern const sel_source_ability opencl_source;

#endif
