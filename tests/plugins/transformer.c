/* The layers of the transformer plugin: numbers against PyTorch (golden/transformer.safetensors),
 * grouped queries, refusals. */
#include "tensors.h"

enum { PORTS = 5 };

static sel_layer *new_layer(const char *name, const char *options) {
  sel_layer *layer;
  ASSERT_OK(sel_layer_make(name, options, &layer));
  return layer;
}

static sel_tensor *golden(const sel_archive *archive, const char *name, const char *part,
                          const char *key) {
  char text[512];
  snprintf(text, sizeof text, "%s/%s%s%s", name, part, key ? "/" : "", key ? key : "");
  return sel_archive_find(archive, text);
}

static void compare(const char *name, const char *what, const sel_tensor *got,
                    const sel_tensor *wanted) {
  ck_assert_msg(got && wanted, "%s: no %s", name, what);
  ck_assert_int_eq(sel_numel(got), sel_numel(wanted));
  for (int64_t i = 0; i < sel_numel(got); i++) {
    double a = element_of(got, i), b = element_of(wanted, i);
    ck_assert_msg(near(a, b, 1e-12), "%s, %s, element %d: expected %.17g, got %.17g", name, what,
                  (int)i, b, a);
  }
}

typedef struct golden_case {
  const sel_archive *archive;
  const char *name;
} golden_case;

/* Calls visit for each parameter of layer and its children with its full name. */
static void each_parameter(sel_layer *layer, const char *way, const golden_case *c,
                           void (*visit)(sel_layer *, int, const char *, const golden_case *)) {
  char full[256];
  for (int i = 0; i < sel_layer_slot_count(layer); i++) {
    snprintf(full, sizeof full, "%s%s", way, sel_layer_slot_name(layer, i));
    if (sel_layer_slot(layer, i)) visit(layer, i, full, c);
  }
  for (int i = 0; i < sel_layer_child_count(layer); i++) {
    snprintf(full, sizeof full, "%s%s.", way, sel_layer_child_name(layer, i));
    each_parameter(sel_layer_child(layer, i), full, c, visit);
  }
}

static void load(sel_layer *layer, int i, const char *full, const golden_case *c) {
  sel_tensor *value = golden(c->archive, c->name, "p", full), *copy;
  ck_assert_msg(value != NULL, "%s: PyTorch has no %s", c->name, full);
  ck_assert_int_eq(sel_numel(value), sel_numel(sel_layer_slot(layer, i)));
  ASSERT_OK(sel_clone(value, &copy));
  ASSERT_OK(sel_set_requires_grad(copy, true));
  ASSERT_OK(sel_layer_set_slot(layer, i, copy));
}

static void check_grad(sel_layer *layer, int i, const char *full, const golden_case *c) {
  compare(c->name, full, sel_grad_of(sel_layer_slot(layer, i)),
          golden(c->archive, c->name, "pgrad", full));
}

static void run_case(const golden_case *c, const char *layer_name, const char *options) {
  sel_layer *layer = new_layer(layer_name, options);
  sel_tensor *in[PORTS] = {NULL}, *outs[2] = {NULL}, *out;
  each_parameter(layer, "", c, load);
  for (int i = 0; i < PORTS; i++) {
    char port[2] = {(char)('0' + i), 0};
    sel_tensor *given = golden(c->archive, c->name, "in", port);
    if (!given) continue;
    in[i] = NEW(clone, given);
    if (sel_tensor_dtype(given) == SEL_F64) leaf(in[i]);
  }
  ASSERT_OK(sel_layer_forward(layer, PORTS, in, outs));
  ck_assert_ptr_null(outs[1]);
  out = keep(outs[0]);
  compare(c->name, "output", out, golden(c->archive, c->name, "out", NULL));
  sel_tensor *g = golden(c->archive, c->name, "g", NULL);
  ASSERT_OK(sel_backward(1, &out, &g, false, false));
  for (int i = 0; i < PORTS; i++) {
    char port[2] = {(char)('0' + i), 0};
    sel_tensor *wanted = golden(c->archive, c->name, "grad", port);
    if (wanted) compare(c->name, "gradient of an input", sel_grad_of(in[i]), wanted);
  }
  each_parameter(layer, "", c, check_grad);
  sel_layer_release(layer);
}

START_TEST(equals_pytorch) {
  sel_archive *archive;
  ASSERT_OK(sel_safetensors_read(SEL_TEST_DIR "/golden/transformer.safetensors", &archive));
  int n = sel_archive_metadata_count(archive);
  ck_assert_int_ge(n, 10);
  for (int i = 0; i < n; i++) {
    golden_case c = {archive, sel_archive_metadata_key(archive, i)};
    run_case(&c, "multihead_attention", sel_archive_metadata_value(archive, i));
  }
  release_kept(0);
  sel_archive_release(archive);
}
END_TEST

START_TEST(refusals) {
  sel_layer *layer;
  ASSERT_FAILS(SEL_E_ARGUMENT,
               sel_layer_make("multihead_attention", "embed_dim=6, num_heads=4", &layer),
               "embed_dim", "6", "4");
  ASSERT_FAILS(
      SEL_E_ARGUMENT,
      sel_layer_make("multihead_attention", "embed_dim=8, num_heads=4, num_kv_heads=3", &layer),
      "num_kv_heads", "3");
  layer = new_layer("multihead_attention", "embed_dim=8, num_heads=4, num_kv_heads=2");
  ck_assert_int_eq(sel_size(sel_layer_tensor(layer, "in_proj_weight"), 0), 16);
  sel_tensor *x = NEW(zeros, SHAPE(3, 2, 8), SEL_F32, NULL), *out;
  sel_tensor *mask = NEW(zeros, SHAPE(3, 4), SEL_BOOL, NULL);
  ASSERT_FAILS(SEL_E_SHAPE, sel_layer_apply(layer, NEW(zeros, SHAPE(3, 2, 7), SEL_F32, NULL), &out),
               "query", "[3, 2, 7]");
  ASSERT_FAILS(SEL_E_SHAPE,
               sel_layer_forward(layer, 5, (sel_tensor *[]){x, NULL, NULL, NULL, mask}, &out),
               "attn_mask", "[3, 4]");
  ASSERT_FAILS(SEL_E_SHAPE,
               sel_layer_forward(layer, 4, (sel_tensor *[]){x, NULL, NULL, mask}, &out),
               "key_padding_mask", "[2, 3]");
  ASSERT_OK(sel_layer_apply(layer, x, &out));
  keep(out);
  release_kept(0);
  sel_layer_release(layer);
}
END_TEST

TENSOR_SUITE("transformer", equals_pytorch, refusals)
