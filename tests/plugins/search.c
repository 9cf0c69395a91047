/* sel_init: the folder beside libselenite, the folders a caller lists, never the working directory.
 * Each test runs in a process of its own, in which nothing is loaded yet. */
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "expect.h"

static bool is_loaded(const char *name) {
  for (int i = 0; sel_plugin_at(i); i++)
    if (strcmp(sel_plugin_at(i)->name, name) == 0) return true;
  return false;
}

/* A folder in the working directory that holds the plugin `name` of the hostile ones. */
static const char *folder_with(const char *folder, const char *name) {
  static char absolute[PATH_MAX];
  char from[PATH_MAX], to[PATH_MAX];
  mkdir(folder, 0777);
  ck_assert_ptr_nonnull(realpath(folder, absolute));
  snprintf(from, sizeof from, "%s/hostile/%s.so", SEL_TEST_PLUGINS, name);
  snprintf(to, sizeof to, "%s/%s.so", folder, name);
  unlink(to);
  ck_assert_int_eq(symlink(from, to), 0);
  return absolute;
}

START_TEST(own_folder) {
  ck_assert_int_eq(sel_plugin_count(), 0);
  ASSERT_OK(sel_init(NULL));
  ck_assert(is_loaded("cpu") && is_loaded("fc"));
  ck_assert_str_eq(sel_error(), "");
  ck_assert(strstr(sel_plugin_path_at(0), "/lib/selenite/") != NULL);
  int n = sel_plugin_count();
  ASSERT_OK(sel_init(NULL));
  ck_assert_int_eq(sel_plugin_count(), n);
  for (int i = 1; i < n; i++)
    ck_assert(strcmp(sel_plugin_path_at(i - 1), sel_plugin_path_at(i)) < 0);
}
END_TEST

START_TEST(extra_path) {
  char path[2 * PATH_MAX];
  snprintf(path, sizeof path, ":%s:", folder_with("good", "twin_a"));
  snprintf(path + strlen(path), PATH_MAX, ":%s", folder_with("better", "first_owner"));
  ASSERT_OK(sel_init(path));
  ck_assert(is_loaded("cpu") && is_loaded("twin") && is_loaded("first_owner"));
}
END_TEST

/* Refusals don't stop the others; the first is reported; a second call tries again. */
START_TEST(refusals) {
  char path[3 * PATH_MAX];
  snprintf(path, sizeof path, "/nowhere/at/all:%s", folder_with("bad", "wrong_magic"));
  snprintf(path + strlen(path), PATH_MAX, ":%s", folder_with("good", "twin_a"));
  ASSERT_FAILS(SEL_E_FILE, sel_init(path), "plugin folder /nowhere/at/all: No such file");
  ck_assert(is_loaded("cpu") && is_loaded("twin"));
  ASSERT_FAILS(SEL_E_PLUGIN, sel_init(folder_with("bad", "wrong_magic")), "wrong_magic.so: ");
  ASSERT_OK(sel_init(NULL));
}
END_TEST

START_TEST(working_directory) {
  folder_with("selenite", "twin_a");
  folder_with(".", "first_owner");
  ASSERT_OK(sel_init("::"));
  ck_assert(!is_loaded("twin") && !is_loaded("first_owner"));
  ASSERT_OK(sel_plugin_load("./first_owner.so")); /* naming it is no chance */
}
END_TEST

START_TEST(relative_folder) {
  folder_with("good", "twin_a");
  ASSERT_FAILS(SEL_E_FILE, sel_init("good"), "plugin folder good: an absolute path is expected");
  ck_assert(is_loaded("cpu") && !is_loaded("twin"));
}
END_TEST

RUN_SUITE_WITH(NULL, "search", own_folder, extra_path, refusals, working_directory, relative_folder)
