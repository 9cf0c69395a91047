/* Fused functions: a pointwise expression of several tensors that runs as one kernel.
 *
 *   "x, beta -> x * sigmoid(beta * x)"
 *   "a, b -> s = a + b; s * s, s * exp(-s)"
 *
 * In front of the arrow stand the inputs, behind it the results, one or more, after any number of
 * named parts. Expressions have numbers, pi, names, calls, parentheses and, from weakest to
 * strongest, `or`, `and`, comparisons (< <= > >= == ~= !=, giving 1 or 0), + -, * / %, unary - and
 * `not`, ^; all as in Lua. sel_fuse_name lists the functions; they have the names and formulas of
 * the operations. Beside those, where(c, a, b) is a where c is not 0, clamp(x, low, high),
 * leaky_relu(x, slope) and elu(x, alpha) take expressions for their parameters.
 *
 * The expression is data: nothing in it can name a file or reach other code.
 *
 * Its gradient is derived as an expression, simplified, and is a fused function in turn, so that
 * gradients of any order exist. Equal parts are computed once.
 */
#ifndef SELENITE_FUSE_H
#define SELENITE_FUSE_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SEL_FUSE_INPUTS = 8, SEL_FUSE_OUTPUTS = 8, SEL_FUSE_OPERATIONS = 64 }; /* at most */

typedef struct sel_fused sel_fused;

/* Reads an expression; an error quotes it and says at which position. With `compile`, a backend
 * that can makes machine code of it on its first call, else it interprets. New. */
SEL_API sel_status sel_fuse(const char *expression, bool compile, sel_fused **out);
SEL_API void sel_fused_release(sel_fused *fused); /* NULL is allowed */
SEL_API int sel_fused_inputs(const sel_fused *fused);
SEL_API int sel_fused_outputs(const sel_fused *fused);
/* Applies it. Inputs broadcast against each other; every output has the shape of all of them
 * together. Inputs are tensors of one float dtype, bool tensors (1 or 0) or numbers (sel_scalar),
 * at least one of them a float tensor. outputs: sel_fused_outputs new references. Any number of
 * threads may apply one function at once. */
SEL_API sel_status sel_fused_call(sel_fused *fused, int n, sel_tensor *const *inputs,
                                  sel_tensor **outputs);
/* How it is computed in `dtype` on `device` (NULL: the default): "compiled", "interpreted" and why
 * not compiled, or "separate operations" where the backend knows no fused functions. Makes the
 * kernel, which a first call would do otherwise. Borrowed while `fused` lives. */
SEL_API sel_status sel_fused_kernel(sel_fused *fused, sel_dtype dtype, sel_device *device,
                                    const char **out);
/* Name of the i-th function that expressions may call, and how many arguments it takes; NULL past
 * the last. Borrowed, static. */
SEL_API const char *sel_fuse_name(int i, int *arguments);

#ifdef __cplusplus
}
#endif
#endif
