/* Integers that index: stored as i64 or i32. Kernels check them (report.h). */
#ifndef OPENCL_IDS_H
#define OPENCL_IDS_H

#include "selenite/backend.h"

/* Their type in a kernel. */
static inline const char *opencl_id_type(const sel_operand *ids) {
  return ids->dtype == SEL_I64 ? "long" : "int";
}

#endif
