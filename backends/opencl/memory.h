/* Buffers of a device, and bytes between them and the host. A sel_buffer is a cl_mem here; where an
 * operand begins in it is passed to kernels as a number of elements. */
#ifndef OPENCL_MEMORY_H
#define OPENCL_MEMORY_H

#include "device.h"

sel_status opencl_allocate(sel_backend_device device, size_t bytes, sel_buffer *out);
void opencl_release(sel_backend_device device, sel_buffer buffer, size_t bytes);
sel_status opencl_read(sel_backend_device device, void *destination, sel_buffer source,
                       size_t source_byte, size_t bytes);
sel_status opencl_write(sel_backend_device device, sel_buffer destination, size_t destination_byte,
                        const void *source, size_t bytes);
sel_status opencl_synchronize(sel_backend_device device);

#endif
