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

// Sixteen lanes fill a cache line, so that each weight that is loaded serves a whole line of `x`.
CK_CLONES void ck_sparse_lanes(float *y, const float *x, const ptrdiff_t *offsets, const int32_t *columns,
                               const float *values, ptrdiff_t rows) {
  for (ptrdiff_t row = 0; row < rows; ++row) {
    float sums[CK_LANES] = {0};
    for (ptrdiff_t n = offsets[row]; n < offsets[row + 1]; ++n) {
      const float *source = x + CK_LANES * (ptrdiff_t)columns[n];
      CK_INDEPENDENT
      for (int lane = 0; lane < CK_LANES; ++lane) sums[lane] += values[n] * source[lane];
    }
    CK_INDEPENDENT
    for (int lane = 0; lane < CK_LANES; ++lane) y[CK_LANES * row + lane] = sums[lane];
  }
}
