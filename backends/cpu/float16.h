/* Conversions of the storage types f16 and bf16 to and from float, as branch-free integer and float
 * arithmetic that compilers vectorise. Round to nearest, ties to even; subnormals, infinities and
 * NaN are kept (a NaN's payload may change).
 *
 * The f16 pair follows Marat Dukhan's FP16 library (MIT): the exponent is moved by a multiplication
 * with a power of two, subnormals by adding a number whose last bit has their weight.
 */
#ifndef CPU_FLOAT16_H
#define CPU_FLOAT16_H

#include <stdint.h>
#include <string.h>

static inline float cpu_float_of_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline uint32_t cpu_bits_of_float(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline float cpu_float_of_f16(uint16_t half) {
  const uint32_t w = (uint32_t)half << 16;
  const uint32_t sign = w & 0x80000000u, shifted = w + w;
  const float normal = cpu_float_of_bits((shifted >> 4) + 0x70000000u) * 0x1p-112f;
  const float subnormal = cpu_float_of_bits((shifted >> 17) | 0x3f000000u) - 0.5f;
  const uint32_t magnitude = cpu_bits_of_float(shifted < (1u << 27) ? subnormal : normal);
  return cpu_float_of_bits(sign | magnitude);
}

static inline uint16_t cpu_f16_of_float(float value) {
  const uint32_t w = cpu_bits_of_float(value);
  const uint32_t sign = w & 0x80000000u, shifted = w + w;
  /* Too large a magnitude becomes infinity here, everything else is scaled by 4. */
  const float scaled = (cpu_float_of_bits(w & 0x7fffffffu) * 0x1p+112f) * 0x1p-110f;
  const uint32_t exponent = shifted & 0xff000000u;
  const uint32_t bias = exponent < 0x71000000u ? 0x71000000u : exponent;
  const uint32_t rounded = cpu_bits_of_float(cpu_float_of_bits((bias >> 1) + 0x07800000u) + scaled);
  const uint32_t magnitude = ((rounded >> 13) & 0x7c00u) + (rounded & 0x0fffu);
  return (uint16_t)((sign >> 16) | (shifted > 0xff000000u ? 0x7e00u : magnitude));
}

static inline float cpu_float_of_bf16(uint16_t half) {
  return cpu_float_of_bits((uint32_t)half << 16);
}

static inline uint16_t cpu_bf16_of_float(float value) {
  const uint32_t w = cpu_bits_of_float(value);
  const uint32_t rounded = (w + 0x7fffu + ((w >> 16) & 1u)) >> 16;
  return (uint16_t)((w & 0x7fffffffu) > 0x7f800000u ? (w >> 16) | 0x40u : rounded);
}

#endif
