#include "CKernels.h"
#include "VectorMath.h"

enum { lanes = 16 };

// Lane by lane, because a plain maximum of floats isn't vectorised (the order matters for NaN).
CK_INLINE float row_maximum(const float *x, ptrdiff_t count) {
  float lane[lanes];
  for (int l = 0; l < lanes; ++l) lane[l] = -INFINITY;
  ptrdiff_t j = 0;
  for (; j + lanes <= count; j += lanes)
    for (int l = 0; l < lanes; ++l) lane[l] = x[j + l] > lane[l] ? x[j + l] : lane[l];
  for (int l = 0; j + l < count; ++l) lane[l] = x[j + l] > lane[l] ? x[j + l] : lane[l];
  for (int width = lanes / 2; width > 0; width /= 2)
    for (int l = 0; l < width; ++l) lane[l] = lane[l + width] > lane[l] ? lane[l + width] : lane[l];
  return lane[0];
}

CK_CLONES void ck_softmax_forward(float *y, const float *x, ptrdiff_t rows, ptrdiff_t width, float scale) {
  for (ptrdiff_t row = 0; row < rows; ++row, y += width, x += width) {
    float maximum = row_maximum(x, width);
    float sum = 0.0f;
    {
#pragma clang fp reassociate(on)
      CK_INDEPENDENT_SHORT
      for (ptrdiff_t j = 0; j < width; ++j) {
        float e = ck_exp1((x[j] - maximum) * scale);
        y[j] = e;
        sum += e;
      }
    }
    float inverse = 1.0f / sum;
    CK_INDEPENDENT_SHORT
    for (ptrdiff_t j = 0; j < width; ++j) y[j] = y[j] * inverse;
  }
}

CK_CLONES void ck_softmax_backward(float *dx, const float *dy, const float *y, ptrdiff_t rows,
                                   ptrdiff_t width, float scale) {
  for (ptrdiff_t row = 0; row < rows; ++row, dx += width, dy += width, y += width) {
    float mean = 0.0f;
    {
#pragma clang fp reassociate(on)
      CK_INDEPENDENT_SHORT
      for (ptrdiff_t j = 0; j < width; ++j) mean += dy[j] * y[j];
    }
    CK_INDEPENDENT_SHORT
    for (ptrdiff_t j = 0; j < width; ++j) dx[j] = (dy[j] - mean) * (y[j] * scale);
  }
}

CK_CLONES float ck_maximum(const float *x, ptrdiff_t count) { return row_maximum(x, count); }

CK_CLONES float ck_exp_sum(float *y, const float *x, ptrdiff_t count, float maximum) {
  float sum = 0.0f;
  if (y) {
#pragma clang fp reassociate(on)
    CK_INDEPENDENT
    for (ptrdiff_t j = 0; j < count; ++j) {
      float e = ck_exp1(x[j] - maximum);
      y[j] = e;
      sum += e;
    }
  } else {
#pragma clang fp reassociate(on)
    CK_INDEPENDENT
    for (ptrdiff_t j = 0; j < count; ++j) sum += ck_exp1(x[j] - maximum);
  }
  return sum;
}
