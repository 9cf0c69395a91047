/* Opening a device: see device.h. Devices live as long as the process. */
#include "device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "library.h"
#include "platform.h"
#include "report.h"

static bool groups_everywhere;

void opencl_device_use_groups(bool use) { groups_everywhere = use; }

static void text_of(cl_device_id id, cl_device_info what, char *out, size_t size) {
  if (cl.GetDeviceInfo(id, what, size, out, NULL) != CL_SUCCESS) snprintf(out, size, "unknown");
  out[size - 1] = '\0';
}

static cl_ulong number_of(cl_device_id id, cl_device_info what) {
  cl_ulong value = 0; /* holds the narrower answers too: devices and hosts here are little-endian */
  cl.GetDeviceInfo(id, what, sizeof value, &value, NULL);
  return value;
}

static void describe(opencl_device *device) {
  char vendor[256], version[512], driver[256], platform[256];
  cl_platform_id of = NULL;
  cl.GetDeviceInfo(device->id, CL_DEVICE_PLATFORM, sizeof of, &of, NULL);
  if (cl.GetPlatformInfo(of, CL_PLATFORM_VERSION, sizeof platform, platform, NULL) != CL_SUCCESS)
    snprintf(platform, sizeof platform, "unknown platform");
  text_of(device->id, CL_DEVICE_NAME, device->name, sizeof device->name);
  text_of(device->id, CL_DEVICE_VENDOR, vendor, sizeof vendor);
  text_of(device->id, CL_DEVICE_VERSION, version, sizeof version);
  text_of(device->id, CL_DRIVER_VERSION, driver, sizeof driver);
  snprintf(device->identity, sizeof device->identity, "%s|%s|%s|%s|%s", platform, vendor,
           device->name, version, driver);
  snprintf(device->summary, sizeof device->summary, "%.127s; %llu compute units; %s%.60s",
           device->name, (unsigned long long)number_of(device->id, CL_DEVICE_MAX_COMPUTE_UNITS),
           device->f64 ? "" : "no f64; ", platform);
}

static void find_limits(opencl_device *device) {
  const cl_device_fp_config single = number_of(device->id, CL_DEVICE_SINGLE_FP_CONFIG);
  const cl_ulong group = number_of(device->id, CL_DEVICE_MAX_WORK_GROUP_SIZE);
  device->f64 = number_of(device->id, CL_DEVICE_DOUBLE_FP_CONFIG) != 0;
  device->host =
      !groups_everywhere && (number_of(device->id, CL_DEVICE_TYPE) & CL_DEVICE_TYPE_CPU) != 0;
  device->units = (int)number_of(device->id, CL_DEVICE_MAX_COMPUTE_UNITS);
  const cl_ulong vector = number_of(device->id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT);
  device->vector = vector >= 16 ? 16 : vector >= 8 ? 8 : 4;
  device->largest = number_of(device->id, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
  device->parameters = number_of(device->id, CL_DEVICE_MAX_PARAMETER_SIZE);
  for (device->group = 256; device->group > group; device->group /= 2) continue;
  const bool exact = single & CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT;
  snprintf(device->options, sizeof device->options, "-cl-std=CL1.2 -w%s%s",
           exact ? " -cl-fp32-correctly-rounded-divide-sqrt" : "",
           device->f64 ? " -D HAS_F64" : " -cl-single-precision-constant");
}

sel_status opencl_device_open(int index, sel_backend_device *out) {
  const char *reason = NULL;
  const int count = opencl_device_count(&reason);
  if (count == 0) return sel_fail(SEL_E_DEVICE, "opencl: no device: %s", reason);
  if (index < 0 || index >= count)
    return sel_fail(SEL_E_DEVICE, "opencl: expected a device from 0 to %d, got %d", count - 1,
                    index);
  opencl_device *device = calloc(1, sizeof *device);
  if (!device) return sel_fail(SEL_E_MEMORY, "opencl: can't allocate %zu bytes", sizeof *device);
  cl_int code;
  device->id = opencl_device_id(index);
  find_limits(device);
  describe(device);
  device->context = cl.CreateContext(NULL, 1, &device->id, NULL, NULL, &code);
  if (code == CL_SUCCESS)
    device->queue.commands = cl.CreateCommandQueue(device->context, device->id, 0, &code);
  sel_status status =
      code == CL_SUCCESS ? opencl_report_open(device) : opencl_fail(device->name, code);
  if (status != SEL_OK) {
    if (device->queue.commands) cl.ReleaseCommandQueue(device->queue.commands);
    if (device->context) cl.ReleaseContext(device->context);
    free(device);
    return status;
  }
  pthread_mutex_init(&device->lock, NULL);
  *out = device;
  return SEL_OK;
}

const char *opencl_device_summary(sel_backend_device device) {
  return ((const opencl_device *)device)->summary;
}

double opencl_device_memory(sel_backend_device device) {
  return (double)number_of(((const opencl_device *)device)->id, CL_DEVICE_GLOBAL_MEM_SIZE);
}

void opencl_device_attach(sel_backend_device device, sel_device *as) {
  ((opencl_device *)device)->core = as;
}

void opencl_device_counters(sel_backend_device device, sel_counters *out) {
  opencl_queue_counters(&((const opencl_device *)device)->queue, out);
}

sel_status opencl_check_dtype(const opencl_device *device, sel_dtype dtype, const char *what) {
  if (dtype != SEL_F64 || device->f64) return SEL_OK;
  return sel_fail(SEL_E_UNSUPPORTED, "%s: f64 is not there on opencl device '%s'", what,
                  device->name);
}
