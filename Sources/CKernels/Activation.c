#include "CKernels.h"
#include "VectorMath.h"

CK_INLINE float gelu(float z) { return z * ck_normal1(z, ck_exp1(-0.5f * z * z)); }

CK_INLINE float gelu_slope(float z) {
  float e = ck_exp1(-0.5f * z * z);
  float density = e * 0.3989422804f;
  return z * density + ck_normal1(z, e);
}

// (1 + tanh(u)) / 2 is the sigmoid of 2u, which keeps its accuracy where tanh(u) is near -1.
CK_INLINE float gelu_tanh(float z) {
  float inner = 0.044715f * (z * z * z) + z;
  return z * ck_sigmoid1(1.5957691216f * inner);
}

// sigmoid(u) + z * sigmoid'(u) * bend, where u is a function of z and bend its derivative. With
// e = exp(-|u|) the derivative is e / (1 + e)^2, which doesn't cancel.
CK_INLINE float gated_slope(float z, float u, float bend) {
  float e = ck_exp1(-__builtin_fabsf(u));
  float d = 1.0f / (1.0f + e);
  float gate = u < 0.0f ? e * d : d;
  float slope = e * d * d * bend;
  return z * slope + gate;
}

CK_INLINE float gelu_tanh_slope(float z) {
  float inner = 0.044715f * (z * z * z) + z;
  float bend = 0.134145f * (z * z) + 1.0f;
  return gated_slope(z, 1.5957691216f * inner, 1.5957691216f * bend);
}

CK_INLINE float swish(float z) { return z * ck_sigmoid1(z); }

CK_INLINE float swish_slope(float z) { return gated_slope(z, z, 1.0f); }

// 1 - tanh(z)^2 as 4e / (1 + e)^2, which doesn't cancel.
CK_INLINE float tanh_slope(float z) {
  float e = ck_exp1(-2.0f * __builtin_fabsf(z));
  float d = 2.0f / (1.0f + e);
  return e * d * d;
}

#define CK_ACTIVATION(NAME, VALUE, SLOPE)                                                         \
  CK_CLONES void ck_##NAME##_forward(float *y, const float *z, ptrdiff_t count) {                 \
    CK_INDEPENDENT                                                                                \
    for (ptrdiff_t i = 0; i < count; ++i) y[i] = VALUE;                                           \
  }                                                                                               \
  CK_CLONES void ck_##NAME##_backward(float *dz, const float *dy, const float *z, ptrdiff_t count) { \
    CK_INDEPENDENT                                                                                \
    for (ptrdiff_t i = 0; i < count; ++i) dz[i] = dy[i] * (SLOPE);                                \
  }

CK_ACTIVATION(gelu, gelu(z[i]), gelu_slope(z[i]))
CK_ACTIVATION(gelu_tanh, gelu_tanh(z[i]), gelu_tanh_slope(z[i]))
CK_ACTIVATION(relu, (z[i] < 0.0f ? 0.0f : z[i]), (z[i] > 0.0f ? 1.0f : 0.0f))
CK_ACTIVATION(swish, swish(z[i]), swish_slope(z[i]))
CK_ACTIVATION(tanh, ck_tanh1(z[i]), tanh_slope(z[i]))
