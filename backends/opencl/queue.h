/* The device's queue: everything it is given to do passes here, runs in this order, and is counted.
 *
 * The host runs ahead of the device. It waits where it reads and where it finishes, and also when
 * it is some thousand launches ahead, or hundreds of megabytes that it wrote are still under way:
 * both take memory.
 */
#ifndef OPENCL_QUEUE_H
#define OPENCL_QUEUE_H

#include <CL/cl.h>
#include <stdatomic.h>

#include "selenite/backend.h"

typedef struct opencl_queue {
  cl_command_queue commands;
  atomic_llong launches, writes, written, reads, read, waits; /* written, read: bytes */
  atomic_size_t under_way;                                    /* bytes of writes not done yet */
  int ahead;                                                  /* launches since `mark` */
  cl_event mark;
} opencl_queue;

/* Queues a kernel; one thread at a time may. */
cl_int opencl_queue_kernel(opencl_queue *queue, cl_kernel kernel, int dims, const size_t *global,
                           const size_t *group);
/* Counts kernels that a library queued by itself. */
void opencl_queue_launched(opencl_queue *queue, int launches);
/* Queues a write of bytes that are the caller's again on return. */
cl_int opencl_queue_write(opencl_queue *queue, cl_mem destination, size_t byte, const void *source,
                          size_t bytes);
/* Queues a read, and waits for it where `wait` says so; else `destination` is written by the time
 * the next wait is over. */
cl_int opencl_queue_read(opencl_queue *queue, void *destination, cl_mem source, size_t byte,
                         size_t bytes, bool wait);
/* Waits for all that was queued. */
cl_int opencl_queue_wait(opencl_queue *queue);
void opencl_queue_counters(const opencl_queue *queue, sel_counters *out);

#endif
