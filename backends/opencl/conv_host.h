/* Convolution on the host's own cores. */
#ifndef OPENCL_CONV_HOST_H
#define OPENCL_CONV_HOST_H

#include "device.h"
#include "window.h"

/* Whether opencl_conv_host takes it: something is to be summed, and an image's planes with zeros
 * around them have no more elements than 32 bits count. */
bool opencl_conv_host_fits(const sel_conv_args *args, const opencl_window *window);

sel_status opencl_conv_host(opencl_device *device, const sel_conv_args *args,
                            const opencl_window *window);

#endif
