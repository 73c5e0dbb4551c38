#include "CKernels.h"
#include "VectorMath.h"

CK_CLONES void ck_adamw(float *parameters, const float *gradients, float *first, float *second,
                        ptrdiff_t count, float gradient_scale, float keep, float one_minus_beta1,
                        float beta2, float one_minus_beta2, float step_size, float root_correction,
                        float epsilon) {
  CK_INDEPENDENT
  for (ptrdiff_t i = 0; i < count; ++i) {
    float g = gradients[i] * gradient_scale;
    float m = (g - first[i]) * one_minus_beta1 + first[i];
    float square = g * g * one_minus_beta2;
    float v = second[i] * beta2 + square;
    float scale = __builtin_elementwise_sqrt(v) / root_correction + epsilon;
    first[i] = m;
    second[i] = v;
    parameters[i] = parameters[i] * keep - step_size * (m / scale);
  }
}
