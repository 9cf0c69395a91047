/* The shared libraries the backend computes with, found when they are first needed: the plugin
 * loads on a machine without them and says what is missing when a device is asked for, and CLBlast,
 * which is large, is loaded by the first product that is given to it.
 *
 * OpenCL's functions are called through `cl`: cl.EnqueueReadBuffer is clEnqueueReadBuffer.
 */
#ifndef OPENCL_LIBRARY_H
#define OPENCL_LIBRARY_H

#include <CL/cl.h>
#include <clblast_c.h>

#include "selenite/backend.h"

#define OPENCL_CALLS(CALL)             \
  CALL(BuildProgram)                   \
  CALL(CreateBuffer)                   \
  CALL(CreateCommandQueue)             \
  CALL(CreateContext)                  \
  CALL(CreateKernel)                   \
  CALL(CreateProgramWithBinary)        \
  CALL(CreateProgramWithSource)        \
  CALL(EnqueueMarkerWithWaitList)      \
  CALL(EnqueueNDRangeKernel)           \
  CALL(EnqueueReadBuffer)              \
  CALL(EnqueueWriteBuffer)             \
  CALL(Finish)                         \
  CALL(Flush)                          \
  CALL(GetDeviceIDs)                   \
  CALL(GetDeviceInfo)                  \
  CALL(GetEventInfo)                   \
  CALL(GetKernelInfo)                  \
  CALL(GetPlatformIDs)                 \
  CALL(GetPlatformInfo)                \
  CALL(GetProgramBuildInfo)            \
  CALL(GetProgramInfo)                 \
  CALL(ReleaseCommandQueue)            \
  CALL(ReleaseContext)                 \
  CALL(ReleaseEvent)                   \
  CALL(ReleaseMemObject)               \
  CALL(ReleaseProgram)                 \
  CALL(SetEventCallback)               \
  CALL(SetKernelArg)                   \
  CALL(SetMemObjectDestructorCallback) \
  CALL(WaitForEvents)

#define OPENCL_BLAS_CALLS(CALL) \
  CALL(Sgemm)                   \
  CALL(Dgemm)                   \
  CALL(SgemmStridedBatched)     \
  CALL(DgemmStridedBatched)

typedef struct opencl_calls {
#define CALL(name) __typeof__(cl##name) *name;
  OPENCL_CALLS(CALL)
#undef CALL
} opencl_calls;

typedef struct opencl_blas_calls {
#define CALL(name) __typeof__(CLBlast##name) *name;
  OPENCL_BLAS_CALLS(CALL)
#undef CALL
} opencl_blas_calls;

extern opencl_calls cl;

/* Fills `cl`. Called once, before all else that uses it; false: why[size] says what is missing. */
bool opencl_load(char *why, size_t size);

/* CLBlast, for the product `what`. Any thread may call. */
sel_status opencl_blas(const char *what, const opencl_blas_calls **out);

#endif
