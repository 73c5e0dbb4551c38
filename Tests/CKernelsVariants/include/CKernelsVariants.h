// The kernels of CKernels as several processors run them, so that tests on one machine compare what all compute.
// No product contains this target.
#pragma once
#include "CKernels.h"

// Every kernel, by its name without the prefix.
#define CK_EVERY_KERNEL(DO) \
  DO(gelu_forward) DO(gelu_backward) DO(gelu_tanh_forward) DO(gelu_tanh_backward) DO(relu_forward)             \
  DO(relu_backward) DO(swish_forward) DO(swish_backward) DO(tanh_forward) DO(tanh_backward) DO(exp) DO(log)    \
  DO(sigmoid) DO(softplus) DO(multiply) DO(add) DO(scale) DO(softmax_forward) DO(softmax_backward) DO(maximum) \
  DO(exp_sum) DO(layer_norm_forward) DO(residual_layer_norm_forward) DO(layer_norm_backward) DO(l2_forward)    \
  DO(l2_backward) DO(embedding_forward) DO(dropout) DO(sum_of_squares) DO(column_sums) DO(small_product)       \
  DO(widen_half) DO(narrow_half) DO(collect_above) DO(keep_largest) DO(sparse_lanes) DO(lane_moments)           \
  DO(lane_add) DO(adamw)

#define CK_MEMBER(name) __typeof__(ck_##name) *_Nonnull name;
#define CK_ENTRY(name) .name = ck_##name,

typedef struct {
  CK_EVERY_KERNEL(CK_MEMBER)
} ck_kernels;

// What this machine's processor runs.
const ck_kernels *_Nonnull ck_kernels_chosen(void);
// What a processor without wide vectors and fused operations would run.
const ck_kernels *_Nonnull ck_kernels_portable(void);
// What a processor with AVX2 but not AVX-512 would run; NULL where this one can't.
const ck_kernels *_Nullable ck_kernels_version3(void);
