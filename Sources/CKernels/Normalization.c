#include "CKernels.h"
#include "VectorMath.h"

CK_INLINE float row_sum(const float *x, ptrdiff_t count) {
  float sum = 0.0f;
  CK_INDEPENDENT
  for (ptrdiff_t j = 0; j < count; ++j) CK_ADD(sum, x[j]);
  return sum;
}

CK_INLINE float row_dot(const float *x, const float *y, ptrdiff_t count) {
  float sum = 0.0f;
  CK_INDEPENDENT
  for (ptrdiff_t j = 0; j < count; ++j) CK_ADD(sum, x[j] * y[j]);
  return sum;
}

// Mean, then squared deviations from it: two passes, the row stays in the first-level cache.
CK_INLINE void normalize_row(float *y, float *mean_out, float *rstd_out, const float *x,
                             const float *weight, const float *bias, ptrdiff_t width, float epsilon) {
  float mean = row_sum(x, width) / (float)width;
  float squares = 0.0f;
  CK_INDEPENDENT
  for (ptrdiff_t j = 0; j < width; ++j) CK_ADD(squares, (x[j] - mean) * (x[j] - mean));
  float rstd = 1.0f / __builtin_elementwise_sqrt(squares / (float)width + epsilon);
  CK_INDEPENDENT
  for (ptrdiff_t j = 0; j < width; ++j) {
    float normal = (x[j] - mean) * rstd;
    y[j] = normal * weight[j] + bias[j];
  }
  *mean_out = mean;
  *rstd_out = rstd;
}

CK_CLONES void ck_layer_norm_forward(float *y, float *mean, float *rstd, const float *x,
                                     const float *weight, const float *bias, ptrdiff_t rows,
                                     ptrdiff_t width, float epsilon) {
  for (ptrdiff_t row = 0; row < rows; ++row, y += width, x += width)
    normalize_row(y, mean + row, rstd + row, x, weight, bias, width, epsilon);
}

CK_CLONES void ck_residual_layer_norm_forward(float *y, float *sum, float *mean, float *rstd,
                                              const float *x, const float *residual,
                                              const float *x_bias, const float *weight,
                                              const float *bias, ptrdiff_t rows, ptrdiff_t width,
                                              float epsilon) {
  for (ptrdiff_t row = 0; row < rows; ++row, y += width, sum += width, x += width, residual += width) {
    if (x_bias) {
      CK_INDEPENDENT
      for (ptrdiff_t j = 0; j < width; ++j) sum[j] = (x[j] + x_bias[j]) + residual[j];
    } else {
      CK_INDEPENDENT
      for (ptrdiff_t j = 0; j < width; ++j) sum[j] = x[j] + residual[j];
    }
    normalize_row(y, mean + row, rstd + row, sum, weight, bias, width, epsilon);
  }
}

// With g = dy * weight and n = (x - mean) * rstd: dx = rstd * (g - mean(g) - n * mean(g * n)).
CK_CLONES void ck_layer_norm_backward(float *dx, int accumulate, float *dweight, float *dbias,
                                      const float *dy, const float *x, const float *mean,
                                      const float *rstd, const float *weight, ptrdiff_t rows,
                                      ptrdiff_t width) {
  for (ptrdiff_t row = 0; row < rows; ++row, dx += width, dy += width, x += width) {
    float m = mean[row], r = rstd[row];
    float sum = 0.0f, product = 0.0f;
    CK_INDEPENDENT
    for (ptrdiff_t j = 0; j < width; ++j) {
      float g = dy[j] * weight[j];
      CK_ADD(sum, g);
      CK_ADD(product, g * (x[j] - m));
    }
    if (dweight) {
      CK_INDEPENDENT
      for (ptrdiff_t j = 0; j < width; ++j) dweight[j] += dy[j] * ((x[j] - m) * r);
    }
    if (dbias) {
      CK_INDEPENDENT
      for (ptrdiff_t j = 0; j < width; ++j) dbias[j] += dy[j];
    }
    float shift = sum / (float)width;
    float slope = product * r * r / (float)width;
    if (accumulate) {
      CK_INDEPENDENT
      for (ptrdiff_t j = 0; j < width; ++j) {
        float g = dy[j] * weight[j] - shift;
        dx[j] += r * (g - (x[j] - m) * slope);
      }
    } else {
      CK_INDEPENDENT
      for (ptrdiff_t j = 0; j < width; ++j) {
        float g = dy[j] * weight[j] - shift;
        dx[j] = r * (g - (x[j] - m) * slope);
      }
    }
  }
}

CK_CLONES void ck_l2_forward(float *y, float *norm, const float *x, ptrdiff_t rows, ptrdiff_t width,
                             float epsilon) {
  for (ptrdiff_t row = 0; row < rows; ++row, y += width, x += width) {
    float length = __builtin_elementwise_sqrt(row_dot(x, x, width));
    // Written so that a NaN stays one.
    length = length < epsilon ? epsilon : length;
    CK_INDEPENDENT
    for (ptrdiff_t j = 0; j < width; ++j) y[j] = x[j] / length;
    norm[row] = length;
  }
}

// A row shorter than epsilon was only scaled, so it has no projection term.
CK_CLONES void ck_l2_backward(float *dx, int accumulate, const float *dy, const float *y,
                              const float *norm, ptrdiff_t rows, ptrdiff_t width, float epsilon) {
  for (ptrdiff_t row = 0; row < rows; ++row, dx += width, dy += width, y += width) {
    float projection = norm[row] <= epsilon ? 0.0f : row_dot(dy, y, width);
    float inverse = 1.0f / norm[row];
    if (accumulate) {
      CK_INDEPENDENT
      for (ptrdiff_t j = 0; j < width; ++j) dx[j] += (dy[j] - projection * y[j]) * inverse;
    } else {
      CK_INDEPENDENT
      for (ptrdiff_t j = 0; j < width; ++j) dx[j] = (dy[j] - projection * y[j]) * inverse;
    }
  }
}
