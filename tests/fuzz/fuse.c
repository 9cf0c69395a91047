/* sel_fuse: whatever the text, it is refused with a message, or becomes a function that computes,
 * with its gradient. */
#include <selenite/selenite.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory_file.h"

static void require_ok(sel_status status) {
  if (status == SEL_OK) return;
  fprintf(stderr, "%s\n", sel_error());
  abort();
}

/* All that may go wrong here is that a gradient has more parts than a kernel can keep. */
static void apply(sel_fused *f) {
  const int64_t shape[] = {3};
  sel_tensor *in[SEL_FUSE_INPUTS] = {NULL}, *out[SEL_FUSE_OUTPUTS] = {NULL};
  const int n = sel_fused_inputs(f), n_out = sel_fused_outputs(f);
  for (int i = 0; i < n; i++) {
    require_ok(sel_full(1, shape, 0.5 + i, SEL_F64, NULL, &in[i]));
    require_ok(sel_set_requires_grad(in[i], true));
  }
  sel_status status = sel_fused_call(f, n, in, out);
  for (int k = 0; k < n_out && status == SEL_OK; k++) {
    sel_tensor *seed;
    require_ok(sel_ones(1, shape, SEL_F64, NULL, &seed));
    if (sel_requires_grad(out[k])) status = sel_backward(1, &out[k], &seed, true, true);
    sel_release(seed);
  }
  if (status != SEL_OK && status != SEL_E_UNSUPPORTED) require_ok(status);
  for (int i = 0; i < n; i++) {
    if (in[i])
      require_ok(sel_set_grad(in[i], NULL)); /* a gradient that is recorded holds its leaf */
    sel_release(in[i]);
  }
  for (int k = 0; k < n_out; k++) sel_release(out[k]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static bool ready;
  if (!ready) require_ok(sel_init(NULL));
  ready = true;
  char *text = malloc(size + 1);
  if (!text) abort();
  if (size) memcpy(text, data, size);
  text[size] = '\0';
  sel_fused *f = NULL;
  const sel_status status = sel_fuse(text, false, &f);
  free(text); /* nothing may refer to it */
  if ((status == SEL_OK) != (f != NULL) || (status != SEL_OK && !*sel_error())) abort();
  accepted += status == SEL_OK;
  if (f) apply(f);
  sel_fused_release(f);
  return 0;
}
