/* Kernels of plugins as text: see selenite/source.h. */
#include "selenite/source.h"

#include "op.h"
#include "profile.h"

static const sel_source_ability *ability_of(const sel_device *device) {
  return device && device->k.ability ? device->k.ability("source") : NULL;
}

const char *sel_source_language(const sel_device *device) {
  const sel_source_ability *ability = ability_of(device);
  return ability ? ability->language : NULL;
}

static sel_status check(const char *kernel, int n, sel_tensor *const *tensors,
                        sel_device **device) {
  char text[SEL_TEXT];
  SEL_TRY(sel__check_inputs(kernel, n, tensors, device));
  for (int i = 0; i < n; i++)
    SEL_CHECK(tensors[i] && !sel__is_scalar(tensors[i]) && tensors[i]->contiguous, SEL_E_ARGUMENT,
              "%s: tensor %d: expected a contiguous one, got %s", kernel, i + 1,
              sel_describe(tensors[i], text, sizeof text));
  SEL_CHECK(tensors[0]->dtype == SEL_F32 || tensors[0]->dtype == SEL_F64, SEL_E_DTYPE,
            "%s: tensor 1: expected f32 or f64, got %s", kernel,
            sel_describe(tensors[0], text, sizeof text));
  SEL_CHECK(ability_of(*device), SEL_E_UNSUPPORTED, "%s: device %s compiles no kernels from text",
            kernel, (*device)->name);
  return SEL_OK;
}

sel_status sel_run_source(const char *text, const char *kernel, int64_t items, int n_tensors,
                          sel_tensor *const *tensors, int n_numbers, const double *numbers) {
  SEL_CHECK(text && kernel, SEL_E_ARGUMENT, "run_source: expected a text and a kernel's name");
  SEL_CHECK(n_tensors >= 1 && n_tensors <= SEL_SOURCE_OPERANDS && n_numbers >= 0 &&
                n_numbers <= SEL_SOURCE_OPERANDS,
            SEL_E_ARGUMENT, "%s: expected 1 to %d tensors and at most %d numbers, got %d and %d",
            kernel, SEL_SOURCE_OPERANDS, SEL_SOURCE_OPERANDS, n_tensors, n_numbers);
  sel_device *device;
  SEL_TRY(check(kernel, n_tensors, tensors, &device));
  if (items <= 0) return SEL_OK;
  sel_operand operand[SEL_SOURCE_OPERANDS];
  double bytes = 0;
  for (int i = 0; i < n_tensors; i++) {
    operand[i] = sel__operand(tensors[i]);
    bytes += sel__bytes_of(tensors[i]);
  }
  const sel_source_args args = {.size = sizeof args,
                                .text = text,
                                .kernel = kernel,
                                .dtype = (sel_dtype)tensors[0]->dtype,
                                .items = items,
                                .operands = n_tensors,
                                .operand = operand,
                                .numbers = n_numbers,
                                .number = numbers};
  const sel_span span = sel__span_open(SEL_PROFILE_OPERATION, kernel);
  const sel_status status = ability_of(device)->run(device->handle, &args);
  if (status == SEL_OK && sel__recording()) sel__span_worked(device, bytes);
  sel__span_close(span);
  return status;
}
