/* The plugin loader: each way in which a file can be wrong gives one clear message and changes
 * nothing; folders, search paths, threads. */
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "expect.h"

#define HOSTILE(name) SEL_TEST_PLUGINS "/hostile/" name ".so"

static int count_types(void) {
  int n = 0;
  while (sel_layer_type_at(n)) n++;
  return n;
}

static int count_backends(void) {
  int n = 0;
  while (sel_backend_at(n)) n++;
  return n;
}

/* The host still works: a tensor can be made and used. */
static void assert_host_works(void) {
  sel_tensor *t;
  double value;
  ASSERT_OK(sel_full(0, NULL, 3, SEL_F32, NULL, &t));
  ASSERT_OK(sel_item(t, &value));
  ck_assert_double_eq(value, 3);
  sel_release(t);
}

static void copy_file(const char *from, const char *to) {
  char buffer[4096];
  FILE *source = fopen(from, "rb"), *target = fopen(to, "wb");
  ck_assert(source && target);
  for (size_t n; (n = fread(buffer, 1, sizeof buffer, source));)
    ck_assert_uint_eq(fwrite(buffer, 1, n, target), n);
  fclose(source);
  fclose(target);
}

static void put_text(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  ck_assert_ptr_nonnull(file);
  fputs(text, file);
  fclose(file);
}

/* ---- wrong files ---- */

START_TEST(refused) {
  char other[80], newer[80], sizes[80], library[80];
  snprintf(library, sizeof library, "(this Selenite, %s, is libselenite.so.%d)", sel_version(),
           SEL_ABI_MAJOR);
  snprintf(other, sizeof other, "built for plugin ABI %d.%d, this Selenite (%s) has ABI %d.%d",
           SEL_ABI_MAJOR + 1, SEL_ABI_MINOR, sel_version(), SEL_ABI_MAJOR, SEL_ABI_MINOR);
  snprintf(newer, sizeof newer, "built for plugin ABI %d.%d, this Selenite (%s) has ABI %d.%d",
           SEL_ABI_MAJOR, SEL_ABI_MINOR + 1, sel_version(), SEL_ABI_MAJOR, SEL_ABI_MINOR);
  snprintf(sizes, sizeof sizes, "its descriptor has %zu bytes, this Selenite",
           sizeof(sel_plugin) + 8);
  const struct {
    const char *path, *message;
  } files[] = {
      {HOSTILE("wrong_magic"), "it begins with 0x12345678, expected 0x534c4e54"},
      {HOSTILE("other_major"), other},
      {HOSTILE("other_major"), "rebuild the plugin"},
      {HOSTILE("newer_minor"), newer},
      {HOSTILE("newer_minor"), "update Selenite"},
      {HOSTILE("larger"), sizes},
      {HOSTILE("smaller"), "its descriptor has"},
      {HOSTILE("no_name"), "its descriptor has no name"},
      {HOSTILE("no_version"), "plugin 'hostile' states no version"},
      {HOSTILE("no_init"), "plugin 'hostile' has no init function"},
      {HOSTILE("unknown_kind"), "unknown kind 7, expected 1 (backend) or 2 (layers)"},
      {HOSTILE("no_descriptor"), "exports no sel_plugin_descriptor"},
      {HOSTILE("undefined"), "undefined symbol: sel_function_of_the_future"},
      {HOSTILE("newer_function"), newer},
      {HOSTILE("other_library"), library},
      {HOSTILE("fails_silently"), "plugin 'hostile': init failed without a message"},
      {HOSTILE("contradiction"), "layer type contradiction_bad: the default contradicts"},
      {HOSTILE("nested"), "plugin 'nested': plugin_load: /elsewhere/other.so may not be loaded by"},
      {HOSTILE("absent"), "No such file"},
  };
  int plugins = sel_plugin_count(), types = count_types(), backends = count_backends();
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    int status = sel_plugin_load(files[i].path);
    ck_assert_msg(status != SEL_OK && strstr(sel_error(), files[i].message),
                  "%s: expected \"%s\" in \"%s\"", files[i].path, files[i].message, sel_error());
    ck_assert_msg(strncmp(sel_error(), files[i].path, strlen(files[i].path)) == 0,
                  "the message begins with the file: %s", sel_error());
    ck_assert_int_eq(sel_plugin_count(), plugins);
    ck_assert_int_eq(count_types(), types);
    ck_assert_int_eq(count_backends(), backends);
  }
  ck_assert_ptr_null(sel_layer_type_find("contradiction_good"));
  assert_host_works();
}
END_TEST

START_TEST(failed_init) {
  int types = count_types(), backends = count_backends();
  for (int tries = 0; tries < 2; tries++) { /* a second try meets no leftovers of the first */
    ASSERT_FAILS(SEL_E_UNSUPPORTED, sel_plugin_load(HOSTILE("fails_late")), HOSTILE("fails_late"),
                 "plugin 'fails_late': the moon is not full");
    ck_assert_int_eq(count_types(), types);
    ck_assert_int_eq(count_backends(), backends);
    ck_assert_ptr_null(sel_layer_type_find("half_done"));
  }
  sel_device *device;
  ck_assert_int_ne(sel_device_find("half_done", &device), SEL_OK);
  assert_host_works();
}
END_TEST

START_TEST(taken_names) {
  ASSERT_OK(sel_plugin_load(HOSTILE("twin_a")));
  int plugins = sel_plugin_count();
  ASSERT_FAILS(SEL_E_PLUGIN, sel_plugin_load(HOSTILE("twin_b")), HOSTILE("twin_b"),
               "a plugin named 'twin' is loaded already, from " HOSTILE("twin_a"));
  ck_assert_int_eq(sel_plugin_count(), plugins);

  ASSERT_OK(sel_plugin_load(HOSTILE("first_owner")));
  const sel_layer_type *type = sel_layer_type_find("owned");
  ck_assert_str_eq(sel_layer_type_origin(type), HOSTILE("first_owner"));
  ASSERT_FAILS(SEL_E_PLUGIN, sel_plugin_load(HOSTILE("second_owner")),
               "layer type 'owned' of " HOSTILE("second_owner"),
               "is already registered by " HOSTILE("first_owner"));
  ck_assert_ptr_eq(sel_layer_type_find("owned"), type);
}
END_TEST

START_TEST(not_shared_objects) {
  put_text("text.so", "not a shared object\n");
  put_text("empty.so", "");
  ASSERT_FAILS(SEL_E_PLUGIN, sel_plugin_load("text.so"),
               "/text.so: can't be loaded: it is no shared");
  ASSERT_FAILS(SEL_E_PLUGIN, sel_plugin_load("empty.so"), "/empty.so: can't be loaded: it is no");
  ASSERT_FAILS(SEL_E_PLUGIN, sel_plugin_load("."), "can't be loaded: it is no file");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_plugin_load(""), "a file name is expected");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_plugin_load(NULL), "a file name is expected");
  ASSERT_FAILS(SEL_E_PLUGIN, sel_plugin_load("libm.so.6"),
               "libm.so.6: can't be loaded: No such file");
  assert_host_works();
}
END_TEST

/* A file that was cut off anywhere is refused or works, but never crashes. */
START_TEST(cut_off) {
  struct stat whole;
  ck_assert_int_eq(stat(HOSTILE("twin_a"), &whole), 0);
  for (off_t size = 1; size < whole.st_size; size += whole.st_size / 50) {
    copy_file(HOSTILE("twin_a"), "short.so");
    ck_assert_int_eq(truncate("short.so", size), 0);
    sel_status status = sel_plugin_load("short.so");
    if (status == SEL_OK) return; /* what is missing now is nothing that is mapped */
    ck_assert_int_eq(status, SEL_E_PLUGIN);
    ck_assert_ptr_nonnull(strstr(sel_error(), "/short.so: can't be loaded: "));
  }
}
END_TEST

/* ---- good files ---- */

START_TEST(loaded_once) {
  ASSERT_OK(sel_plugin_load(HOSTILE("twin_a")));
  int n = sel_plugin_count();
  ck_assert_str_eq(sel_plugin_at(n - 1)->name, "twin");
  ck_assert_str_eq(sel_plugin_path_at(n - 1), HOSTILE("twin_a"));
  ck_assert_ptr_null(sel_plugin_at(n));
  ck_assert_ptr_null(sel_plugin_at(-1));
  ck_assert_ptr_null(sel_plugin_path_at(n));
  ASSERT_OK(sel_plugin_load(HOSTILE("twin_a")));
  ASSERT_OK(sel_plugin_load(SEL_TEST_PLUGINS "/hostile/../hostile/twin_a.so"));
  unlink("link.so");
  ck_assert_int_eq(symlink(HOSTILE("twin_a"), "link.so"), 0);
  ASSERT_OK(sel_plugin_load("link.so"));
  ck_assert_int_eq(sel_plugin_count(), n);
}
END_TEST

START_TEST(folders) {
  mkdir("folder", 0777);
  copy_file(HOSTILE("wrong_magic"), "folder/a.so");
  copy_file(HOSTILE("twin_a"), "folder/b.so");
  copy_file(HOSTILE("no_name"), "folder/c.so");
  copy_file(HOSTILE("first_owner"), "folder/d.so");
  put_text("folder/e.txt", "");
  put_text("folder/.hidden.so", "");
  int loaded = -1;
  ASSERT_FAILS(SEL_E_PLUGIN, sel_plugin_load_folder("folder", &loaded), "folder/a.so",
               "it begins with");
  ck_assert_int_eq(loaded, 2);
  ck_assert_ptr_nonnull(sel_layer_type_find("owned"));
  ASSERT_FAILS(SEL_E_FILE, sel_plugin_load_folder("nowhere", &loaded), "plugin folder nowhere: ");
  ck_assert_int_eq(loaded, 0);
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_plugin_load_folder(NULL, NULL), "a folder is expected");
}
END_TEST

/* sel_init ran without a path already, so its second call does nothing. */
START_TEST(second_init) {
  ASSERT_OK(sel_init("/nowhere"));
  ASSERT_OK(sel_init("relative"));
}
END_TEST

static void *load_all(void *context) {
  (void)context;
  for (int i = 0; i < 50; i++) {
    sel_plugin_load(HOSTILE("fails_late"));
    sel_plugin_load(HOSTILE("first_owner"));
    sel_plugin_load(HOSTILE("no_name"));
    sel_layer_type_find("owned");
  }
  return NULL;
}

START_TEST(threads) {
  pthread_t thread[4];
  int plugins = sel_plugin_count();
  for (int i = 0; i < 4; i++) ck_assert_int_eq(pthread_create(&thread[i], NULL, load_all, NULL), 0);
  for (int i = 0; i < 4; i++) pthread_join(thread[i], NULL);
  ck_assert_int_eq(sel_plugin_count(), plugins + 1);
  ck_assert_ptr_nonnull(sel_layer_type_find("owned"));
}
END_TEST

/* What is loaded stays, so its memory is not expected back. */
START_TEST(out_of_memory) {
  int plugins = sel_plugin_count(), failures = 0;
  sel_status status = SEL_E_MEMORY;
  mkdir("whole", 0777);
  copy_file(HOSTILE("twin_a"), "whole/a.so");
  copy_file(HOSTILE("first_owner"), "whole/b.so");
  for (int n = 0; status == SEL_E_MEMORY && n < 100; n++) {
    expect_allocations counts = {.fail_at = n};
    sel_set_allocator(expect_allocate, &counts);
    status = sel_plugin_load_folder("whole", NULL);
    sel_set_allocator(NULL, NULL);
    failures += status == SEL_E_MEMORY;
  }
  ASSERT_OK(status);
  ck_assert_int_gt(failures, 3);
  ck_assert_int_eq(sel_plugin_count(), plugins + 2);
}
END_TEST

RUN_SUITE("loader", refused, failed_init, taken_names, not_shared_objects, cut_off, loaded_once,
          folders, second_init, threads, out_of_memory)
