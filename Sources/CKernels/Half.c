#include "CKernels.h"
#include "VectorMath.h"

// One instruction for a whole vector where the processor has it, a call of the runtime a number elsewhere.

CK_CLONES void ck_widen_half(float *y, const void *x, ptrdiff_t count) {
  const _Float16 *from = x;
  CK_INDEPENDENT
  for (ptrdiff_t i = 0; i < count; ++i) y[i] = (float)from[i];
}

CK_CLONES void ck_narrow_half(void *y, const float *x, ptrdiff_t count) {
  _Float16 *to = y;
  CK_INDEPENDENT
  for (ptrdiff_t i = 0; i < count; ++i) to[i] = (_Float16)x[i];
}
