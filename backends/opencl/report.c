/* Reports of kernels: see report.h. The first report stays until the host has read it; later ones
 * are dropped. */
#include "report.h"

#include <string.h>

#include "library.h"

sel_status opencl_report_open(opencl_device *device) {
  opencl_report none = {0};
  cl_int code;
  device->report = cl.CreateBuffer(device->context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                                   sizeof none, &none, &code);
  return code == CL_SUCCESS ? SEL_OK : opencl_fail("open", code);
}

/* The number that stands for the two texts in a report. The device's lock is held. */
static int subject_of(opencl_launch *l, const char *operation, const char *what) {
  opencl_subject *subject = l->device->subject;
  int i = 0;
  for (; i < OPENCL_SUBJECTS && subject[i].operation; i++)
    if (subject[i].operation == operation && subject[i].what == what) return i;
  if (i < OPENCL_SUBJECTS)
    subject[i] = (opencl_subject){operation, what};
  else if (l->status == SEL_OK)
    l->status = sel_fail(SEL_E_INTERNAL, "opencl: more than %d operations check ids", i);
  return i;
}

void opencl_report_to(opencl_launch *l, const char *operation, const char *what) {
  opencl_buffer(l, l->device->report);
  opencl_int(l, subject_of(l, operation, what));
  l->reports = true;
}

bool opencl_report_fetch(opencl_device *device, opencl_report *out) {
  return atomic_exchange(&device->may_report, false) &&
         opencl_queue_read(&device->queue, out, device->report, 0, sizeof *out, false) ==
             CL_SUCCESS;
}

sel_status opencl_report_check(opencl_device *device, const opencl_report *report) {
  static const opencl_report none;
  if (!report->made) return SEL_OK;
  opencl_queue_write(&device->queue, device->report, 0, &none, sizeof none);
  const opencl_subject *subject = &device->subject[report->subject];
  return sel_fail(
      SEL_E_ARGUMENT,
      "%s: %s %lld at position %lld is outside [0, %lld) (the device found it after the "
      "operation had returned)",
      subject->operation, subject->what, (long long)report->value, (long long)report->position,
      (long long)report->extent);
}
