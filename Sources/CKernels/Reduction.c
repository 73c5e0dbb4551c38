#include "CKernels.h"
#include "VectorMath.h"

CK_CLONES double ck_sum_of_squares(const float *x, ptrdiff_t count) {
  double sum = 0.0;
  CK_INDEPENDENT
  for (ptrdiff_t i = 0; i < count; ++i) CK_ADD(sum, (double)x[i] * (double)x[i]);
  return sum;
}

// Four rows at a time: a quarter of the traffic on `into`, and smaller rounding errors.
CK_CLONES void ck_column_sums(float *into, const float *x, ptrdiff_t rows, ptrdiff_t columns) {
  ptrdiff_t row = 0;
  for (; row + 4 <= rows; row += 4, x += 4 * columns) {
    const float *b = x + columns, *c = b + columns, *d = c + columns;
    CK_INDEPENDENT
    for (ptrdiff_t j = 0; j < columns; ++j) into[j] += (x[j] + b[j]) + (c[j] + d[j]);
  }
  for (; row < rows; ++row, x += columns) {
    CK_INDEPENDENT
    for (ptrdiff_t j = 0; j < columns; ++j) into[j] += x[j];
  }
}
