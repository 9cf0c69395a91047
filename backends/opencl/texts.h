/* The .cl files as text, embedded at build time: one constant a file, named after it. */
#ifndef OPENCL_TEXTS_H
#define OPENCL_TEXTS_H

extern const char opencl_text_element[];
extern const char opencl_text_map[];
extern const char opencl_text_fuse[];
extern const char opencl_text_update[];
extern const char opencl_text_random[];
extern const char opencl_text_scan[];
extern const char opencl_text_reduce[];
extern const char opencl_text_softmax[];
extern const char opencl_text_cross_entropy[];
extern const char opencl_text_sort[];
extern const char opencl_text_index[];
extern const char opencl_text_attention[];
extern const char opencl_text_attention_host[];
extern const char opencl_text_conv[];
extern const char opencl_text_conv_host[];
extern const char opencl_text_gemm[];
extern const char opencl_text_norm[];
extern const char opencl_text_pool[];
extern const char opencl_text_cell[];
extern const char opencl_text_upsample[];

#endif
