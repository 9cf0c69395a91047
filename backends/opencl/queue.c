/* Queueing and counting: see queue.h. */
#include "queue.h"

#include <stdlib.h>
#include <string.h>

#include "library.h"

enum { LEAD = 1024 /* launches */, UNDER_WAY = 256 << 20 /* bytes */ };

static void add(atomic_llong *counter, long long n) {
  atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* ---- kernels ---- */

static bool is_done(cl_event event) {
  cl_int state = CL_QUEUED;
  cl.GetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state, NULL);
  return state <= CL_COMPLETE; /* errors are negative */
}

/* Every LEAD launches: waits for the mark set LEAD launches ago, and sets another. */
static void keep_lead(opencl_queue *queue) {
  if (++queue->ahead < LEAD) return;
  queue->ahead = 0;
  cl_event before = queue->mark;
  if (cl.EnqueueMarkerWithWaitList(queue->commands, 0, NULL, &queue->mark) != CL_SUCCESS)
    queue->mark = NULL;
  cl.Flush(queue->commands);
  if (!before) return;
  if (!is_done(before)) {
    add(&queue->waits, 1);
    cl.WaitForEvents(1, &before);
  }
  cl.ReleaseEvent(before);
}

cl_int opencl_queue_kernel(opencl_queue *queue, cl_kernel kernel, int dims, const size_t *global,
                           const size_t *group) {
  const cl_int code = cl.EnqueueNDRangeKernel(queue->commands, kernel, (cl_uint)dims, NULL, global,
                                              group, 0, NULL, NULL);
  if (code != CL_SUCCESS) return code;
  add(&queue->launches, 1);
  keep_lead(queue);
  return CL_SUCCESS;
}

void opencl_queue_launched(opencl_queue *queue, int launches) { add(&queue->launches, launches); }

/* ---- transfers ---- */

/* Bytes copied aside, which the driver frees when it has taken them. */
typedef struct aside {
  opencl_queue *queue;
  size_t bytes;
  unsigned char data[];
} aside;

static void drop(aside *copy) {
  atomic_fetch_sub(&copy->queue->under_way, copy->bytes);
  free(copy);
}

static void CL_CALLBACK written(cl_event event, cl_int status, void *copy) {
  (void)event, (void)status;
  drop(copy);
}

/* NULL where it is too much, or memory lacks. */
static aside *copy_aside(opencl_queue *queue, const void *source, size_t bytes) {
  if (atomic_load(&queue->under_way) + bytes > UNDER_WAY) return NULL;
  aside *copy = malloc(sizeof *copy + bytes);
  if (!copy) return NULL;
  *copy = (aside){.queue = queue, .bytes = bytes};
  memcpy(copy->data, source, bytes);
  atomic_fetch_add(&queue->under_way, bytes);
  return copy;
}

static cl_int write_copy(opencl_queue *queue, cl_mem destination, size_t byte, aside *copy) {
  cl_event done;
  const cl_int code = cl.EnqueueWriteBuffer(queue->commands, destination, CL_FALSE, byte,
                                            copy->bytes, copy->data, 0, NULL, &done);
  if (code != CL_SUCCESS) {
    drop(copy);
    return code;
  }
  if (cl.SetEventCallback(done, CL_COMPLETE, written, copy) != CL_SUCCESS) {
    add(&queue->waits, 1);
    cl.WaitForEvents(1, &done);
    drop(copy);
  }
  cl.ReleaseEvent(done);
  cl.Flush(queue->commands);
  return CL_SUCCESS;
}

static cl_int write_waiting(opencl_queue *queue, cl_mem destination, size_t byte,
                            const void *source, size_t bytes) {
  add(&queue->waits, 1);
  return cl.EnqueueWriteBuffer(queue->commands, destination, CL_TRUE, byte, bytes, source, 0, NULL,
                               NULL);
}

cl_int opencl_queue_write(opencl_queue *queue, cl_mem destination, size_t byte, const void *source,
                          size_t bytes) {
  aside *copy = copy_aside(queue, source, bytes);
  const cl_int code = copy ? write_copy(queue, destination, byte, copy)
                           : write_waiting(queue, destination, byte, source, bytes);
  if (code != CL_SUCCESS) return code;
  add(&queue->writes, 1);
  add(&queue->written, (long long)bytes);
  return CL_SUCCESS;
}

cl_int opencl_queue_read(opencl_queue *queue, void *destination, cl_mem source, size_t byte,
                         size_t bytes, bool wait) {
  if (wait) add(&queue->waits, 1);
  const cl_int code = cl.EnqueueReadBuffer(queue->commands, source, wait ? CL_TRUE : CL_FALSE, byte,
                                           bytes, destination, 0, NULL, NULL);
  if (code != CL_SUCCESS) return code;
  add(&queue->reads, 1);
  add(&queue->read, (long long)bytes);
  return CL_SUCCESS;
}

cl_int opencl_queue_wait(opencl_queue *queue) {
  add(&queue->waits, 1);
  return cl.Finish(queue->commands);
}

void opencl_queue_counters(const opencl_queue *queue, sel_counters *out) {
  *out = (sel_counters){.launches = (double)queue->launches,
                        .copies_to_device = (double)queue->writes,
                        .bytes_to_device = (double)queue->written,
                        .copies_to_host = (double)queue->reads,
                        .bytes_to_host = (double)queue->read,
                        .waits = (double)queue->waits};
}
