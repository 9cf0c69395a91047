/* The OpenCL devices of this machine, as all drivers together offer them. */
#ifndef OPENCL_PLATFORM_H
#define OPENCL_PLATFORM_H

#include <CL/cl.h>

/* Number of usable devices; with 0, *reason (static) says why. Drivers are asked once. */
int opencl_device_count(const char **reason);
/* The i-th: processors of graphics first, then accelerators, then the host's. */
cl_device_id opencl_device_id(int i);

#endif
