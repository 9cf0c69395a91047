/* A sample: one application of an operation whose gradients gradients.c compares with differences.
 *
 * Every family of operations has a file here that hands its samples to a visitor. Inputs are drawn
 * so that no value lies near a multiple of 1/2, where the kinks are, nor near a value of the same
 * or another input.
 */
#ifndef GRADIENTS_SAMPLE_H
#define GRADIENTS_SAMPLE_H

#include <selenite/selenite.h>

enum { SAMPLE_INPUTS = 5, SAMPLE_NUMBERS = 4 };

typedef enum layout {
  PLAIN = 0,  /* C order */
  TRANSPOSED, /* dims in reversed order in memory */
  SLICED,     /* every second element of a wider tensor, from its second on */
  EXPANDED    /* the first dim has stride 0 */
} layout;

typedef enum input_kind {
  NONE = 0, /* there is no such input */
  VARYING,  /* f64, differentiated */
  CONSTANT, /* f64, not differentiated */
  IDS,      /* i64, low <= value < high */
  MASK,     /* bool */
  NUMBER,   /* a sel_scalar: (low + high) / 2 + 0.125 */
  ABSENT    /* NULL */
} input_kind;

typedef struct sample_input {
  layout layout;
  double low, high;
  int ndim;
  int64_t shape[SEL_MAX_DIMS];
  input_kind kind;
} sample_input;

typedef struct sample sample;
struct sample {
  const char *op;   /* the operation it is for, by its name in the list */
  const char *what; /* tells it from the operation's other samples */
  sel_status (*run)(const sample *s, sel_tensor *const *in, sel_tensor **out);
  sample_input in[SAMPLE_INPUTS]; /* up to the first NONE */
  double number[SAMPLE_NUMBERS];  /* for run */
  /* The operation is not the last one that run calls. What it saved is then changed, and backward
   * must name it. */
  bool inner;
  /* Its gradient has no gradient: asking for one must be an error that says so. */
  bool first_order;
};

/* Inputs of a sample in brief: X(low, high, extents...). */
/* clang-format off */
#define INPUT(layout_, kind_, low_, high_, ...)                              \
  {                                                                          \
    .layout = layout_, .kind = kind_, .low = low_, .high = high_,            \
    .ndim = (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), .shape = { __VA_ARGS__ } \
  }
#define X(low, high, ...) INPUT(PLAIN, VARYING, low, high, __VA_ARGS__)
#define XT(low, high, ...) INPUT(TRANSPOSED, VARYING, low, high, __VA_ARGS__)
#define XS(low, high, ...) INPUT(SLICED, VARYING, low, high, __VA_ARGS__)
#define XE(low, high, ...) INPUT(EXPANDED, VARYING, low, high, __VA_ARGS__)

#define IDS_OF(count, ...) INPUT(PLAIN, IDS, 0, count, __VA_ARGS__)
#define MASK_OF(...) INPUT(PLAIN, MASK, 0, 0, __VA_ARGS__)
#define NO_INPUT {.kind = ABSENT}

/* A function of a sample: SAMPLE_RUN(name, call), where call writes to `out`. */
#define SAMPLE_RUN(name, call)                                                         \
  static sel_status name(const sample *s, sel_tensor *const *in, sel_tensor **out) { \
    (void)s;                                                                           \
    return call;                                                                       \
  }

/* For operations that only gradients run: out is the gradient of y, made of x, for the given
 * gradient of y; a function of x and `given`. y is taken. */
static inline sel_status gradient_of(sel_status status, sel_tensor *y, sel_tensor *x,
                                     sel_tensor *given, sel_tensor **out) {
  if (status != SEL_OK) return status;
  status = sel_grad(1, &y, &given, 1, &x, true, true, false, out);
  sel_release(y);
  return status;
}

/* {.op = ..., .what = ..., .run = ...} and the fields from `in` on. */
#define SAMPLE(op_, what_, run_, ...) \
  { .op = op_, .what = what_, .run = run_, __VA_ARGS__ }

typedef void (*sample_visitor)(void *context, const sample *s);
/* All families one after the other. */
void visit_samples(sample_visitor visit, void *context);
void visit_pointwise_samples(sample_visitor visit, void *context);
void visit_reduce_samples(sample_visitor visit, void *context);
void visit_shape_samples(sample_visitor visit, void *context);
void visit_copy_samples(sample_visitor visit, void *context);
void visit_join_samples(sample_visitor visit, void *context);
void visit_index_samples(sample_visitor visit, void *context);
void visit_order_samples(sample_visitor visit, void *context);
void visit_product_samples(sample_visitor visit, void *context);
void visit_softmax_samples(sample_visitor visit, void *context);
void visit_loss_samples(sample_visitor visit, void *context);
void visit_dropout_samples(sample_visitor visit, void *context);
void visit_image_samples(sample_visitor visit, void *context);
void visit_norm_samples(sample_visitor visit, void *context);
void visit_recurrence_samples(sample_visitor visit, void *context);
void visit_attention_samples(sample_visitor visit, void *context);

#endif
