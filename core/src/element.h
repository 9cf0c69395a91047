/* One number as the bytes of a tensor's element. */
#ifndef SEL_ELEMENT_H
#define SEL_ELEMENT_H

#include "core.h"
#include "selenite/tensor.h"

/* One element of `dtype` to `to`, exact where the dtype is an integer or bool. cpu: the device that
 * converts. An error begins with "loader: `name`: " and speaks of `what`. */
sel_status sel__element(const char *name, const char *what, double value, sel_dtype dtype,
                        sel_device *cpu, void *to);

#endif
