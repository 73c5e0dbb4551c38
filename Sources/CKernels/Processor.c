#include "CKernels.h"

int ck_processor_features(void) {
  int features = 0;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx")) features |= CK_AVX;
  if (__builtin_cpu_supports("fma4")) features |= CK_FMA4;
  if (__builtin_cpu_supports("x86-64-v3")) features |= CK_X86_64_V3;
  if (__builtin_cpu_supports("x86-64-v4")) features |= CK_X86_64_V4;
#endif
  return features;
}
