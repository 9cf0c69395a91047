/* A trained network without Lua: reads the model that examples/03_fashion_mnist_fc.lua saved and a
 * PNG image of 28 x 28 grey pixels, prints what it shows.
 *
 *   classify model.safetensors picture.png
 */
#include <selenite/selenite.h>
#include <stdio.h>

static const char *const classes[] = {"T-shirt", "trousers", "pullover", "dress", "coat",
                                      "sandal",  "shirt",    "sneaker",  "bag",   "ankle boot"};

/* Replaces *x by the output of the fully connected layer `name` of the file. */
static sel_status linear(const sel_archive *model, int name, sel_tensor **x) {
  char key[2][32];
  sel_tensor *tensor[2], *y = NULL;
  for (int i = 0; i < 2; i++) {
    snprintf(key[i], sizeof key[i], "%d.%s", name, i == 0 ? "weight" : "bias");
    tensor[i] = sel_archive_find(model, key[i]); /* borrowed from the archive */
    if (!tensor[i]) return sel_fail(SEL_E_FILE, "the model has no tensor '%s'", key[i]);
  }
  const sel_status status = sel_linear(*x, tensor[0], tensor[1], &y);
  if (status != SEL_OK) return status;
  sel_release(*x);
  *x = y;
  return SEL_OK;
}

/* The image as f32[1, 784] with the mean and deviation that the network was trained with: those of
 * Fashion-MNIST, on a scale from 0 to 1. */
static sel_status read_image(const char *path, sel_tensor **out) {
  const double mean = 0.2860, deviation = 0.3530;
  sel_tensor *bytes = NULL, *row = NULL, *floats = NULL;
  sel_status status = sel_png_read(path, &bytes);
  if (status == SEL_OK && sel_numel(bytes) != 784)
    status = sel_fail(SEL_E_SHAPE, "%s: 28 x 28 grey pixels are expected", path);
  if (status == SEL_OK) status = sel_reshape(bytes, 2, (const int64_t[]){1, 784}, &row);
  if (status == SEL_OK) status = sel_to(row, SEL_F32, NULL, &floats);
  if (status == SEL_OK) status = sel_sub_scalar_(floats, 255 * mean);
  if (status == SEL_OK) status = sel_mul_scalar(floats, 1 / (255 * deviation), out);
  sel_release(floats);
  sel_release(row);
  sel_release(bytes);
  return status;
}

static sel_status classify(const sel_archive *model, const char *path) {
  sel_tensor *x = NULL, *probabilities = NULL;
  sel_status status = read_image(path, &x);
  if (status == SEL_OK) status = linear(model, 1, &x);
  if (status == SEL_OK) status = sel_relu_(x);
  if (status == SEL_OK) status = linear(model, 4, &x);
  if (status == SEL_OK) status = sel_relu_(x);
  if (status == SEL_OK) status = linear(model, 7, &x);
  if (status == SEL_OK) status = sel_softmax(x, 1, &probabilities);
  float p[10];
  if (status == SEL_OK) status = sel_read(probabilities, p, sizeof p);
  if (status == SEL_OK) {
    int best = 0;
    for (int i = 1; i < 10; i++)
      if (p[i] > p[best]) best = i;
    printf("%s (%.1f %%)\n", classes[best], 100 * (double)p[best]);
  }
  sel_release(probabilities);
  sel_release(x);
  return status;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: classify model.safetensors picture.png\n");
    return 2;
  }
  sel_archive *model = NULL;
  sel_status status = sel_init(NULL);
  if (status == SEL_OK) status = sel_safetensors_read(argv[1], &model);
  if (status == SEL_OK) {
    sel_set_grad_enabled(false);
    status = classify(model, argv[2]);
  }
  if (status != SEL_OK) fprintf(stderr, "classify: %s\n", sel_error());
  sel_archive_release(model);
  return status == SEL_OK ? 0 : 1;
}
