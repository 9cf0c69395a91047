/* dtypes: sizes, names, and the one place that reads names. */
#include <string.h>

#include "core.h"
#include "selenite/tensor.h"

static const struct {
  const char *name, *torch_name;
  size_t size;
  bool is_float;
} table[SEL_DTYPE_COUNT] = {
    [SEL_F32] = {"f32", "float32", 4, true}, [SEL_F64] = {"f64", "float64", 8, true},
    [SEL_F16] = {"f16", "float16", 2, true}, [SEL_BF16] = {"bf16", "bfloat16", 2, true},
    [SEL_I64] = {"i64", "int64", 8, false},  [SEL_I32] = {"i32", "int32", 4, false},
    [SEL_U8] = {"u8", "uint8", 1, false},    [SEL_BOOL] = {"bool", "bool", 1, false},
};

static bool known(sel_dtype d) { return (unsigned)d < SEL_DTYPE_COUNT; }

size_t sel_dtype_size(sel_dtype d) { return known(d) ? table[d].size : 0; }
const char *sel_dtype_name(sel_dtype d) { return known(d) ? table[d].name : "?"; }
bool sel_dtype_is_float(sel_dtype d) { return known(d) && table[d].is_float; }

sel_status sel_dtype_parse(const char *name, sel_dtype *out) {
  for (int d = 0; name && d < SEL_DTYPE_COUNT; d++)
    if (strcmp(name, table[d].name) == 0 || strcmp(name, table[d].torch_name) == 0) {
      *out = (sel_dtype)d;
      return SEL_OK;
    }
  return sel_fail(SEL_E_DTYPE,
                  "dtype '%s' is not known; expected f32, f64, f16, bf16, i64, i32, u8 or bool",
                  name ? name : "(null)");
}
