/* Options of layers made of others: handed down by name, and checked against each other. */
#include <string.h>

#include "transformer.h"

static bool has(const sel_layer_type *type, const char *name) {
  for (int i = 0; i < type->n_options; i++)
    if (strcmp(type->options[i].name, name) == 0) return true;
  return false;
}

static sel_status hand_down(const sel_options *from, const sel_option *option, sel_options *to) {
  const char *name = option->name;
  switch (option->kind) {
    case SEL_OPTION_INT:
      return sel_options_set_number(to, name, (double)sel_options_int(from, name));
    case SEL_OPTION_NUMBER:
      return sel_options_set_number(to, name, sel_options_number(from, name));
    case SEL_OPTION_BOOL:
      return sel_options_set_bool(to, name, sel_options_bool(from, name));
    case SEL_OPTION_DTYPE:
      return sel_options_set_string(to, name, sel_dtype_name(sel_options_dtype(from, name)));
    default:
      return sel_options_set_string(to, name, sel_options_string(from, name));
  }
}

sel_status tf_options_alike(const sel_layer *self, const sel_options *given,
                            const sel_layer_type *type, sel_options **out) {
  const sel_layer_type *own = sel_layer_get_type(self);
  sel_options *made = NULL;
  TF_TRY(sel_options_new(type, &made));
  for (int i = 0; i < type->n_options; i++) {
    const sel_option *option = &type->options[i];
    if (!has(own, option->name)) continue;
    if (!option->required && !sel_options_is_set(given, option->name)) continue;
    sel_status status = hand_down(given, option, made);
    if (status != SEL_OK) {
      sel_options_release(made);
      return status;
    }
  }
  *out = made;
  return SEL_OK;
}

sel_status tf_check_multiple(const char *name, int64_t value, const char *divisor_name,
                             int64_t divisor) {
  if (value % divisor == 0) return SEL_OK;
  return sel_fail(SEL_E_ARGUMENT, "%s, %lld, is no multiple of %s, %lld", name, (long long)value,
                  divisor_name, (long long)divisor);
}
