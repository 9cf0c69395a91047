/* The children that blocks and models are made of, and running them. */
#include <stdio.h>

#include "resnet.h"
#include "selenite/autograd.h"
#include "selenite/ops.h"

/* ---- making ---- */

sel_status resnet_add(sel_layer *self, const char *name, const char *type, const char *options) {
  sel_layer *child = NULL;
  RN_TRY(sel_layer_make(type, options, &child));
  return sel_layer_add_child(self, name, child);
}

/* What is written into the weight of a layer just made is not for the tape. */
static sel_status weight_of(const sel_layer *layer, sel_tensor **out) {
  return sel_detach(sel_layer_tensor(layer, "weight"), out);
}

static sel_status draw(const sel_layer *layer, double std) {
  sel_tensor *weight = NULL;
  RN_TRY(weight_of(layer, &weight));
  sel_status status = sel_normal_(weight, 0, std);
  sel_release(weight);
  return status;
}

sel_status resnet_zero_weight(const sel_layer *layer) {
  sel_tensor *weight = NULL;
  RN_TRY(weight_of(layer, &weight));
  sel_status status = sel_fill_(weight, 0);
  sel_release(weight);
  return status;
}

sel_status resnet_add_conv(sel_layer *self, const char *name, const resnet_conv *c) {
  char text[256];
  int n = snprintf(text, sizeof text,
                   "in_channels=%lld, out_channels=%lld, kernel_size=%lld, stride=%lld, "
                   "padding=%lld, bias=false",
                   (long long)c->in, (long long)c->out, (long long)c->kernel, (long long)c->stride,
                   (long long)(c->dilation * (c->kernel / 2)));
  if (c->dilation != 1 || c->groups != 1)
    snprintf(text + n, sizeof text - (size_t)n, ", dilation=%lld, groups=%lld",
             (long long)c->dilation, (long long)c->groups);
  RN_TRY(resnet_add(self, name, "conv2d", text));
  const double fan_out = (double)(c->out * c->kernel * c->kernel);
  return draw(sel_layer_child(self, sel_layer_child_count(self) - 1), sqrt(2 / fan_out));
}

sel_status resnet_add_norm(sel_layer *self, const char *name, int64_t channels) {
  char text[48];
  snprintf(text, sizeof text, "num_features=%lld", (long long)channels);
  return resnet_add(self, name, "batch_norm2d", text);
}

/* ---- running ---- */

sel_status resnet_check_images(const sel_tensor *x) {
  char text[160];
  if (sel_ndim(x) == 4) return SEL_OK;
  return sel_fail(SEL_E_SHAPE, "an input [N, C, height, width] is expected, got %s",
                  sel_describe(x, text, sizeof text));
}

sel_status resnet_apply(sel_layer *self, int i, sel_tensor **x) {
  sel_tensor *y = NULL;
  sel_status status = sel_layer_apply(sel_layer_child(self, i), *x, &y);
  sel_release(*x);
  *x = y;
  return status;
}

sel_status resnet_run(sel_layer *self, sel_tensor *x, sel_tensor **out) {
  sel_tensor *y = sel_retain(x);
  for (int i = 0; i < sel_layer_child_count(self); i++) RN_TRY(resnet_apply(self, i, &y));
  *out = y;
  return SEL_OK;
}
