/* Registering layer types: contradictory descriptions are refused, names are taken once. */
#include <math.h>
#include <stdio.h>

#include "expect.h"

static sel_status init(sel_layer *self, const sel_options *options) {
  (void)self, (void)options;
  return SEL_OK;
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  (void)self, (void)inputs, (void)outputs;
  return SEL_OK;
}

static const sel_port port = {"x", "[*]", false};
static const sel_layer_type good = {.size = sizeof(sel_layer_type),
                                    .name = "type_test",
                                    .summary = "for this test",
                                    .example = "nn.type_test()",
                                    .n_inputs = 1,
                                    .inputs = &port,
                                    .n_outputs = 1,
                                    .outputs = &port,
                                    .init = init,
                                    .forward = forward};

START_TEST(registry) {
  int before = 0;
  while (sel_layer_type_at(before)) before++;
  ck_assert_ptr_null(sel_layer_type_find("type_test"));
  ASSERT_OK(sel_register_layer_type(&good));
  ck_assert_ptr_eq(sel_layer_type_find("type_test"), &good);
  ck_assert_ptr_eq(sel_layer_type_at(before), &good);
  ck_assert_ptr_null(sel_layer_type_at(before + 1));
  ck_assert_ptr_null(sel_layer_type_at(-1));
  ck_assert_str_eq(sel_layer_type_origin(&good), "");
  ASSERT_FAILS(SEL_E_PLUGIN, sel_register_layer_type(&good),
               "layer type 'type_test' of the program is already registered by the program");
}
END_TEST

static void refuse(sel_layer_type type, const char *message) {
  ASSERT_FAILS(SEL_E_PLUGIN, sel_register_layer_type(&type), message);
  ck_assert_ptr_null(sel_layer_type_find("type_test"));
}

static sel_layer_type changed(void) { return good; }

START_TEST(wrong_fields) {
  sel_layer_type type;
  type = changed(), type.size = 8, refuse(type, "table of 8 bytes is refused");
  type = changed(), type.size += 8, refuse(type, "this Selenite knows");
  type = changed(), type.name = NULL, refuse(type, "lower case letters");
  type = changed(), type.name = "Type", refuse(type, "got 'Type'");
  type = changed(), type.name = "2d", refuse(type, "got '2d'");
  type = changed(), type.name = "a b", refuse(type, "got 'a b'");
  type = changed(), type.summary = NULL, refuse(type, "layer type type_test: the summary");
  type = changed(), type.summary = "two\nlines", refuse(type, "the summary is not one line");
  type = changed(), type.example = "", refuse(type, "there is no example");
  type = changed(), type.init = NULL, refuse(type, "init is NULL");
  type = changed(), type.forward = NULL, refuse(type, "forward is NULL");
  type = changed(), type.n_inputs = 0, refuse(type, "1 to 16 inputs are expected, got 0");
  type = changed(), type.n_outputs = 17, refuse(type, "1 to 16 outputs are expected, got 17");
  type = changed(), type.outputs = NULL, refuse(type, "outputs are expected, got 0");
  type = changed(), type.n_options = 2, refuse(type, "2 options are announced, none are there");
  const sel_port twice[] = {port, port}, shapeless = {"x", NULL, false},
                 nameless = {"", "[]", false};
  type = changed(), type.inputs = twice, type.n_inputs = 2, refuse(type, "x is twice");
  type = changed(), type.inputs = &shapeless, refuse(type, "the shape of x is not described");
  type = changed(), type.outputs = &nameless, refuse(type, "one of the outputs has the name ''");
  ASSERT_FAILS(SEL_E_PLUGIN, sel_register_layer_type(NULL), "got NULL");
}
END_TEST

START_TEST(wrong_options) {
  const struct {
    sel_option option;
    const char *message;
  } wrong[] = {
      {{.name = NULL, .doc = "d"}, "got 'NULL'"},
      {{.name = "In", .doc = "d"}, "got 'In'"},
      {{.name = "n", .kind = (sel_option_kind)9, .doc = "d"}, "n is of an unknown kind 9"},
      {{.name = "n", .default_text = "1"}, "option n has no line of doc"},
      {{.name = "n", .default_text = "1", .low = 2, .high = 1, .doc = "d"}, "empty range 2 to 1"},
      {{.name = "n", .default_text = "1", .low = NAN, .doc = "d"}, "empty range"},
      {{.name = "n", .doc = "d"}, "option n is neither required nor has a default"},
      {{.name = "n", .default_text = "0", .low = 1, .high = INFINITY, .doc = "d"},
       "the default contradicts the description: option n is a whole number, at least 1, got 0"},
      {{.name = "n", .default_text = "one", .doc = "d"}, "a whole number, got 'one'"},
      {{.name = "b", .kind = SEL_OPTION_BOOL, .default_text = "0", .doc = "d"}, "got '0'"},
      {{.name = "s", .kind = SEL_OPTION_STRING, .default_text = "c", .choices = "a|b", .doc = "d"},
       "option s is one of a, b, got 'c'"},
      {{.name = "s", .kind = SEL_OPTION_STRING, .default_text = "a", .choices = "a||b", .doc = "d"},
       "an empty choice in 'a||b'"},
      {{.name = "s", .kind = SEL_OPTION_STRING, .required = true, .choices = "", .doc = "d"},
       "an empty choice"},
      {{.name = "n", .default_text = "1", .choices = "1|2", .doc = "d"},
       "option n has choices, which only texts and lists of numbers have"},
      {{.name = "k", .kind = SEL_OPTION_INTS, .default_text = "1", .doc = "d"},
       "option k is a list of at most 0 numbers"},
      {{.name = "k", .kind = SEL_OPTION_INTS, .default_text = "1,2,3", .max_count = 2, .doc = "d"},
       "option k is 1 to 2 whole numbers, got '1,2,3'"},
      {{.name = "d", .kind = SEL_OPTION_DTYPE, .default_text = "f7", .doc = "d"}, "got 'f7'"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    sel_layer_type type = good;
    type.n_options = 1;
    type.options = &wrong[i].option;
    refuse(type, wrong[i].message);
  }
  const sel_option one = {.name = "n", .default_text = "1", .doc = "d"}, twice[] = {one, one};
  sel_layer_type type = good;
  type.n_options = 2;
  type.options = twice;
  refuse(type, "option n is described twice");
}
END_TEST

static sel_status register_many(void *context) {
  (void)context;
  static sel_layer_type types[100];
  static char names[100][8];
  for (int i = 0; i < 100; i++) {
    types[i] = good;
    snprintf(names[i], sizeof names[i], "many_%d", i);
    types[i].name = names[i];
    if (sel_layer_type_find(names[i])) continue;
    sel_status status = sel_register_layer_type(&types[i]);
    if (status != SEL_OK) return status;
  }
  return SEL_OK;
}

/* The registry stays, so its memory is not expected back. */
START_TEST(out_of_memory) {
  expect_allocations counts = {.fail_at = 0};
  sel_status status = SEL_E_MEMORY;
  for (int tries = 0; status == SEL_E_MEMORY && tries < 50; tries++) {
    counts = (expect_allocations){.fail_at = tries};
    sel_set_allocator(expect_allocate, &counts);
    status = register_many(NULL);
    sel_set_allocator(NULL, NULL);
  }
  ASSERT_OK(status);
  ck_assert_ptr_nonnull(sel_layer_type_find("many_0"));
  ck_assert_ptr_nonnull(sel_layer_type_find("many_99"));
}
END_TEST

RUN_SUITE("layer_type", registry, wrong_fields, wrong_options, out_of_memory)
