#include "CKernels.h"
#include "VectorMath.h"

// y = x * w^T + bias for few rows. sgemm copies w into its own layout first, which costs more than the
// product itself when x has the rows of one short text; here w is read once, straight from where it lies.
//
// A tile holds ROWS x COLUMNS running dot products in registers. Each is summed over vectors of k from
// the first to the last, then over the lanes, then over what is left of k: the same order for any number
// of rows or columns, so a row's result doesn't depend on what stands beside it.

#define CK_TILE_BODY(LANES, ROWS, COLUMNS)                                                      \
  typedef float vector __attribute__((vector_size(4 * LANES), aligned(4), may_alias));          \
  vector sums[ROWS][COLUMNS];                                                                   \
  _Pragma("clang loop unroll(full)") for (int r = 0; r < ROWS; ++r)                             \
  _Pragma("clang loop unroll(full)") for (int c = 0; c < COLUMNS; ++c) sums[r][c] = (vector){0}; \
  ptrdiff_t i = 0;                                                                              \
  for (; i + LANES <= k; i += LANES) {                                                          \
    vector b[COLUMNS];                                                                          \
    _Pragma("clang loop unroll(full)") for (int c = 0; c < COLUMNS; ++c)                        \
    {                                                                                           \
      b[c] = *(const vector *)(w + c * k + i);                                                  \
      __builtin_prefetch(w + (c + COLUMNS) * k + i);                                            \
    }                                                                                           \
    _Pragma("clang loop unroll(full)") for (int r = 0; r < ROWS; ++r) {                         \
      vector a = *(const vector *)(x + r * k + i);                                              \
      _Pragma("clang loop unroll(full)") for (int c = 0; c < COLUMNS; ++c)                      \
          sums[r][c] += a * b[c];                                                               \
    }                                                                                           \
  }                                                                                             \
  _Pragma("clang loop unroll(full)") for (int r = 0; r < ROWS; ++r)                             \
  _Pragma("clang loop unroll(full)") for (int c = 0; c < COLUMNS; ++c) {                        \
    float total = CK_LANE_SUM##LANES(sums[r][c]);                                               \
    for (ptrdiff_t j = i; j < k; ++j) total += x[r * k + j] * w[c * k + j];                     \
    y[r * stride + c] = bias ? total + bias[c] : total;                                         \
  }

typedef float ck_v4 __attribute__((vector_size(16), aligned(4)));
typedef float ck_v8 __attribute__((vector_size(32), aligned(4)));

// Halves are added until one lane is left.
#define CK_LANE_SUM4(v) (((v)[0] + (v)[2]) + ((v)[1] + (v)[3]))
#define CK_LANE_SUM8(v)                                                                       \
  ({                                                                                          \
    ck_v4 half = __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7); \
    CK_LANE_SUM4(half);                                                                       \
  })
#define CK_LANE_SUM16(v)                                                     \
  ({                                                                         \
    ck_v8 low = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +      \
                __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15); \
    CK_LANE_SUM8(low);                                                       \
  })

#define CK_SMALL_PRODUCT(NAME, TARGET, LANES, ROWS, COLUMNS)                                         \
  TARGET static void NAME##_tile(float *y, ptrdiff_t stride, const float *x, const float *w,         \
                                 const float *bias, ptrdiff_t k) {                                   \
    CK_TILE_BODY(LANES, ROWS, COLUMNS)                                                               \
  }                                                                                                  \
  TARGET static void NAME##_half(float *y, ptrdiff_t stride, const float *x, const float *w,         \
                                 const float *bias, ptrdiff_t k) {                                   \
    CK_TILE_BODY(LANES, (ROWS / 2), COLUMNS)                                                         \
  }                                                                                                  \
  TARGET static void NAME##_row(float *y, ptrdiff_t stride, const float *x, const float *w,          \
                                const float *bias, ptrdiff_t k) {                                    \
    CK_TILE_BODY(LANES, 1, COLUMNS)                                                                  \
  }                                                                                                  \
  TARGET static void NAME##_element(float *y, ptrdiff_t stride, const float *x, const float *w,      \
                                    const float *bias, ptrdiff_t k) {                                \
    CK_TILE_BODY(LANES, 1, 1)                                                                        \
  }                                                                                                  \
  TARGET static void NAME(float *y, ptrdiff_t stride, const float *x, const float *w,                \
                          const float *bias, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t k) {       \
    ptrdiff_t c = 0;                                                                                 \
    for (; c + COLUMNS <= columns; c += COLUMNS) {                                                   \
      const float *b = bias ? bias + c : bias;                                                       \
      ptrdiff_t r = 0;                                                                               \
      for (; r + ROWS <= rows; r += ROWS)                                                            \
        NAME##_tile(y + r * stride + c, stride, x + r * k, w + c * k, b, k);                         \
      for (; r + ROWS / 2 <= rows; r += ROWS / 2)                                                    \
        NAME##_half(y + r * stride + c, stride, x + r * k, w + c * k, b, k);                         \
      for (; r < rows; ++r) NAME##_row(y + r * stride + c, stride, x + r * k, w + c * k, b, k);      \
    }                                                                                                \
    for (; c < columns; ++c)                                                                         \
      for (ptrdiff_t r = 0; r < rows; ++r)                                                           \
        NAME##_element(y + r * stride + c, stride, x + r * k, w + c * k, bias ? bias + c : bias, k); \
  }

CK_SMALL_PRODUCT(small_product_portable, , 4, 2, 4)

#ifdef CK_DISPATCH
CK_SMALL_PRODUCT(small_product_v3, __attribute__((target("arch=x86-64-v3"))), 8, 2, 4)
CK_SMALL_PRODUCT(small_product_v4, __attribute__((target("arch=x86-64-v4,no-prefer-256-bit"))), 16, 6, 4)

typedef void small_product(float *, ptrdiff_t, const float *, const float *, const float *, ptrdiff_t,
                           ptrdiff_t, ptrdiff_t);

static small_product *chosen(void) {
  if (__builtin_cpu_supports("x86-64-v4")) return small_product_v4;
  if (__builtin_cpu_supports("x86-64-v3")) return small_product_v3;
  return small_product_portable;
}
#endif

void ck_small_product(float *y, ptrdiff_t stride, const float *x, const float *w, const float *bias,
                      ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t k) {
#ifdef CK_DISPATCH
  chosen()(y, stride, x, w, bias, rows, columns, k);
#else
  small_product_portable(y, stride, x, w, bias, rows, columns, k);
#endif
}

void ck_small_product_portable(float *y, ptrdiff_t stride, const float *x, const float *w,
                               const float *bias, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t k) {
  small_product_portable(y, stride, x, w, bias, rows, columns, k);
}
