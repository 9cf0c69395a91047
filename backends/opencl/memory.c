/* Buffers and transfers: see memory.h. Whoever waits hears of what kernels reported. */
#include "memory.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "library.h"
#include "report.h"

enum { HUGE_PAGE = 2 << 20 }; /* bytes */

typedef struct pages {
  opencl_device *device;
  size_t bytes;
  void *memory;
} pages;

static void CL_CALLBACK free_pages(cl_mem buffer, void *taken) {
  (void)buffer;
  pages *p = taken;
  atomic_fetch_sub(&p->device->huge_pages, p->bytes);
  free(p->memory);
  free(p);
}

static cl_mem create_in(pages *p, cl_int *code) {
  if (posix_memalign(&p->memory, HUGE_PAGE, p->bytes) != 0) return NULL;
#ifdef MADV_HUGEPAGE
  madvise(p->memory, p->bytes, MADV_HUGEPAGE); /* a wish: may fail */
#endif
  cl_mem buffer = cl.CreateBuffer(p->device->context, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR,
                                  p->bytes, p->memory, code);
  if (*code == CL_SUCCESS) *code = cl.SetMemObjectDestructorCallback(buffer, free_pages, p);
  if (*code == CL_SUCCESS) return buffer;
  if (buffer) cl.ReleaseMemObject(buffer);
  return NULL;
}

/* In the host's own memory, as the CPU backend has it: a softmax that goes from page to page took
 * twice the time without. The driver doesn't count what it is lent: the limit is kept here. */
static cl_mem create_on_huge_pages(opencl_device *device, size_t bytes, cl_int *code) {
  *code = CL_MEM_OBJECT_ALLOCATION_FAILURE;
  pages *p = malloc(sizeof *p);
  if (!p) return NULL;
  *p = (pages){.device = device, .bytes = bytes};
  const size_t taken = atomic_fetch_add(&device->huge_pages, bytes) + bytes;
  cl_mem buffer = (double)taken <= opencl_device_memory(device) ? create_in(p, code) : NULL;
  if (!buffer) free_pages(NULL, p);
  return buffer;
}

sel_status opencl_allocate(sel_backend_device handle, size_t bytes, sel_buffer *out) {
  opencl_device *device = handle;
  if (bytes > device->largest)
    return sel_fail(SEL_E_MEMORY,
                    "opencl: can't allocate %zu bytes: a buffer of '%s' has %llu at most", bytes,
                    device->name, (unsigned long long)device->largest);
  cl_int code;
  cl_mem buffer =
      device->host && bytes >= HUGE_PAGE
          ? create_on_huge_pages(device, bytes, &code)
          : cl.CreateBuffer(device->context, CL_MEM_READ_WRITE, bytes ? bytes : 1, NULL, &code);
  if (code != CL_SUCCESS) {
    opencl_queue_wait(&device->queue); /* what core gives back before it tries again is idle then */
    return sel_fail(opencl_status(code), "opencl: can't allocate %zu bytes on '%s': %s", bytes,
                    device->name, opencl_error_name(code));
  }
  *out = buffer;
  return SEL_OK;
}

/* Commands that are still queued keep the buffer alive. */
void opencl_release(sel_backend_device device, sel_buffer buffer, size_t bytes) {
  (void)device, (void)bytes;
  cl.ReleaseMemObject(buffer);
}

static sel_status fail_transfer(const char *what, size_t bytes, cl_int code) {
  const sel_status status = opencl_fail(what, code);
  return sel_fail(status, "opencl: %s of %zu bytes: %s", what, bytes, opencl_error_name(code));
}

sel_status opencl_read(sel_backend_device handle, void *destination, sel_buffer source,
                       size_t source_byte, size_t bytes) {
  opencl_device *device = handle;
  opencl_report report;
  if (bytes == 0) return SEL_OK;
  const bool fetched = opencl_report_fetch(device, &report);
  const cl_int code =
      opencl_queue_read(&device->queue, destination, source, source_byte, bytes, true);
  if (code == CL_SUCCESS) return fetched ? opencl_report_check(device, &report) : SEL_OK;
  if (fetched) opencl_queue_wait(&device->queue); /* `report` must not be written later */
  return fail_transfer("read", bytes, code);
}

sel_status opencl_write(sel_backend_device handle, sel_buffer destination, size_t destination_byte,
                        const void *source, size_t bytes) {
  opencl_device *device = handle;
  if (bytes == 0) return SEL_OK;
  const cl_int code =
      opencl_queue_write(&device->queue, destination, destination_byte, source, bytes);
  return code == CL_SUCCESS ? SEL_OK : fail_transfer("write", bytes, code);
}

sel_status opencl_synchronize(sel_backend_device handle) {
  opencl_device *device = handle;
  opencl_report report;
  const bool fetched = opencl_report_fetch(device, &report);
  const cl_int code = opencl_queue_wait(&device->queue);
  if (code != CL_SUCCESS) return opencl_fail("synchronize", code);
  return fetched ? opencl_report_check(device, &report) : SEL_OK;
}
