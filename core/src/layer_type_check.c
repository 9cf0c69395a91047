/* Descriptions of layer types that contradict themselves, refused when they are registered, so that
 * a plugin's author meets the mistake and not a user. */
#include <stddef.h>
#include <string.h>

#include "core.h"
#include "options.h"
#include "registry.h"

/* Ends of the structs of ABI 1.0; later fields are optional. */
static const size_t smallest_type = offsetof(sel_layer_type, describe) + sizeof(void *);

/* Lower case, digits and underscores, as it becomes a name in Lua and a part of file names. */
static bool is_name(const char *text) {
  if (!text || !*text || !strchr("abcdefghijklmnopqrstuvwxyz_", *text)) return false;
  return text[strspn(text, "abcdefghijklmnopqrstuvwxyz_0123456789")] == '\0';
}

static bool is_line(const char *text) { return text && *text && !strchr(text, '\n'); }

static sel_status check_choices(const sel_option *option) {
  if (!option->choices) return SEL_OK;
  const char *c = option->choices;
  size_t n = strlen(c);
  SEL_CHECK(option->kind == SEL_OPTION_STRING || option->kind == SEL_OPTION_INTS, SEL_E_PLUGIN,
            "option %s has choices, which only texts and lists of numbers have", option->name);
  SEL_CHECK(n && c[0] != '|' && c[n - 1] != '|' && !strstr(c, "||"), SEL_E_PLUGIN,
            "option %s has an empty choice in '%s'", option->name, c);
  return SEL_OK;
}

static sel_status check_option(const sel_option *option) {
  SEL_CHECK(is_name(option->name), SEL_E_PLUGIN,
            "an option's name is lower case letters, digits and underscores, got '%s'",
            option->name ? option->name : "NULL");
  SEL_CHECK((unsigned)option->kind <= SEL_OPTION_DTYPE, SEL_E_PLUGIN,
            "option %s is of an unknown kind %d", option->name, (int)option->kind);
  SEL_CHECK(is_line(option->doc), SEL_E_PLUGIN, "option %s has no line of doc", option->name);
  SEL_CHECK(option->low <= option->high, SEL_E_PLUGIN, "option %s has the empty range %g to %g",
            option->name, option->low, option->high);
  SEL_CHECK(option->kind != SEL_OPTION_INTS || option->max_count > 0, SEL_E_PLUGIN,
            "option %s is a list of at most %d numbers", option->name, option->max_count);
  SEL_TRY(check_choices(option));
  if (option->required) return SEL_OK;
  SEL_CHECK(option->default_text, SEL_E_PLUGIN, "option %s is neither required nor has a default",
            option->name);
  sel__value value = {0};
  sel_status status = sel__option_parse(option, option->default_text, &value);
  sel__value_clear(option, &value);
  if (status == SEL_E_ARGUMENT)
    return sel_fail(SEL_E_PLUGIN, "the default contradicts the description: %s", sel_error());
  return status;
}

static sel_status check_options(const sel_layer_type *type) {
  SEL_CHECK(type->n_options >= 0 && (type->n_options == 0 || type->options), SEL_E_PLUGIN,
            "%d options are announced, none are there", type->n_options);
  for (int i = 0; i < type->n_options; i++) {
    SEL_TRY(check_option(&type->options[i]));
    for (int k = 0; k < i; k++)
      SEL_CHECK(strcmp(type->options[i].name, type->options[k].name) != 0, SEL_E_PLUGIN,
                "option %s is described twice", type->options[i].name);
  }
  return SEL_OK;
}

static sel_status check_ports(const char *side, int n, const sel_port *ports) {
  SEL_CHECK(n >= 1 && n <= SEL__MAX_PORTS && ports, SEL_E_PLUGIN, "1 to %d %s are expected, got %d",
            SEL__MAX_PORTS, side, ports ? n : 0);
  for (int i = 0; i < n; i++) {
    SEL_CHECK(is_name(ports[i].name), SEL_E_PLUGIN, "one of the %s has the name '%s'", side,
              ports[i].name ? ports[i].name : "NULL");
    SEL_CHECK(is_line(ports[i].shape), SEL_E_PLUGIN, "the shape of %s is not described",
              ports[i].name);
    for (int k = 0; k < i; k++)
      SEL_CHECK(strcmp(ports[i].name, ports[k].name) != 0, SEL_E_PLUGIN, "%s is twice among the %s",
                ports[i].name, side);
  }
  return SEL_OK;
}

static sel_status check_fields(const sel_layer_type *type) {
  SEL_CHECK(is_line(type->summary), SEL_E_PLUGIN, "the summary is not one line of text");
  SEL_CHECK(type->example && *type->example, SEL_E_PLUGIN, "there is no example");
  SEL_CHECK(type->init, SEL_E_PLUGIN, "init is NULL");
  SEL_CHECK(type->forward, SEL_E_PLUGIN, "forward is NULL");
  SEL_TRY(check_options(type));
  SEL_TRY(check_ports("inputs", type->n_inputs, type->inputs));
  return check_ports("outputs", type->n_outputs, type->outputs);
}

sel_status sel__layer_type_check(const sel_layer_type *type) {
  SEL_CHECK(type, SEL_E_PLUGIN, "a layer type is expected, got NULL");
  SEL_CHECK(type->size >= smallest_type && type->size <= sizeof *type, SEL_E_PLUGIN,
            "a layer type's table of %zu bytes is refused: this Selenite knows %zu to %zu bytes",
            type->size, smallest_type, sizeof *type);
  SEL_CHECK(is_name(type->name), SEL_E_PLUGIN,
            "a layer type's name is lower case letters, digits and underscores, got '%s'",
            type->name ? type->name : "NULL");
  sel_status status = check_fields(type);
  if (status == SEL_E_PLUGIN) return sel_fail(status, "layer type %s: %s", type->name, sel_error());
  return status;
}
