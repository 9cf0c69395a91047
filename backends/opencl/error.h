/* OpenCL's error codes as statuses and words. */
#ifndef OPENCL_ERROR_H
#define OPENCL_ERROR_H

#include <CL/cl.h>

#include "selenite/backend.h"

/* "CL_OUT_OF_RESOURCES" and its kin; "error -9999" for one unknown. Borrowed; thread-local. */
const char *opencl_error_name(cl_int code);

/* SEL_E_MEMORY where memory is what lacks, else SEL_E_DEVICE. */
sel_status opencl_status(cl_int code);

/* Fails with that status and "opencl: <what>: <name of code>". */
sel_status opencl_fail(const char *what, cl_int code);

#endif
