// The element-wise loops that need the processor's vector width, for Float only.
//
// Those of layers have a generic Swift twin in the target Kernels, which says what they compute. All
// matrices are row-major. Where an output may be the same array as an input, "may alias" says so
// (the very same address, never a shifted one). Rows are computed one by one in one order, so that
// a row's result doesn't depend on its neighbours.
#pragma once
#include <sched.h>
#include <stddef.h>
#include <stdint.h>

// Between two looks at what another thread writes: tells the processor, or lets other threads run.
static inline void ck_spin_hint(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}
static inline void ck_yield(void) { sched_yield(); }

// What this processor and its operating system offer of x86's vector instructions, as a set of bits.
enum { CK_AVX = 1, CK_FMA4 = 2, CK_X86_64_V3 = 4, CK_X86_64_V4 = 8 };
int ck_processor_features(void);

// Activations: y = f(z), and dz = dy * f'(z). y may alias z, dz may alias dy.
void ck_gelu_forward(float *y, const float *z, ptrdiff_t count);
void ck_gelu_backward(float *dz, const float *dy, const float *z, ptrdiff_t count);
void ck_gelu_tanh_forward(float *y, const float *z, ptrdiff_t count);
void ck_gelu_tanh_backward(float *dz, const float *dy, const float *z, ptrdiff_t count);
void ck_relu_forward(float *y, const float *z, ptrdiff_t count);
void ck_relu_backward(float *dz, const float *dy, const float *z, ptrdiff_t count);
void ck_swish_forward(float *y, const float *z, ptrdiff_t count);
void ck_swish_backward(float *dz, const float *dy, const float *z, ptrdiff_t count);
void ck_tanh_forward(float *y, const float *z, ptrdiff_t count);
void ck_tanh_backward(float *dz, const float *dy, const float *z, ptrdiff_t count);

// Functions of one number; y may alias x.
void ck_exp(float *y, const float *x, ptrdiff_t count);
void ck_log(float *y, const float *x, ptrdiff_t count);
void ck_sigmoid(float *y, const float *x, ptrdiff_t count);
void ck_softplus(float *y, const float *x, ptrdiff_t count);

// y *= x; y += x; y *= factor.
void ck_multiply(float *y, const float *x, ptrdiff_t count);
void ck_add(float *y, const float *x, ptrdiff_t count);
void ck_scale(float *y, float factor, ptrdiff_t count);

// Softmax of scale * x in every row, scale > 0; y may alias x, dx may alias dy.
void ck_softmax_forward(float *y, const float *x, ptrdiff_t rows, ptrdiff_t width, float scale);
void ck_softmax_backward(float *dx, const float *dy, const float *y, ptrdiff_t rows, ptrdiff_t width,
                         float scale);
// The largest x, NaN left aside; -infinity for none.
float ck_maximum(const float *x, ptrdiff_t count);
// The sum of exp(x - maximum); stores the terms in y unless y is NULL. y may alias x.
float ck_exp_sum(float *y, const float *x, ptrdiff_t count, float maximum);

// Layer normalisation. `sum` may alias x or residual, x_bias may be NULL, dx may alias dy unless
// `accumulate`, dweight and dbias may be NULL.
void ck_layer_norm_forward(float *y, float *mean, float *rstd, const float *x, const float *weight,
                           const float *bias, ptrdiff_t rows, ptrdiff_t width, float epsilon);
void ck_residual_layer_norm_forward(float *y, float *sum, float *mean, float *rstd, const float *x,
                                    const float *residual, const float *x_bias, const float *weight,
                                    const float *bias, ptrdiff_t rows, ptrdiff_t width, float epsilon);
void ck_layer_norm_backward(float *dx, int accumulate, float *dweight, float *dbias, const float *dy,
                            const float *x, const float *mean, const float *rstd, const float *weight,
                            ptrdiff_t rows, ptrdiff_t width);

// L2 normalisation; y may alias x; norm receives max(||x||, epsilon).
void ck_l2_forward(float *y, float *norm, const float *x, ptrdiff_t rows, ptrdiff_t width, float epsilon);
void ck_l2_backward(float *dx, int accumulate, const float *dy, const float *y, const float *norm,
                    ptrdiff_t rows, ptrdiff_t width, float epsilon);

// y[t] = word[ids[t]] + position[positions[t]] + type[types[t]]; types may be NULL (all 0).
void ck_embedding_forward(float *y, const int32_t *ids, const int32_t *positions, const int32_t *types,
                          const float *word, const float *position, const float *type, ptrdiff_t rows,
                          ptrdiff_t width);

// Keeps element i, scaled, when the hash of key and first + i is at least threshold; else 0.
void ck_dropout(float *x, ptrdiff_t count, uint32_t first, uint32_t key_low, uint32_t key_high,
                uint32_t threshold, float scale);

// sum of x * x in double; into[j] += sum over rows of x[row][j].
double ck_sum_of_squares(const float *x, ptrdiff_t count);
void ck_column_sums(float *into, const float *x, ptrdiff_t rows, ptrdiff_t columns);

// y[r * stride + c] = sum over k of x[r][k] * w[c][k] (+ bias[c] unless NULL), for few rows.
void ck_small_product(float *y, ptrdiff_t stride, const float *x, const float *w, const float *bias,
                      ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t k);

// Half precision (IEEE binary16) to single and back, to the nearest, ties to even.
void ck_widen_half(float *y, const void *x, ptrdiff_t count);
void ck_narrow_half(void *y, const float *x, ptrdiff_t count);

// Adds a key for each of x[start..<count] above `bound` to `keys`, whose `kept` keys become more, and stops after the
// block of 32 that reaches `limit`: keys has room for limit + 32. Keys order like (number, lower index), where the
// index of x[0] is `first`: the upper half is the number's bits made monotone, the lower the inverted index. Returns
// the place of the next number to look at.
ptrdiff_t ck_collect_above(uint64_t *keys, ptrdiff_t *kept, ptrdiff_t limit, const float *x, ptrdiff_t start,
                           ptrdiff_t count, float bound, uint32_t first);

// Keeps the largest of `count` keys, all different and not 0: at least `least` and at most `most` of them, where
// 1 <= least <= most < count. Their order stays. Returns how many, and a bound that they, and no others, are above.
ptrdiff_t ck_keep_largest(uint64_t *keys, ptrdiff_t count, ptrdiff_t least, ptrdiff_t most, uint64_t *bound);

// Lanes: vectors beside each other, element i of lane l at i * lanes + l; lanes is one of these two. What is computed of a
// lane doesn't depend on the others.
#define CK_LANES 16
#define CK_FEW_LANES 4

// y = S x for a sparse S of `rows` rows, each summed in the order of its entries.
void ck_sparse_lanes(float *y, const float *x, const ptrdiff_t *offsets, const int32_t *columns,
                     const float *values, ptrdiff_t rows, int lanes);
// For each lane the sum of x * mask over the rows, and the sum of its squares; without a mask all rows count.
void ck_lane_moments(double *sums, double *squares, const float *x, const float *mask, ptrdiff_t rows, int lanes);
// y += (x - shift[lane]) * scale[lane] * coefficients[row].
void ck_lane_add(float *y, const float *x, const float *shift, const float *scale, const float *coefficients,
                 ptrdiff_t rows, int lanes);

// One AdamW step. `keep` = 1 - lr * decay, `step_size` = lr / (1 - beta1^t),
// `root_correction` = sqrt(1 - beta2^t).
void ck_adamw(float *parameters, const float *gradients, float *first, float *second, ptrdiff_t count,
              float gradient_scale, float keep, float one_minus_beta1, float beta2,
              float one_minus_beta2, float step_size, float root_correction, float epsilon);
