// Reports to the host: see report.h. REPORT are the last parameters of a kernel that makes them.

typedef struct report {
  int made, subject;
  long value, position, extent;
} report;

#define REPORT __global report *to_host, int subject
#define VALID(id, position, extent) is_valid(id, position, extent, to_host, subject)

// Whether id lies in [0, extent); where it doesn't, it is reported, unless something else is.
inline bool is_valid(long id, long position, long extent, __global report *to, int subject) {
  if (id >= 0 && id < extent) return true;
  if (atomic_cmpxchg((volatile __global int *)&to->made, 0, 1) == 0) {
    to->subject = subject;
    to->value = id;
    to->position = position;
    to->extent = extent;
  }
  return false;
}
