/* The one device of the cpu backend: the host's memory and its description. Thread count:
 * threads.h.
 */
#ifndef CPU_DEVICE_H
#define CPU_DEVICE_H

#include "selenite/backend.h"

int cpu_device_count(const char **reason);
sel_status cpu_device_open(int index, sel_backend_device *out);
const char *cpu_device_summary(sel_backend_device device);
extern const sel_device_ability cpu_device_ability;
sel_status cpu_allocate(sel_backend_device device, size_t bytes, sel_buffer *out);
void cpu_release(sel_backend_device device, sel_buffer buffer, size_t bytes);
sel_status cpu_read(sel_backend_device device, void *destination, sel_buffer source,
                    size_t source_byte, size_t bytes);
sel_status cpu_write(sel_backend_device device, sel_buffer destination, size_t destination_byte,
                     const void *source, size_t bytes);
sel_status cpu_synchronize(sel_backend_device device);

/* Composes the summary line; called once, before the backend is registered. */
void cpu_device_describe(const char *level);

#endif
