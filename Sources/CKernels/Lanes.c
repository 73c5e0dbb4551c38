#include "CKernels.h"
#include "VectorMath.h"

// Vectors of several users beside each other, a lane a user: element i of lane l at i * lanes + l. Each loaded weight
// then serves all of them. Sixteen lanes fill a cache line; four are enough for few users and fit smaller caches.

#define CK_BY_LANES(CALL)   \
  if (lanes == CK_LANES) {  \
    CALL(CK_LANES)          \
  } else {                  \
    CALL(CK_FEW_LANES)      \
  }

CK_INLINE void sparse_in_lanes(float *y, const float *x, const ptrdiff_t *offsets, const int32_t *columns,
                      const float *values, ptrdiff_t rows, const int lanes) {
  for (ptrdiff_t row = 0; row < rows; ++row) {
    float sums[CK_LANES] = {0};
    for (ptrdiff_t n = offsets[row]; n < offsets[row + 1]; ++n) {
      const float *source = x + lanes * (ptrdiff_t)columns[n];
      CK_INDEPENDENT
      for (int lane = 0; lane < lanes; ++lane) sums[lane] += values[n] * source[lane];
    }
    CK_INDEPENDENT
    for (int lane = 0; lane < lanes; ++lane) y[lanes * row + lane] = sums[lane];
  }
}

CK_CLONES void ck_sparse_lanes(float *y, const float *x, const ptrdiff_t *offsets, const int32_t *columns,
                               const float *values, ptrdiff_t rows, int lanes) {
#define CK_CALL(LANES) sparse_in_lanes(y, x, offsets, columns, values, rows, LANES);
  CK_BY_LANES(CK_CALL)
#undef CK_CALL
}

// Sums of 256 rows in Float, of those in Double: exact enough, and whole vectors at a time.
CK_INLINE void moments_of_lanes(double *sums, double *squares, const float *x, const float *mask, ptrdiff_t rows,
                       const int lanes) {
  for (int lane = 0; lane < lanes; ++lane) sums[lane] = squares[lane] = 0;
  for (ptrdiff_t first = 0; first < rows; first += 256) {
    ptrdiff_t end = first + 256 < rows ? first + 256 : rows;
    float sum[CK_LANES] = {0}, square[CK_LANES] = {0};
    for (ptrdiff_t row = first; row < end; ++row) {
      float factor = mask ? mask[row] : 1;
      CK_INDEPENDENT
      for (int lane = 0; lane < lanes; ++lane) {
        float value = x[lanes * row + lane] * factor;
        sum[lane] += value;
        square[lane] += value * value;
      }
    }
    for (int lane = 0; lane < lanes; ++lane) {
      sums[lane] += sum[lane];
      squares[lane] += square[lane];
    }
  }
}

CK_CLONES void ck_lane_moments(double *sums, double *squares, const float *x, const float *mask, ptrdiff_t rows,
                               int lanes) {
#define CK_CALL(LANES) moments_of_lanes(sums, squares, x, mask, rows, LANES);
  CK_BY_LANES(CK_CALL)
#undef CK_CALL
}

CK_INLINE void add_to_lanes(float *y, const float *x, const float *shift, const float *scale, const float *coefficients,
                   ptrdiff_t rows, const int lanes) {
  for (ptrdiff_t row = 0; row < rows; ++row) {
    float coefficient = coefficients[row];
    CK_INDEPENDENT
    for (int lane = 0; lane < lanes; ++lane)
      y[lanes * row + lane] += (x[lanes * row + lane] - shift[lane]) * scale[lane] * coefficient;
  }
}

CK_CLONES void ck_lane_add(float *y, const float *x, const float *shift, const float *scale,
                           const float *coefficients, ptrdiff_t rows, int lanes) {
#define CK_CALL(LANES) add_to_lanes(y, x, shift, scale, coefficients, rows, LANES);
  CK_BY_LANES(CK_CALL)
#undef CK_CALL
}
