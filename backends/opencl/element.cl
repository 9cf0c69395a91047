// What every program begins with: how dtypes are stored, and how an element passes between its
// storage and a type to compute in. The lines in front of this text say what is to be made of the
// file behind it; HAS_F64 comes with the compiler's options.

#ifdef HAS_F64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

// STORED(dtype): the C type of an element in memory. half16 is a 16-bit element moved as it is.
#define STORED(dtype) JOIN(stored_, dtype)
typedef float stored_f32;
typedef ushort stored_f16;
typedef ushort stored_bf16;
typedef ushort stored_bits16;
typedef long stored_i64;
typedef int stored_i32;
typedef uchar stored_u8;
typedef uchar stored_bool;
#ifdef HAS_F64
typedef double stored_f64;
#endif

// f16 and bf16, as Marat Dukhan's FP16 library (MIT) does it: the exponent is moved by a
// multiplication with a power of two. To nearest, ties to even.

inline float float_of_f16(ushort half_bits) {
  const uint w = (uint)half_bits << 16, sign = w & 0x80000000u, shifted = w + w;
  const float normal = as_float((shifted >> 4) + 0x70000000u) * 0x1p-112f;
  const float subnormal = as_float((shifted >> 17) | 0x3f000000u) - 0.5f;
  return as_float(sign | as_uint(shifted < (1u << 27) ? subnormal : normal));
}

inline ushort f16_of_float(float value) {
  const uint w = as_uint(value), sign = w & 0x80000000u, shifted = w + w;
  const float scaled = (as_float(w & 0x7fffffffu) * 0x1p+112f) * 0x1p-110f;
  const uint exponent = shifted & 0xff000000u;
  const uint bias = exponent < 0x71000000u ? 0x71000000u : exponent;
  const uint rounded = as_uint(as_float((bias >> 1) + 0x07800000u) + scaled);
  const uint magnitude = ((rounded >> 13) & 0x7c00u) + (rounded & 0x0fffu);
  return (ushort)((sign >> 16) | (shifted > 0xff000000u ? 0x7e00u : magnitude));
}

inline float float_of_bf16(ushort bits) { return as_float((uint)bits << 16); }

inline ushort bf16_of_float(float value) {
  const uint w = as_uint(value), rounded = (w + 0x7fffu + ((w >> 16) & 1u)) >> 16;
  return (ushort)((w & 0x7fffffffu) > 0x7f800000u ? (w >> 16) | 0x40u : rounded);
}

// LOAD(dtype, x): a stored element as a number of the type T the program computes in.
#define LOAD(dtype, x) JOIN(LOAD_, dtype)(x)
#define LOAD_f32(x) ((T)(x))
#define LOAD_f64(x) ((T)(x))
#define LOAD_f16(x) ((T)float_of_f16(x))
#define LOAD_bf16(x) ((T)float_of_bf16(x))
#define LOAD_bits16(x) (x)
#define LOAD_i64(x) ((T)(x))
#define LOAD_i32(x) ((T)(x))
#define LOAD_u8(x) ((T)(x))
#define LOAD_bool(x) ((T)(x))

// STORE(dtype, x): the reverse. A float goes to u8 through a wider integer, so that -1 wraps as an
// integer does.
#define STORE(dtype, x) JOIN(STORE_, dtype)(x)
#define STORE_f32(x) ((float)(x))
#define STORE_f64(x) ((double)(x))
#define STORE_f16(x) f16_of_float((float)(x))
#define STORE_bf16(x) bf16_of_float((float)(x))
#define STORE_bits16(x) (x)
#define STORE_i64(x) ((long)(x))
#define STORE_i32(x) ((int)(x))
#define STORE_u8(x) ((uchar)(long)(x))
#define STORE_bool(x) ((uchar)((x) != 0))
