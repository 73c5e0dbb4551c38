#include "CKernels.h"
#include "VectorMath.h"

#define CK_MAP(NAME, VALUE)                                             \
  CK_CLONES void NAME(float *y, const float *x, ptrdiff_t count) {      \
    CK_INDEPENDENT                                                      \
    for (ptrdiff_t i = 0; i < count; ++i) y[i] = VALUE;                 \
  }

CK_MAP(ck_exp, ck_exp1(x[i]))
CK_MAP(ck_log, ck_log1(x[i]))
CK_MAP(ck_sigmoid, ck_sigmoid1(x[i]))
CK_MAP(ck_softplus, ck_softplus1(x[i]))
CK_MAP(ck_multiply, y[i] * x[i])
CK_MAP(ck_add, y[i] + x[i])

CK_CLONES void ck_scale(float *y, float factor, ptrdiff_t count) {
  CK_INDEPENDENT
  for (ptrdiff_t i = 0; i < count; ++i) y[i] = y[i] * factor;
}

CK_CLONES void ck_embedding_forward(float *y, const int32_t *ids, const int32_t *positions,
                                    const int32_t *types, const float *word, const float *position,
                                    const float *type, ptrdiff_t rows, ptrdiff_t width) {
  for (ptrdiff_t row = 0; row < rows; ++row, y += width) {
    const float *w = word + ids[row] * width;
    const float *p = position + positions[row] * width;
    const float *t = type + (types ? types[row] : 0) * width;
    CK_INDEPENDENT
    for (ptrdiff_t j = 0; j < width; ++j) y[j] = w[j] + p[j] + t[j];
  }
}

// The finalizer of MurmurHash3 on the counter, with the key mixed in at two places.
CK_CLONES void ck_dropout(float *x, ptrdiff_t count, uint32_t first, uint32_t key_low,
                          uint32_t key_high, uint32_t threshold, float scale) {
  CK_INDEPENDENT
  for (ptrdiff_t i = 0; i < count; ++i) {
    uint32_t h = (first + (uint32_t)i) * 0x9E3779B1u ^ key_low;
    h ^= h >> 16;
    h *= 0x85EBCA6Bu;
    h ^= (h >> 13) ^ key_high;
    h *= 0xC2B2AE35u;
    h ^= h >> 16;
    x[i] = h >= threshold ? x[i] * scale : 0.0f;
  }
}
