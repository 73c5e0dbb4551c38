#if defined(__x86_64__)

#define CK_RENAMED(name) ck_version3_##name
#define CK_CLONES __attribute__((target("arch=x86-64-v3")))
#define CK_DISPATCH
#include "Variant.h"

// The product for few rows chooses its tiles itself: those for AVX-512 where they can run.
#undef ck_small_product
#define ck_small_product small_product_v3

static const ck_kernels kernels = {CK_EVERY_KERNEL(CK_ENTRY)};

const ck_kernels *ck_kernels_version3(void) {
  return __builtin_cpu_supports("x86-64-v3") ? &kernels : NULL;
}

#else

#include "CKernelsVariants.h"

const ck_kernels *ck_kernels_version3(void) { return NULL; }

#endif
