/* The parts of convolution: conv.c decides, conv_depthwise.c has the case without sums over
 * channels. */
#ifndef CPU_CONV_H
#define CPU_CONV_H

#include "kernels.h"
#include "window.h"

/* Whether each output channel sees one input channel, and few share it: then products of matrices
 * have nothing to gain. */
bool CPU_NAME(cpu_conv_is_depthwise)(const sel_conv_args *args);
sel_status CPU_NAME(cpu_conv_depthwise)(const sel_conv_args *args, const cpu_window *window);

#endif
