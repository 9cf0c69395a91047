/* Finding and starting the compiler: see fuse_compiler.h. */
#include "fuse_compiler.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* As the backend's own kernels are compiled (CMakeLists.txt). */
static const char *const always[] = {
    "-std=gnu11",         "-O3",     "-w",           "-shared", "-fPIC", "-fno-math-errno",
    "-fno-trapping-math", "-fwrapv", "-fopenmp-simd"};
enum { ALWAYS = sizeof always / sizeof *always, MAX_ARGUMENTS = ALWAYS + 16 };

static char *wanted_name, *search_path;
static char compiler[PATH_MAX], identity[PATH_MAX + 64]; /* "": none */
static pthread_once_t found = PTHREAD_ONCE_INIT;

void cpu_compiler_configure(const char *wanted, const char *path) {
  wanted_name = wanted ? strdup(wanted) : NULL;
  search_path = path ? strdup(path) : NULL;
}

static bool take(const char *candidate) {
  struct stat info;
  char real[PATH_MAX];
  if (access(candidate, X_OK) != 0 || !realpath(candidate, real) || stat(real, &info) != 0 ||
      !S_ISREG(info.st_mode))
    return false;
  snprintf(compiler, sizeof compiler, "%s", candidate);
  snprintf(identity, sizeof identity, "%s %lld bytes of %lld.%09ld", real, (long long)info.st_size,
           (long long)info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
  return true;
}

/* Looks in the absolute folders of the path only: nothing in the working directory is ever run. */
static bool look_up(const char *name) {
  for (const char *at = search_path; at && *at;) {
    const size_t n = strcspn(at, ":");
    char candidate[PATH_MAX];
    if (*at == '/' &&
        snprintf(candidate, sizeof candidate, "%.*s/%s", (int)n, at, name) < PATH_MAX &&
        take(candidate))
      return true;
    at += n + (at[n] == ':');
  }
  return false;
}

static void find(void) {
  if (!wanted_name) {
    if (!look_up("cc") && !look_up("gcc")) look_up("clang");
  } else if (*wanted_name == '/') {
    take(wanted_name);
  } else if (strcmp(wanted_name, "none") != 0 && !strchr(wanted_name, '/')) {
    look_up(wanted_name);
  }
}

const char *cpu_compiler_path(void) {
  pthread_once(&found, find);
  return *compiler ? compiler : NULL;
}

const char *cpu_compiler_identity(void) {
  pthread_once(&found, find);
  return identity;
}

void cpu_compile_flags_text(const char *const *flags, char *text, size_t size) {
  size_t used = 0;
  for (int i = 0; i < ALWAYS && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, "%s ", always[i]);
  for (int i = 0; flags[i] && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, "%s ", flags[i]);
}

static bool wait_for(pid_t child) {
  int status;
  pid_t ended;
  do {
    ended = waitpid(child, &status, 0);
  } while (ended < 0 && errno == EINTR);
  return ended == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool cpu_compile(const char *const *flags, const char *source_path, const char *object_path) {
  const char *arguments[MAX_ARGUMENTS + 1];
  int n = 0;
  arguments[n++] = compiler;
  for (int i = 0; i < ALWAYS; i++) arguments[n++] = always[i];
  for (int i = 0; flags[i] && n < MAX_ARGUMENTS - 4; i++) arguments[n++] = flags[i];
  arguments[n++] = "-o";
  arguments[n++] = object_path;
  arguments[n++] = source_path;
  arguments[n++] = "-lm";
  arguments[n] = NULL;

  posix_spawn_file_actions_t actions;
  if (posix_spawn_file_actions_init(&actions) != 0) return false;
  pid_t child;
  bool good = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) == 0 &&
              posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) == 0 &&
              posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0) == 0;
  /* posix_spawn changes none of the strings. */
  good = good && posix_spawn(&child, compiler, &actions, NULL, (char *const *)(uintptr_t)arguments,
                             environ) == 0;
  posix_spawn_file_actions_destroy(&actions);
  return good && wait_for(child);
}
