/* Option values of a layer: what options.c keeps and options_check.c reads from text. */
#ifndef SEL_OPTIONS_H
#define SEL_OPTIONS_H

#include "selenite/layer.h"

typedef struct sel__value {
  bool set; /* by the user; the default otherwise */
  union {
    int64_t integer; /* INT */
    double number;   /* NUMBER */
    bool flag;       /* BOOL */
    char *string;    /* STRING; owned */
    sel_dtype dtype; /* DTYPE */
    struct {
      int count;       /* 0: a word instead */
      int64_t *values; /* owned */
      char *word;      /* owned */
    } ints;
  } as;
} sel__value;

struct sel_options {
  const sel_layer_type *type;
  sel__value values[]; /* one for each option of the type */
};

/* Each of these makes a value where `option` accepts it, and else fails with "option X is ..., got
 * ..." (callers put the layer type in front). *out is overwritten without being freed. */
sel_status sel__option_number(const sel_option *option, double number, sel__value *out);
sel_status sel__option_bool(const sel_option *option, bool flag, sel__value *out);
sel_status sel__option_string(const sel_option *option, const char *text, sel__value *out);
sel_status sel__option_ints(const sel_option *option, int n, const int64_t *values,
                            sel__value *out);
/* From the text form of default_text and sel_layer_make: "3", "true", "relu", "3x3" or "3,3",
 * "same". */
sel_status sel__option_parse(const sel_option *option, const char *text, sel__value *out);
void sel__value_clear(const sel_option *option, sel__value *value);

/* "option kernel_size is up to 2 whole numbers, each at least 1", into text; returns it. */
const char *sel__option_expects(const sel_option *option, char *text, size_t size);
/* "3x3", "relu": as sel__option_parse reads it. */
void sel__value_print(const sel_option *option, const sel__value *value, char *text, size_t size);

/* "in_features=3, bias=false, kernel_size=3x3". */
sel_status sel__options_set_all(sel_options *options, const char *text);
sel_status sel__options_check_required(const sel_options *options);
/* The options that were set, or all where none was, as sel__options_set_all reads them. */
void sel__options_print(const sel_options *options, char *text, size_t size);

#endif
