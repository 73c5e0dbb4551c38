#include "CKernels.h"
#include "VectorMath.h"

// The bits of a float as an integer of the same order, and back: only integer maxima become vector
// code without promises about NaN. A positive NaN is the largest of all.
CK_INLINE int32_t ordered(float x) {
  int32_t bits = (int32_t)ck_bits(x);
  return bits ^ ((bits >> 31) & 0x7FFFFFFF);
}

CK_INLINE float from_ordered(int32_t x) {
  return ck_from_bits((uint32_t)(x ^ ((x >> 31) & 0x7FFFFFFF)));
}

CK_INLINE int32_t ordered_maximum(const float *x, ptrdiff_t count) {
  int32_t maximum = ordered(-INFINITY);
  for (ptrdiff_t j = 0; j < count; ++j) {
    int32_t value = ordered(x[j]);
    maximum = value > maximum ? value : maximum;
  }
  return maximum;
}

// Attention rows are as short as a sentence: blocks of 8 leave less to the scalar remainder.
CK_CLONES void ck_softmax_forward(float *y, const float *x, ptrdiff_t rows, ptrdiff_t width, float scale) {
  for (ptrdiff_t row = 0; row < rows; ++row, y += width, x += width) {
    float maximum = from_ordered(ordered_maximum(x, width));
    float sum = 0.0f;
#pragma clang loop vectorize(assume_safety) vectorize_width(8) interleave(disable)
    for (ptrdiff_t j = 0; j < width; ++j) {
      float e = ck_exp1((x[j] - maximum) * scale);
      y[j] = e;
      CK_ADD(sum, e);
    }
    float inverse = 1.0f / sum;
    CK_INDEPENDENT
    for (ptrdiff_t j = 0; j < width; ++j) y[j] = y[j] * inverse;
  }
}

CK_CLONES void ck_softmax_backward(float *dx, const float *dy, const float *y, ptrdiff_t rows,
                                   ptrdiff_t width, float scale) {
  for (ptrdiff_t row = 0; row < rows; ++row, dx += width, dy += width, y += width) {
    float mean = 0.0f;
    CK_INDEPENDENT
    for (ptrdiff_t j = 0; j < width; ++j) CK_ADD(mean, dy[j] * y[j]);
    CK_INDEPENDENT
    for (ptrdiff_t j = 0; j < width; ++j) dx[j] = (dy[j] - mean) * (y[j] * scale);
  }
}

CK_CLONES float ck_maximum(const float *x, ptrdiff_t count) {
  return from_ordered(ordered_maximum(x, count));
}

CK_CLONES float ck_exp_sum(float *y, const float *x, ptrdiff_t count, float maximum) {
  float sum = 0.0f;
  if (y) {
    CK_INDEPENDENT
    for (ptrdiff_t j = 0; j < count; ++j) {
      float e = ck_exp1(x[j] - maximum);
      y[j] = e;
      CK_ADD(sum, e);
    }
  } else {
    CK_INDEPENDENT
    for (ptrdiff_t j = 0; j < count; ++j) CK_ADD(sum, ck_exp1(x[j] - maximum));
  }
  return sum;
}
