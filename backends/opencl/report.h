/* What kernels find wrong with values. The host has gone on by then, so a kernel can't fail: it
 * leaves a report on the device, and the host's next wait fails with it. Device side: report.cl. */
#ifndef OPENCL_REPORT_H
#define OPENCL_REPORT_H

#include "launch.h"

/* As report.cl has it. */
typedef struct opencl_report {
  cl_int made, subject;
  cl_long value, position, extent;
} opencl_report;

/* The empty report of a device that is being opened. */
sel_status opencl_report_open(opencl_device *device);

/* Gives a kernel its last two parameters, REPORT in report.cl. Its report will say "<operation>:
 * <what> <value> at position <n> is outside [0, <extent>)". Both texts are static. */
void opencl_report_to(opencl_launch *l, const char *operation, const char *what);

/* Queues a read of the report, if there may be one; the caller waits, then checks. */
bool opencl_report_fetch(opencl_device *device, opencl_report *out);
/* Fails with SEL_E_ARGUMENT, once, where a report was made. */
sel_status opencl_report_check(opencl_device *device, const opencl_report *report);

#endif
