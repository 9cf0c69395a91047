/* One opened device: context, queue, limits, compiled programs. */
#ifndef OPENCL_DEVICE_H
#define OPENCL_DEVICE_H

#include <pthread.h>

#include "error.h"
#include "queue.h"

typedef struct opencl_program opencl_program;

/* Whose ids a report is about: see report.h. */
typedef struct opencl_subject {
  const char *operation, *what;
} opencl_subject;

enum { OPENCL_PROGRAM_SLOTS = 256, OPENCL_SUBJECTS = 64 };

typedef struct opencl_device {
  cl_device_id id;
  cl_context context;
  opencl_queue queue;
  sel_device *core;         /* what core calls it; NULL for who opened it without core */
  char name[256];           /* the maker's name for it */
  char summary[384];        /* one line for people */
  char identity[1536];      /* device, driver and versions: what a compiled program depends on */
  char options[128];        /* of the compiler */
  bool f64;                 /* has doubles */
  bool host;                /* computes on the host's processor: loops beat work-items there */
  int units;                /* compute units */
  int vector;               /* floats of a vector register, from 4 to 16 */
  size_t group;             /* work-items of a group, where nothing speaks for another number */
  atomic_size_t huge_pages; /* bytes lent to the driver: see memory.c */
  cl_ulong largest;         /* bytes of one buffer at most */
  size_t parameters;        /* bytes of a kernel's parameters at most */
  pthread_mutex_t lock;     /* of the programs, their kernels' arguments, and the subjects */
  opencl_program *programs[OPENCL_PROGRAM_SLOTS]; /* by hash of their key, chained */
  opencl_subject subject[OPENCL_SUBJECTS];
  cl_mem report;
  atomic_bool may_report; /* a kernel that may report was queued since the last wait */
} opencl_device;

/* Devices opened from now on count as no host, whatever they are: tests run the kernels of
 * work-groups on a processor by that. */
void opencl_device_use_groups(bool use);

sel_status opencl_device_open(int index, sel_backend_device *out);
const char *opencl_device_summary(sel_backend_device device);
double opencl_device_memory(sel_backend_device device);
void opencl_device_attach(sel_backend_device device, sel_device *as);
void opencl_device_counters(sel_backend_device device, sel_counters *out);

/* Fails, naming device and `what`, where the dtype is f64 and the device has no doubles. */
sel_status opencl_check_dtype(const opencl_device *device, sel_dtype dtype, const char *what);

#endif
