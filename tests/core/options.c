/* Option values: what is accepted, what is refused and in which words, defaults, the text form. */
#include <math.h>

#include "expect.h"

static sel_status init(sel_layer *self, const sel_options *options) {
  (void)self, (void)options;
  return SEL_OK;
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  (void)self;
  outputs[0] = sel_retain(inputs[0]);
  return SEL_OK;
}

static const sel_option described[] = {
    {.name = "width",
     .kind = SEL_OPTION_INT,
     .required = true,
     .low = 1,
     .high = INFINITY,
     .doc = "a bounded whole number"},
    {.name = "rate",
     .kind = SEL_OPTION_NUMBER,
     .default_text = "0.5",
     .low = 0,
     .high = 1,
     .doc = "a bounded number"},
    {.name = "offset", .kind = SEL_OPTION_NUMBER, .default_text = "-1e3", .doc = "any number"},
    {.name = "bias", .kind = SEL_OPTION_BOOL, .default_text = "true", .doc = "a truth"},
    {.name = "mode",
     .kind = SEL_OPTION_STRING,
     .default_text = "zeros",
     .choices = "zeros|reflect|circular",
     .doc = "one of several words"},
    {.name = "label", .kind = SEL_OPTION_STRING, .default_text = "", .doc = "any text"},
    {.name = "kernel_size",
     .kind = SEL_OPTION_INTS,
     .default_text = "3,1",
     .low = 1,
     .high = 9,
     .max_count = 2,
     .doc = "one or two whole numbers"},
    {.name = "padding",
     .kind = SEL_OPTION_INTS,
     .default_text = "same",
     .low = 0,
     .high = INFINITY,
     .max_count = 2,
     .choices = "same|valid",
     .doc = "numbers or a word"},
    {.name = "dtype", .kind = SEL_OPTION_DTYPE, .default_text = "f32", .doc = "a dtype"},
    {.name = "dim", .kind = SEL_OPTION_INT, .default_text = "-1", .doc = "a dim"}};
static const sel_port port = {"x", "[*]", false};
static const sel_layer_type type = {.size = sizeof(sel_layer_type),
                                    .name = "options_test",
                                    .summary = "for this test",
                                    .example = "nn.options_test(1)",
                                    .n_options = sizeof described / sizeof *described,
                                    .options = described,
                                    .n_inputs = 1,
                                    .inputs = &port,
                                    .n_outputs = 1,
                                    .outputs = &port,
                                    .init = init,
                                    .forward = forward};

static sel_options *new_options(void) {
  sel_options *options;
  ASSERT_OK(sel_options_new(&type, &options));
  return options;
}

START_TEST(defaults) {
  sel_options *options = new_options();
  int64_t kernel[2];
  int dim;
  ck_assert_int_eq(sel_options_int(options, "width"), 0);
  ck_assert_double_eq(sel_options_number(options, "rate"), 0.5);
  ck_assert_double_eq(sel_options_number(options, "offset"), -1000);
  ck_assert(sel_options_bool(options, "bias"));
  ck_assert_str_eq(sel_options_string(options, "mode"), "zeros");
  ck_assert_str_eq(sel_options_string(options, "label"), "");
  ck_assert_int_eq(sel_options_count(options, "kernel_size"), 2);
  ASSERT_OK(sel_options_ints(options, "kernel_size", 2, kernel));
  ck_assert(kernel[0] == 3 && kernel[1] == 1);
  ck_assert_int_eq(sel_options_dtype(options, "dtype"), SEL_F32);
  ASSERT_OK(sel_options_dim(options, "dim", &dim));
  ck_assert_int_eq(dim, -1);
  for (int i = 0; i < type.n_options; i++)
    ck_assert(!sel_options_is_set(options, described[i].name));
  sel_options_release(options);
  sel_options_release(NULL);
}
END_TEST

START_TEST(set_and_read) {
  sel_options *options = new_options();
  int64_t kernel[2];
  int dim;
  ASSERT_OK(sel_options_set_number(options, "width", 7));
  ASSERT_OK(sel_options_set_number(options, "rate", 1));
  ASSERT_OK(sel_options_set_number(options, "offset", -INFINITY));
  ASSERT_OK(sel_options_set_bool(options, "bias", false));
  ASSERT_OK(sel_options_set_string(options, "mode", "circular"));
  ASSERT_OK(sel_options_set_string(options, "mode", "reflect"));
  ASSERT_OK(sel_options_set_string(options, "label", "a, b = c"));
  ASSERT_OK(sel_options_set_string(options, "dtype", "float64"));
  ASSERT_OK(sel_options_set_number(options, "dim", 2));
  ck_assert_int_eq(sel_options_int(options, "width"), 7);
  ck_assert_double_eq(sel_options_number(options, "rate"), 1);
  ck_assert_double_eq(sel_options_number(options, "offset"), -INFINITY);
  ck_assert(!sel_options_bool(options, "bias"));
  ck_assert_str_eq(sel_options_string(options, "mode"), "reflect");
  ck_assert_str_eq(sel_options_string(options, "label"), "a, b = c");
  ck_assert_int_eq(sel_options_dtype(options, "dtype"), SEL_F64);
  ck_assert(sel_options_is_set(options, "width"));
  ASSERT_OK(sel_options_dim(options, "dim", &dim));
  ck_assert_int_eq(dim, 1);

  ASSERT_OK(sel_options_set_ints(options, "kernel_size", 2, (int64_t[]){5, 2}));
  ASSERT_OK(sel_options_ints(options, "kernel_size", 2, kernel));
  ck_assert(kernel[0] == 5 && kernel[1] == 2);
  ASSERT_OK(sel_options_set_number(options, "kernel_size", 4));
  ck_assert_int_eq(sel_options_count(options, "kernel_size"), 1);
  ASSERT_OK(sel_options_ints(options, "kernel_size", 2, kernel));
  ck_assert(kernel[0] == 4 && kernel[1] == 4);
  sel_options_release(options);
}
END_TEST

/* A list of numbers that may be a word instead. */
START_TEST(numbers_or_word) {
  sel_options *options = new_options();
  int64_t padding[2] = {7, 7};
  ck_assert_str_eq(sel_options_string(options, "padding"), "same");
  ck_assert_int_eq(sel_options_count(options, "padding"), 0);
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_ints(options, "padding", 2, padding),
               "option padding is 1 or 2 numbers here, got 'same'");
  ck_assert_int_eq(padding[0], 7);
  ASSERT_OK(sel_options_set_ints(options, "padding", 2, (int64_t[]){1, 0}));
  ck_assert_str_eq(sel_options_string(options, "padding"), "");
  ASSERT_OK(sel_options_ints(options, "padding", 2, padding));
  ck_assert(padding[0] == 1 && padding[1] == 0);
  ASSERT_OK(sel_options_set_number(options, "padding", 3));
  ck_assert_int_eq(sel_options_count(options, "padding"), 1);
  ASSERT_OK(sel_options_set_string(options, "padding", "valid"));
  ck_assert_str_eq(sel_options_string(options, "padding"), "valid");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_string(options, "padding", "full"),
               "option padding is 1 to 2 whole numbers, each at least 0, or one of same, valid, "
               "got 'full'");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_string(options, "kernel_size", "same"),
               "got the text 'same'");
  ck_assert_str_eq(sel_options_string(options, "padding"), "valid");
  sel_options_release(options);
}
END_TEST

START_TEST(refusals) {
  sel_options *o = new_options();
  int64_t three[] = {1, 2, 3}, large[] = {1, 10}, kernel[3];
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_number(o, "width", 2.5),
               "options_test: option width is a whole number, at least 1, got 2.5");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_number(o, "width", 0), "got 0");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_number(o, "width", NAN), "got nan");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_number(o, "width", 1e300), "got 1e+300");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_bool(o, "width", true), "got true");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_string(o, "width", "3"), "got the text '3'");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_ints(o, "width", 3, three),
               "got a list of 3 numbers");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_number(o, "rate", 1.01),
               "option rate is a number, from 0 to 1, got 1.01");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_number(o, "offset", NAN), "got nan");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_number(o, "bias", 1),
               "option bias is true or false, got 1");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_string(o, "mode", "zero"),
               "option mode is one of zeros, reflect, circular, got 'zero'");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_string(o, "mode", "zeros|reflect"), "got '");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_string(o, "mode", NULL), "got NULL");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_ints(o, "kernel_size", 3, three),
               "option kernel_size is 1 to 2 whole numbers, each from 1 to 9, got 3 numbers");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_ints(o, "kernel_size", 2, large), "got 10");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_ints(o, "kernel_size", 0, three), "got 0 numbers");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_string(o, "dtype", "f8"),
               "option dtype is a dtype such as f32, got 'f8'");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_ints(o, "kernel_size", 3, kernel),
               "option kernel_size is 1 or 3 numbers, got 2");
  ASSERT_OK(sel_options_set_number(o, "dim", 0));
  int dim = 7;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_dim(o, "dim", &dim), "counts dimensions from 1",
               "got 0");
  ck_assert_int_eq(dim, 7);
  for (int i = 0; i < type.n_options - 1; i++)
    ck_assert_msg(!sel_options_is_set(o, described[i].name), "a refused value of %s was kept",
                  described[i].name);
  sel_options_release(o);
}
END_TEST

START_TEST(unknown_names) {
  sel_options *o = new_options();
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_number(o, "kernelsize", 3),
               "options_test has no option 'kernelsize'; did you mean 'kernel_size'?");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_bool(o, "bais", true), "did you mean 'bias'?");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_bool(o, "momentum", true),
               "options_test has no option 'momentum'; its options: width, rate, offset");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_bool(o, NULL, true), "got NULL");
  char lengthy[5000];
  memset(lengthy, 'x', sizeof lengthy - 1);
  lengthy[sizeof lengthy - 1] = '\0';
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_set_bool(o, lengthy, true), "has no option 'xxx");
  sel_options_release(o);
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_options_new(NULL, &o), "got NULL");
}
END_TEST

/* What print(layer) shows of a layer made from this text. */
static const char *shown(const char *text) {
  static char buffer[200];
  sel_layer *layer;
  ASSERT_OK(sel_layer_make("options_test", text, &layer));
  sel_layer_describe(layer, buffer, sizeof buffer);
  sel_layer_release(layer);
  return buffer;
}

START_TEST(text_form) {
  ASSERT_OK(sel_register_layer_type(&type));
  ck_assert_str_eq(shown("width=3"), "width=3");
  ck_assert_str_eq(shown("  width = 3 ,bias=false,kernel_size=3x2 , mode= reflect,rate=0.25"),
                   "width=3, rate=0.25, bias=false, mode=reflect, kernel_size=3x2");
  ck_assert_str_eq(shown("width=3,kernel_size=5,dtype=float64,label="),
                   "width=3, label=, kernel_size=5, dtype=f64");
  ck_assert_str_eq(shown("offset=-1e-3,width=12"), "width=12, offset=-0.001");
  ck_assert_str_eq(shown("width=1,padding=valid"), "width=1, padding=valid");
  ck_assert_str_eq(shown("width=1,padding=2x0"), "width=1, padding=2x0");

  const struct {
    const char *text, *message;
  } wrong[] = {
      {NULL, "options_test: option width is a whole number, at least 1 and must be given"},
      {"", "option width is a whole number, at least 1 and must be given"},
      {"bias=true", "must be given"},
      {"width", "options are written name=value, got 'width'"},
      {"width=3,", "options are written name=value, got ''"},
      {"width=3,,bias=true", "options are written name=value, got ''"},
      {"width=3, width=4", "option width is given twice"},
      {"width=3.5", "got 3.5"},
      {"width=3a", "got '3a'"},
      {"width=", "got ''"},
      {"width=0x", "got '0x'"},
      {"width=nan", "got nan"},
      {"width=3,widht=3", "did you mean 'width'?"},
      {"width=3,bias=yes", "option bias is true or false, got 'yes'"},
      {"width=3,bias=1", "got '1'"},
      {"width=3,kernel_size=3x", "got '3x'"},
      {"width=3,kernel_size=x3", "got 'x3'"},
      {"width=3,kernel_size=3x3x3", "got '3x3x3'"},
      {"width=3,kernel_size=3 x 3", "got '3 x 3'"},
      {"width=3,kernel_size=1.5", "got '1.5'"},
      {"width=3,mode=Zeros", "got 'Zeros'"},
      {"width=3,rate=2", "from 0 to 1, got 2"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    sel_layer *layer = NULL;
    ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_make("options_test", wrong[i].text, &layer),
                 "options_test", wrong[i].message);
    ck_assert_ptr_null(layer);
  }
}
END_TEST

static sel_status use_options(void *context) {
  (void)context;
  sel_options *options = NULL;
  sel_status status = sel_options_new(&type, &options);
  if (status == SEL_OK) status = sel_options_set_string(options, "mode", "reflect");
  if (status == SEL_OK) status = sel_options_set_ints(options, "kernel_size", 1, (int64_t[]){2});
  if (status == SEL_OK) status = sel_options_set_string(options, "label", "words");
  sel_options_release(options);
  return status;
}

START_TEST(out_of_memory) { expect_memory_errors(use_options, NULL); }
END_TEST

RUN_SUITE("options", defaults, set_and_read, numbers_or_word, refusals, unknown_names, text_form,
          out_of_memory)
