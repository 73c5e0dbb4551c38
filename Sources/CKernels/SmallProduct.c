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
  _Pragma("clang loop unroll(full)") for (int r = 0; r < ROWS; ++r) {                           \
    /* A single column is summed four times over: the same order as among four. */              \
    ck_v4 totals = CK_FOUR_SUMS##LANES(sums[r][0], sums[r][1 % COLUMNS], sums[r][2 % COLUMNS],   \
                                       sums[r][3 % COLUMNS]);                                   \
    _Pragma("clang loop unroll(full)") for (int c = 0; c < COLUMNS; ++c) {                      \
      float total = totals[c];                                                                  \
      for (ptrdiff_t j = i; j < k; ++j) total += x[r * k + j] * w[c * k + j];                   \
      y[r * stride + c] = bias ? total + bias[c] : total;                                       \
    }                                                                                           \
  }

typedef float ck_v4 __attribute__((vector_size(16), aligned(4)));
typedef float ck_v8 __attribute__((vector_size(32), aligned(4)));
typedef float ck_v16 __attribute__((vector_size(64), aligned(4)));

// The sums of four vectors' lanes, as four lanes. Within each quarter lanes 0 and 2 are added, 1 and 3, and then the two; then
// the quarters by halves. Lanes of several vectors move together: a fourth of what summing them one by one takes.
#define CK_FOUR_SUMS4(a, b, c, d)                                        \
  ({                                                                     \
    ck_v4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5) + __builtin_shufflevector(a, b, 2, 6, 3, 7); \
    ck_v4 cd = __builtin_shufflevector(c, d, 0, 4, 1, 5) + __builtin_shufflevector(c, d, 2, 6, 3, 7); \
    __builtin_shufflevector(ab, cd, 0, 1, 4, 5) + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);        \
  })
#define CK_FOUR_SUMS8(a, b, c, d)                                                    \
  ({                                                                                 \
    ck_v8 ab = __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13) +             \
               __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15);            \
    ck_v8 cd = __builtin_shufflevector(c, d, 0, 8, 1, 9, 4, 12, 5, 13) +             \
               __builtin_shufflevector(c, d, 2, 10, 3, 11, 6, 14, 7, 15);            \
    ck_v8 all = __builtin_shufflevector(ab, cd, 0, 1, 8, 9, 4, 5, 12, 13) +          \
                __builtin_shufflevector(ab, cd, 2, 3, 10, 11, 6, 7, 14, 15);         \
    __builtin_shufflevector(all, all, 0, 1, 2, 3) + __builtin_shufflevector(all, all, 4, 5, 6, 7); \
  })
#define CK_FOUR_SUMS16(a, b, c, d)                                                                      \
  ({                                                                                                    \
    ck_v16 ab = __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29) + \
                __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31); \
    ck_v16 cd = __builtin_shufflevector(c, d, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29) + \
                __builtin_shufflevector(c, d, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31); \
    ck_v16 all = __builtin_shufflevector(ab, cd, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) + \
                 __builtin_shufflevector(ab, cd, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31); \
    ck_v8 half = __builtin_shufflevector(all, all, 0, 1, 2, 3, 4, 5, 6, 7) +                            \
                 __builtin_shufflevector(all, all, 8, 9, 10, 11, 12, 13, 14, 15);                       \
    __builtin_shufflevector(half, half, 0, 1, 2, 3) + __builtin_shufflevector(half, half, 4, 5, 6, 7);  \
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
