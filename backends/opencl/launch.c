/* Launching a kernel: see launch.h. */
#include "launch.h"

#include <stdio.h>

#include "library.h"
#include "program.h"

void opencl_begin(opencl_launch *l, opencl_device *device, const char *what, const char *file,
                  const char *text, const char *defines, const char *kernel) {
  *l = (opencl_launch){.device = device, .what = what};
  pthread_mutex_lock(&device->lock);
  l->status = opencl_kernel(device, file, text, defines, kernel, &l->kernel);
}

void opencl_value(opencl_launch *l, const void *value, size_t size) {
  if (l->status != SEL_OK) return;
  const cl_int code = cl.SetKernelArg(l->kernel, l->next, size, value);
  if (code != CL_SUCCESS)
    l->status = sel_fail(SEL_E_INTERNAL, "opencl: %s: argument %u: %s", l->what, l->next,
                         opencl_error_name(code));
  l->next++;
}

void opencl_buffer(opencl_launch *l, sel_buffer buffer) {
  cl_mem memory = buffer;
  opencl_value(l, &memory, sizeof memory);
}

void opencl_long(opencl_launch *l, int64_t value) {
  const cl_long number = value;
  opencl_value(l, &number, sizeof number);
}

void opencl_int(opencl_launch *l, int32_t value) { opencl_value(l, &value, sizeof value); }

void opencl_real(opencl_launch *l, sel_dtype dtype, double value) {
  const float narrow = (float)value;
  if (dtype == SEL_F64)
    opencl_value(l, &value, sizeof value);
  else
    opencl_value(l, &narrow, sizeof narrow);
}

void opencl_operand(opencl_launch *l, const sel_operand *operand) {
  opencl_buffer(l, operand->data);
  opencl_long(l, operand->offset);
}

sel_status opencl_run(opencl_launch *l, int dims, const int64_t *items, const size_t *group) {
  size_t global[3], local[3] = {l->device->group, 1, 1};
  bool any = true;
  for (int d = 0; d < dims; d++) {
    if (group) local[d] = group[d];
    any = any && items[d] > 0;
    global[d] = ((size_t)items[d] + local[d] - 1) / local[d] * local[d];
  }
  if (l->status == SEL_OK && any) {
    const cl_int code = opencl_queue_kernel(&l->device->queue, l->kernel, dims, global, local);
    if (code != CL_SUCCESS) l->status = opencl_fail(l->what, code);
    if (code == CL_SUCCESS && l->reports) atomic_store(&l->device->may_report, true);
  }
  pthread_mutex_unlock(&l->device->lock);
  return l->status;
}
