/* Discovery of devices: see platform.h.
 *
 * OpenCL and its drivers are loaded by the first question, not with the plugin: they take tenths of
 * a second and start threads. A device counts that speaks OpenCL 1.2, has a compiler, and works
 * now.
 */
#include "platform.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "library.h"

enum { MAX_PLATFORMS = 16, MAX_DEVICES = 32 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static cl_device_id found[MAX_DEVICES];
static int found_count;
static char why_none[256];

static int usable(cl_device_id device) {
  char version[512] = ""; /* some makers add much to the number */
  cl_bool works = CL_FALSE, compiles = CL_FALSE;
  int major = 0, minor = 0;
  cl.GetDeviceInfo(device, CL_DEVICE_VERSION, sizeof version, version, NULL);
  cl.GetDeviceInfo(device, CL_DEVICE_AVAILABLE, sizeof works, &works, NULL);
  cl.GetDeviceInfo(device, CL_DEVICE_COMPILER_AVAILABLE, sizeof compiles, &compiles, NULL);
  sscanf(version, "OpenCL %d.%d", &major, &minor);
  return works && compiles && (major > 1 || (major == 1 && minor >= 2));
}

/* Appends the usable devices of one type; returns how many there are, usable or not. */
static int collect(const cl_platform_id *platforms, cl_uint count, cl_device_type type) {
  int seen = 0;
  for (cl_uint p = 0; p < count; p++) {
    cl_device_id devices[MAX_DEVICES];
    cl_uint n = 0;
    if (cl.GetDeviceIDs(platforms[p], type, MAX_DEVICES, devices, &n) != CL_SUCCESS) continue;
    if (n > MAX_DEVICES) n = MAX_DEVICES;
    seen += (int)n;
    for (cl_uint d = 0; d < n && found_count < MAX_DEVICES; d++)
      if (usable(devices[d])) found[found_count++] = devices[d];
  }
  return seen;
}

static void discover(void) {
  char missing[160];
  if (!opencl_load(missing, sizeof missing)) {
    snprintf(why_none, sizeof why_none, "OpenCL can't be loaded: %s (Debian: ocl-icd-libopencl1)",
             missing);
    return;
  }
  cl_platform_id platforms[MAX_PLATFORMS];
  cl_uint count = 0;
  const cl_int code = cl.GetPlatformIDs(MAX_PLATFORMS, platforms, &count);
  if (code != CL_SUCCESS || count == 0) {
    snprintf(why_none, sizeof why_none,
             "no OpenCL driver is installed (for the processor: Debian's pocl-opencl-icd)");
    return;
  }
  if (count > MAX_PLATFORMS) count = MAX_PLATFORMS;
  int seen = collect(platforms, count, CL_DEVICE_TYPE_GPU);
  seen += collect(platforms, count, CL_DEVICE_TYPE_ACCELERATOR);
  seen += collect(platforms, count, CL_DEVICE_TYPE_CPU);
  snprintf(why_none, sizeof why_none,
           "the %u OpenCL driver%s installed offer%s %d device%s, none of which works with OpenCL "
           "1.2 and has a compiler",
           count, count == 1 ? "" : "s", count == 1 ? "s" : "", seen, seen == 1 ? "" : "s");
}

int opencl_device_count(const char **reason) {
  pthread_once(&once, discover);
  if (found_count == 0 && reason) *reason = why_none;
  return found_count;
}

cl_device_id opencl_device_id(int i) { return found[i]; }
