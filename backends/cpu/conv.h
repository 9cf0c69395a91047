/* The parts of convolution: conv.c decides, conv_depthwise.c has the case without sums over
 * channels, and conv_flat.c a faster way for most of it, conv_winograd.c and
 * conv_winograd_weight.c a faster way for 3x3. */
#ifndef CPU_CONV_H
#define CPU_CONV_H

#include "kernels.h"
#include "window.h"

static inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t pieces_of(int64_t n, int64_t piece) { return (n + piece - 1) / piece; }

/* Whether each output channel sees one input channel, and few share it: then products of matrices
 * have nothing to gain. */
bool CPU_NAME(cpu_conv_is_depthwise)(const sel_conv_args *args);
sel_status CPU_NAME(cpu_conv_depthwise)(const sel_conv_args *args, const cpu_window *window);

/* Whether a depthwise convolution can be done by shifted vectors, which is faster than by rows:
 * stride 1, planes and windows of moderate size. */
bool CPU_NAME(cpu_conv_is_flat)(const sel_conv_args *args, const cpu_window *window);
sel_status CPU_NAME(cpu_conv_flat)(const sel_conv_args *args, const cpu_window *window);

/* Whether Winograd's algorithm applies and pays: f32, 3x3, stride 1 or 2, with enough channels and
 * positions. */
bool CPU_NAME(cpu_conv_is_winograd)(const sel_conv_args *args, const cpu_window *window);
sel_status CPU_NAME(cpu_conv_winograd)(const sel_conv_args *args, const cpu_window *window);
sel_status CPU_NAME(cpu_conv_winograd_weight)(const sel_conv_args *args, const cpu_window *window);

#endif
