/* Truncated normal: the inverse distribution function of a uniform draw between the bounds' ranks,
 * as torch.nn.init.trunc_normal_. Each element takes one draw, however unlikely the interval.
 *
 * Computed in f64 on the host, where draws in the upper tail are mirrored into the lower one: there
 * ranks keep their precision down to 1e-300. */
#include <float.h>
#include <math.h>

#include "core.h"
#include "selenite/autograd.h"
#include "selenite/ops.h"
#include "selenite/optim.h"
#include "tensor_impl.h"

static double normal_cdf(double x) { return 0.5 * erfc(-x * M_SQRT1_2); }

/* x with normal_cdf(x) = rank, for rank <= 1/2: a start from Abramowitz and Stegun 26.2.23 (error
 * below 4.5e-4), then Halley's steps, each of which triples the number of correct digits. Finite
 * for rank 0 too: an unbounded side never gives an infinity. */
static double inverse_lower_cdf(double rank) {
  rank = fmax(rank, DBL_MIN);
  double t = sqrt(-2 * log(rank));
  double x = (2.515517 + t * (0.802853 + t * 0.010328)) /
                 (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) -
             t;
  for (int step = 0; step < 2; step++) {
    double u = (normal_cdf(x) - rank) * sqrt(2 * M_PI) * exp(0.5 * x * x);
    x -= u / (1 + 0.5 * x * u);
  }
  return x;
}

static double inverse_cdf(double rank) {
  return rank <= 0.5 ? inverse_lower_cdf(rank) : -inverse_lower_cdf(1 - rank);
}

/* Turns uniform draws from [0, 1) into standard normal ones between low and high. */
static void transform(int64_t n, double *draws, double low, double high) {
  bool mirrored = low > 0;
  double first = normal_cdf(mirrored ? -high : low), last = normal_cdf(mirrored ? -low : high);
  for (int64_t i = 0; i < n; i++) {
    double x = inverse_cdf(first + draws[i] * (last - first));
    if (mirrored) x = -x;
    draws[i] = fmin(fmax(x, low), high);
  }
}

static sel_status fill(sel_tensor *t, double mean, double std, double low, double high) {
  sel_device *cpu = NULL;
  sel_tensor *draws = NULL;
  SEL_TRY(sel_device_find("cpu", &cpu));
  SEL_TRY(sel_empty(sel_ndim(t), sel_shape(t), SEL_F64, cpu, &draws));
  sel_status status = sel_uniform_(draws, 0, 1);
  if (status == SEL_OK) {
    double *x = sel_data(draws);
    transform(sel_numel(t), x, (low - mean) / std, (high - mean) / std);
    for (int64_t i = 0; i < sel_numel(t); i++) x[i] = fmin(fmax(mean + std * x[i], low), high);
    status = sel_mark_written(draws);
  }
  if (status == SEL_OK) status = sel_copy_(t, draws);
  sel_release(draws);
  return status;
}

sel_status sel_init_trunc_normal_(sel_tensor *t, double mean, double std, double low, double high) {
  char text[SEL_TEXT];
  SEL_CHECK(sel_dtype_is_float(sel_tensor_dtype(t)), SEL_E_DTYPE,
            "trunc_normal: a float tensor is expected, got %s", sel_describe(t, text, sizeof text));
  SEL_CHECK(isfinite(mean) && std > 0 && isfinite(std), SEL_E_ARGUMENT,
            "trunc_normal: a finite mean and a positive std are expected, got %g and %g", mean,
            std);
  SEL_CHECK(low < high, SEL_E_ARGUMENT, "trunc_normal: low is below high, got %g and %g", low,
            high);
  bool grad_was_on = sel_set_grad_enabled(false);
  sel_status status = fill(t, mean, std, low, high);
  sel_set_grad_enabled(grad_was_on);
  return status;
}
