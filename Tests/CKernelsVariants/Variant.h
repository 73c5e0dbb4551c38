// All kernels once more, compiled as the including file says by CK_CLONES, under names that it gives by CK_RENAMED.
//
// A kernel that isn't renamed here exists twice, which the linker refuses; it belongs into CK_EVERY_KERNEL, too.
#define ck_gelu_forward CK_RENAMED(gelu_forward)
#define ck_gelu_backward CK_RENAMED(gelu_backward)
#define ck_gelu_tanh_forward CK_RENAMED(gelu_tanh_forward)
#define ck_gelu_tanh_backward CK_RENAMED(gelu_tanh_backward)
#define ck_relu_forward CK_RENAMED(relu_forward)
#define ck_relu_backward CK_RENAMED(relu_backward)
#define ck_swish_forward CK_RENAMED(swish_forward)
#define ck_swish_backward CK_RENAMED(swish_backward)
#define ck_tanh_forward CK_RENAMED(tanh_forward)
#define ck_tanh_backward CK_RENAMED(tanh_backward)
#define ck_exp CK_RENAMED(exp)
#define ck_log CK_RENAMED(log)
#define ck_sigmoid CK_RENAMED(sigmoid)
#define ck_softplus CK_RENAMED(softplus)
#define ck_multiply CK_RENAMED(multiply)
#define ck_add CK_RENAMED(add)
#define ck_scale CK_RENAMED(scale)
#define ck_softmax_forward CK_RENAMED(softmax_forward)
#define ck_softmax_backward CK_RENAMED(softmax_backward)
#define ck_maximum CK_RENAMED(maximum)
#define ck_exp_sum CK_RENAMED(exp_sum)
#define ck_layer_norm_forward CK_RENAMED(layer_norm_forward)
#define ck_residual_layer_norm_forward CK_RENAMED(residual_layer_norm_forward)
#define ck_layer_norm_backward CK_RENAMED(layer_norm_backward)
#define ck_l2_forward CK_RENAMED(l2_forward)
#define ck_l2_backward CK_RENAMED(l2_backward)
#define ck_embedding_forward CK_RENAMED(embedding_forward)
#define ck_dropout CK_RENAMED(dropout)
#define ck_sum_of_squares CK_RENAMED(sum_of_squares)
#define ck_column_sums CK_RENAMED(column_sums)
#define ck_small_product CK_RENAMED(small_product)
#define ck_widen_half CK_RENAMED(widen_half)
#define ck_narrow_half CK_RENAMED(narrow_half)
#define ck_collect_above CK_RENAMED(collect_above)
#define ck_keep_largest CK_RENAMED(keep_largest)
#define ck_sparse_lanes CK_RENAMED(sparse_lanes)
#define ck_lane_moments CK_RENAMED(lane_moments)
#define ck_lane_add CK_RENAMED(lane_add)
#define ck_adamw CK_RENAMED(adamw)

#include "../../Sources/CKernels/Activation.c"
#include "../../Sources/CKernels/Elementwise.c"
#include "../../Sources/CKernels/Half.c"
#include "../../Sources/CKernels/Lanes.c"
#include "../../Sources/CKernels/Normalization.c"
#include "../../Sources/CKernels/Optimizer.c"
#include "../../Sources/CKernels/Reduction.c"
#include "../../Sources/CKernels/Selection.c"
#include "../../Sources/CKernels/SmallProduct.c"
#include "../../Sources/CKernels/Softmax.c"

// After the definitions, whose types it asks for.
#include "CKernelsVariants.h"
