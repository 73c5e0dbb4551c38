// exp, log, tanh and the normal distribution as branch-free polynomials that the compiler turns into
// vector code inside a loop.
//
// Coefficients of exp, log and tanh: S. Moshier, Cephes Math Library (single precision). The normal
// distribution's tail: weighted least squares of exp(z*z/2) * erfc(z/sqrt(2)) / 2 over 0...13 in
// powers of t = 1 / (1 + 0.26 z), relative error 2.1e-8 before rounding and 4e-7 in Float.
#pragma once
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CK_PLAIN
#endif
#endif

// glibc resolves the clones when the program is loaded, before the thread sanitizer, which would want to see the
// resolver run, is there. Other systems, too, take the plain function. Tests say themselves what CK_CLONES is, to run on
// one processor what others would choose.
#if defined(CK_CLONES)
#elif defined(__linux__) && defined(__x86_64__) && defined(__GLIBC__) && !defined(CK_PLAIN)
#define CK_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define CK_DISPATCH
#else
#define CK_CLONES
#endif

#define CK_INLINE static inline __attribute__((always_inline))

// The arrays of such a loop are the same or disjoint, so its iterations are independent.
#define CK_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")

// Adds to a running total in whatever order is fastest; a sum in strict order is no vector code. The
// order depends on the processor's vector width and the number of terms, on nothing else.
#define CK_ADD(total, term)                     \
  do {                                          \
    __typeof__(total) value_ = (term);          \
    {                                           \
      _Pragma("clang fp reassociate(on)")       \
      total += value_;                          \
    }                                           \
  } while (0)

// A product and a sum in one expression may become one fused operation. The front end decides
// it, so the vector body and the scalar remainder of a loop round alike.
#pragma STDC FP_CONTRACT ON

CK_INLINE uint32_t ck_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

CK_INLINE float ck_from_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

// Below -87 the result is 0, so that no subnormal numbers appear; above 88.73 it is infinity.
CK_INLINE float ck_exp1(float x) {
  float c = x < -87.0f ? -87.0f : x;
  c = c > 89.0f ? 89.0f : c;
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
  float shifted = c * 1.44269504f + 12582912.0f;
  float n = shifted - 12582912.0f;
  float r = n * -0.693359375f + c;
  r = n * 2.12194440e-4f + r;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  float r2 = r * r;
  p = p * r2 + r;
  p = p + 1.0f;
  // 2^n in two factors, because 2^128 has no Float.
  int32_t k = (int32_t)(ck_bits(shifted) - 0x4B400000u);
  int32_t half = k >> 1;
  float low = ck_from_bits((uint32_t)(half + 127) << 23);
  float high = ck_from_bits((uint32_t)(k - half + 127) << 23);
  float result = p * low * high;
  return x < -87.0f ? 0.0f : result;
}

CK_INLINE float ck_log1(float x) {
  // Subnormal numbers are scaled into the normal range first.
  int small = x < 1.17549435e-38f;
  float scaled = small ? x * 8388608.0f : x;
  uint32_t bits = ck_bits(scaled);
  // Splits x = m * 2^e with m in [sqrt(1/2), sqrt(2)).
  uint32_t offset = bits - 0x3F3504F3u;
  int32_t exponent = (int32_t)offset >> 23;
  float m = ck_from_bits((offset & 0x007FFFFFu) + 0x3F3504F3u) - 1.0f;
  float e = (float)exponent - (small ? 23.0f : 0.0f);
  float z = m * m;
  float p = 7.0376836292e-2f;
  p = p * m + -1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m + -1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m + -1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m + -2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  float y = p * m;
  y = y * z;
  y = e * -2.12194440e-4f + y;
  y = z * -0.5f + y;
  float result = m + y;
  result = e * 0.693359375f + result;
  result = x == 0.0f ? -INFINITY : result;
  result = x < 0.0f ? NAN : result;
  // Infinity and NaN stay what they are.
  return x - x == 0.0f ? result : (x == -INFINITY ? NAN : x);
}

CK_INLINE float ck_sigmoid1(float x) {
  float e = ck_exp1(-__builtin_fabsf(x));
  float d = 1.0f / (1.0f + e);
  return x < 0.0f ? e * d : d;
}

// log(1 + exp(x)); the last term restores what rounding 1 + e lost.
CK_INLINE float ck_softplus1(float x) {
  float e = ck_exp1(-__builtin_fabsf(x));
  float u = 1.0f + e;
  float lost = e - (u - 1.0f);
  float tail = ck_log1(u) + lost / u;
  return x > 0.0f ? x + tail : tail;
}

CK_INLINE float ck_tanh1(float x) {
  float z = __builtin_fabsf(x);
  float e = ck_exp1(-2.0f * z);
  float large = (1.0f - e) / (1.0f + e);
  large = x < 0.0f ? -large : large;
  float x2 = x * x;
  float p = -5.70498872745e-3f;
  p = p * x2 + 2.06390887954e-2f;
  p = p * x2 + -5.37397155531e-2f;
  p = p * x2 + 1.33314422036e-1f;
  p = p * x2 + -3.33332819422e-1f;
  p = p * x2;
  float small = p * x + x;
  return z < 0.625f ? small : large;
}

// The standard normal distribution function, given e = exp(-x*x/2).
CK_INLINE float ck_normal1(float x, float e) {
  float z = __builtin_fabsf(x);
  float t = 1.0f / (0.26f * z + 1.0f);
  float p = 0.030901202f;
  p = p * t + -0.1547655676f;
  p = p * t + 0.2555199409f;
  p = p * t + -0.1555979101f;
  p = p * t + 0.1641959752f;
  p = p * t + 0.04962363256f;
  p = p * t + 0.1033962557f;
  p = p * t + 0.1029642277f;
  p = p * t + 0.1037622334f;
  float tail = p * t * e;
  return x < 0.0f ? tail : 1.0f - tail;
}
