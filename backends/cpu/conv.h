/* The parts of convolution: conv.c decides, conv_depthwise.c has the case without sums over
 * channels, and conv_flat.c a faster way for most of it. */
#ifndef CPU_CONV_H
#define CPU_CONV_H

#include "kernels.h"
#include "window.h"

/* Whether each output channel sees one input channel, and few share it: then products of matrices
 * have nothing to gain. */
bool CPU_NAME(cpu_conv_is_depthwise)(const sel_conv_args *args);
sel_status CPU_NAME(cpu_conv_depthwise)(const sel_conv_args *args, const cpu_window *window);

/* Whether a depthwise convolution can be done by shifted vectors, which is faster than by rows:
 * stride 1, planes and windows of moderate size. */
bool CPU_NAME(cpu_conv_is_flat)(const sel_conv_args *args, const cpu_window *window);
sel_status CPU_NAME(cpu_conv_flat)(const sel_conv_args *args, const cpu_window *window);

#endif
