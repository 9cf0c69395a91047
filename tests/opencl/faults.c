/* What a device can do wrong, done in its place: the backend is linked into this test, and calls of
 * OpenCL that it makes through `cl` fail as they are told to. After each fault the process goes on.
 *
 * Each test is a process of its own, which opens the driver itself: threads don't live through a
 * fork. */
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "library.h"
#include "platform.h"
#include "program.h"
#include "selenite/plugin.h"
#include "tensors.h"

enum { SKIPPED = 77 };

extern const sel_plugin sel_plugin_descriptor; /* the backend's */

static void load_plugins(void) {
  ASSERT_OK(sel_plugin_load(SEL_PLUGINS "/cpu.so"));
  ASSERT_OK(sel_plugin_descriptor.init());
}

static sel_device *opencl(void) {
  sel_device *device;
  ASSERT_OK(sel_device_find("opencl", &device));
  return device;
}

/* OpenCL as it is, once `cl` has been filled and before it is meddled with. */
static opencl_calls real;
static void fill_real(void) {
  ck_assert_int_gt(opencl_device_count(NULL), 0);
  real = cl;
}

static sel_tensor *on_opencl(sel_tensor *t) { return NEW(to, t, sel_tensor_dtype(t), opencl()); }

/* ---- memory ---- */

static int refusals; /* calls that fail from now on */

static cl_mem no_buffer(cl_context context, cl_mem_flags flags, size_t bytes, void *host,
                        cl_int *code) {
  if (refusals-- <= 0) return real.CreateBuffer(context, flags, bytes, host, code);
  *code = CL_MEM_OBJECT_ALLOCATION_FAILURE;
  return NULL;
}

/* Makes a tensor and frees it; whether its memory is kept, as it isn't under AddressSanitizer. */
static bool leave_in_cache(void) {
  sel_tensor *t;
  sel_memory_info memory;
  ASSERT_OK(sel_zeros(SHAPE(5000), SEL_F32, opencl(), &t));
  sel_release(t);
  sel_memory(opencl(), &memory);
  return memory.cached > 0;
}

START_TEST(no_memory_for_a_tensor) {
  sel_tensor *x = on_opencl(TENSOR(SEL_F32, SHAPE(3), 1, 2, 3)), *t = NULL;
  const bool cached = leave_in_cache();
  fill_real();
  cl.CreateBuffer = no_buffer;
  refusals = cached; /* which makes room */
  ASSERT_OK(sel_empty(SHAPE(7000), SEL_F32, opencl(), &t));
  sel_release(t);
  t = NULL;
  refusals = 2;
  ASSERT_FAILS(SEL_E_MEMORY, sel_empty(SHAPE(300, 1000), SEL_F32, opencl(), &t),
               "CL_MEM_OBJECT_ALLOCATION_FAILURE", "can't allocate 1310720 bytes",
               "opencl has 64 bytes in use", "f32[300, 1000]");
  ck_assert_ptr_null(t);
  refusals = 0;
  ASSERT_TENSOR(NEW(add, x, x), "f32[3]", 2, 4, 6);
}
END_TEST

static int lost_launches;

static cl_int no_launch(cl_command_queue queue, cl_kernel kernel, cl_uint dims,
                        const size_t *offset, const size_t *global, const size_t *local,
                        cl_uint events, const cl_event *wait, cl_event *event) {
  if (lost_launches-- > 0) return CL_OUT_OF_RESOURCES;
  return real.EnqueueNDRangeKernel(queue, kernel, dims, offset, global, local, events, wait, event);
}

START_TEST(no_memory_at_a_launch) {
  sel_tensor *x = on_opencl(TENSOR(SEL_F32, SHAPE(2), 3, 4)), *t = NULL;
  fill_real();
  cl.EnqueueNDRangeKernel = no_launch;
  lost_launches = 1;
  ASSERT_TENSOR(NEW(neg, x), "f32[2]", -3, -4);
  lost_launches = 2;
  ASSERT_FAILS(SEL_E_MEMORY, sel_neg(x, &t), "neg", "CL_OUT_OF_RESOURCES");
  ck_assert_ptr_null(t);
  ASSERT_TENSOR(NEW(neg, x), "f32[2]", -3, -4);
}
END_TEST

/* ---- compilers ---- */

START_TEST(kernel_that_does_not_compile) {
  static sel_backend_device handle; /* lives as long as the process */
  cl_kernel kernel = NULL;
  const char *const text = "__kernel void broken(__global float *x) { x[0] = undeclared; }";
  const char *const whole = "__kernel void whole(__global float *x) { x[0] = VALUE; }";
  ASSERT_OK(opencl_device_open(0, &handle));
  opencl_device *device = handle;
  pthread_mutex_lock(&device->lock);
  for (int i = 0; i < 2; i++)
    ASSERT_FAILS(SEL_E_INTERNAL, opencl_kernel(device, "a.cl", text, "", "broken", &kernel),
                 device->name, "can't compile a.cl", "CL_BUILD_PROGRAM_FAILURE",
                 "undeclared identifier");
  ASSERT_FAILS(SEL_E_ARGUMENT,
               opencl_kernel(device, "a.cl", whole, "#define VALUE 1\n", "x", &kernel),
               "a.cl has no kernel 'x'");
  ck_assert_ptr_null(kernel);
  ASSERT_OK(opencl_kernel(device, "a.cl", whole, "#define VALUE 1\n", "whole", &kernel));
  ck_assert_ptr_nonnull(kernel);
  pthread_mutex_unlock(&device->lock);
}
END_TEST

/* ---- a device that is lost ---- */

static cl_int lost_launch(cl_command_queue queue, cl_kernel kernel, cl_uint dims,
                          const size_t *offset, const size_t *global, const size_t *local,
                          cl_uint events, const cl_event *wait, cl_event *event) {
  (void)queue, (void)kernel, (void)dims, (void)offset, (void)global, (void)local, (void)events;
  (void)wait, (void)event;
  return CL_DEVICE_NOT_AVAILABLE;
}
static cl_int lost_read(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset,
                        size_t bytes, void *to, cl_uint events, const cl_event *wait,
                        cl_event *event) {
  (void)queue, (void)buffer, (void)blocking, (void)offset, (void)bytes, (void)to, (void)events;
  (void)wait, (void)event;
  return CL_DEVICE_NOT_AVAILABLE;
}
static cl_int lost_write(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset,
                         size_t bytes, const void *from, cl_uint events, const cl_event *wait,
                         cl_event *event) {
  (void)queue, (void)buffer, (void)blocking, (void)offset, (void)bytes, (void)from, (void)events;
  (void)wait, (void)event;
  return CL_DEVICE_NOT_AVAILABLE;
}
static cl_int lost_finish(cl_command_queue queue) {
  (void)queue;
  return CL_DEVICE_NOT_AVAILABLE;
}

START_TEST(lost_device) {
  sel_tensor *here = leaf(TENSOR(SEL_F32, SHAPE(2), 3, 4)), *t = NULL;
  sel_tensor *there = on_opencl(here), *loss = NEW(sum, NEW(square, there), 0, NULL, false);
  double value;
  cl.EnqueueNDRangeKernel = lost_launch;
  cl.EnqueueReadBuffer = lost_read;
  cl.EnqueueWriteBuffer = lost_write;
  cl.Finish = lost_finish;
  ASSERT_FAILS(SEL_E_DEVICE, sel_neg(there, &t), "neg", "CL_DEVICE_NOT_AVAILABLE");
  ASSERT_FAILS(SEL_E_DEVICE, sel_item(loss, &value), "read of 4 bytes", "CL_DEVICE_NOT_AVAILABLE");
  ASSERT_FAILS(SEL_E_DEVICE, sel_to(here, SEL_F32, opencl(), &t), "CL_DEVICE_NOT_AVAILABLE");
  ASSERT_FAILS(SEL_E_DEVICE, sel_backward(1, &loss, NULL, false, false), "CL_DEVICE_NOT_AVAILABLE");
  ASSERT_FAILS(SEL_E_DEVICE, sel_synchronize(opencl()), "CL_DEVICE_NOT_AVAILABLE");
  ck_assert_ptr_null(t);
  ck_assert_ptr_null(sel_grad_of(here));
  ASSERT_TENSOR(NEW(add, here, here), "f32[2]", 6, 8); /* tensors elsewhere are intact */
}
END_TEST

/* ---- a device without doubles ---- */

static cl_int no_doubles(cl_device_id device, cl_device_info what, size_t size, void *value,
                         size_t *needed) {
  const cl_int code = real.GetDeviceInfo(device, what, size, value, needed);
  if (what == CL_DEVICE_DOUBLE_FP_CONFIG && value) memset(value, 0, size);
  return code;
}

START_TEST(device_without_doubles) {
  fill_real();
  cl.GetDeviceInfo = no_doubles;
  sel_tensor *t = NULL, *values, *order, *x = on_opencl(TENSOR(SEL_F32, SHAPE(2, 2), 3, 1, 2, 5));
  char name[256];
  real.GetDeviceInfo(opencl_device_id(0), CL_DEVICE_NAME, sizeof name, name, NULL);
  ck_assert_ptr_nonnull(strstr(sel_device_summary(opencl()), "no f64"));
  ASSERT_FAILS(SEL_E_UNSUPPORTED, sel_zeros(SHAPE(2), SEL_F64, opencl(), &t), "f64", name);
  ASSERT_FAILS(SEL_E_UNSUPPORTED, sel_to(x, SEL_F64, opencl(), &t), "f64", name);
  ASSERT_FAILS(SEL_E_UNSUPPORTED, sel_neg(on_opencl(TENSOR(SEL_F64, SHAPE(2), 1, 2)), &t), "f64",
               name);
  ck_assert_ptr_null(t);
  /* what carries its sums in doubles elsewhere */
  ASSERT_TENSOR(NEW(sum, x, 0, NULL, false), "f32[]", 11);
  ASSERT_TENSOR(NEW(var, x, DIMS(1), 1, false), "f32[2]", 2, 4.5);
  ASSERT_TENSOR(NEW(cumsum, x, 1), "f32[2, 2]", 3, 4, 2, 7);
  ASSERT_TENSOR(NEW(matmul, x, x), "f32[2, 2]", 11, 8, 16, 27);
  ASSERT_NEAR(NEW(softmax, x, 1), 1e-6, "f32[2, 2]", 0.880797, 0.1192029, 0.0474259, 0.9525741);
  ASSERT_TENSOR(NEW(to, NEW(to, x, SEL_F16, opencl()), SEL_I64, opencl()), "i64[2, 2]", 3, 1, 2, 5);
  ASSERT_OK(sel_sort(x, 1, false, &values, &order));
  ASSERT_TENSOR(keep(values), "f32[2, 2]", 1, 3, 2, 5);
  keep(order);
}
END_TEST

/* ---- the suite ---- */

static bool found(void) {
  const pid_t child = fork();
  if (child == 0) _exit(opencl_device_count(NULL) > 0 ? 0 : 1);
  int status;
  return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

int main(void) {
  if (!found()) {
    printf("no OpenCL device\n");
    return SKIPPED;
  }
  const TTest *const tests[] = {no_memory_for_a_tensor, no_memory_at_a_launch, lost_device,
                                kernel_that_does_not_compile, device_without_doubles};
  return expect_suite("opencl faults", load_plugins, sizeof tests / sizeof *tests, tests);
}
