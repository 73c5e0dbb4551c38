#include "CKernels.h"
#include "VectorMath.h"

// Orders like the number, then by the lower index: the bits made monotone above the inverted index.
static inline uint64_t ck_rank_key(float x, uint32_t index) {
  union {
    float value;
    uint32_t bits;
  } number = {x == 0 ? 0 : x};  // -0 equals 0
  uint32_t monotone = number.bits >> 31 ? ~number.bits : number.bits | 0x80000000u;
  return (uint64_t)monotone << 32 | (uint32_t)~index;
}

// A block without a hit costs its comparisons alone; in the others a mask of the hits is walked, since a
// branch a number would be mispredicted at nearly every hit.
CK_CLONES ptrdiff_t ck_collect_above(uint64_t *keys, ptrdiff_t *kept, ptrdiff_t limit, const float *x, ptrdiff_t start,
                                     ptrdiff_t count, float bound, uint32_t first) {
  ptrdiff_t n = *kept, i = start;
  for (; i + 32 <= count && n < limit; i += 32) {
    int32_t hits = 0;
    for (ptrdiff_t j = i; j < i + 32; ++j) hits |= x[j] > bound ? 1 : 0;
    if (!hits) continue;
    uint32_t mask = 0;
    for (int j = 0; j < 32; ++j) mask |= x[i + j] > bound ? 1u << j : 0;
    for (; mask; mask &= mask - 1) {
      ptrdiff_t j = i + __builtin_ctz(mask);
      keys[n++] = ck_rank_key(x[j], first + (uint32_t)j);
    }
  }
  for (; n < limit && i < count; ++i)
    if (x[i] > bound) keys[n++] = ck_rank_key(x[i], first + (uint32_t)i);
  *kept = n;
  return i;
}

CK_CLONES static ptrdiff_t count_above(const uint64_t *keys, ptrdiff_t count, uint64_t bound) {
  ptrdiff_t above = 0;
  for (ptrdiff_t i = 0; i < count; ++i) above += keys[i] > bound;
  return above;
}

// Bisects the bound instead of partitioning the keys: counting has no branches to mispredict.
ptrdiff_t ck_keep_largest(uint64_t *keys, ptrdiff_t count, ptrdiff_t least, ptrdiff_t most, uint64_t *bound) {
  uint64_t low = UINT64_MAX, high = 0;
  for (ptrdiff_t i = 0; i < count; ++i) {
    if (keys[i] < low) low = keys[i];
    if (keys[i] > high) high = keys[i];
  }
  low = low > 0 ? low - 1 : 0;
  // More than `most` are above low, fewer than `least` above high. The keys differ, so that the count falls by one
  // at a time in between.
  uint64_t middle = low;
  while (high - low > 1) {
    middle = low + (high - low) / 2;
    ptrdiff_t above = count_above(keys, count, middle);
    if (above > most)
      low = middle;
    else if (above < least)
      high = middle;
    else
      break;
  }
  ptrdiff_t kept = 0;
  for (ptrdiff_t i = 0; i < count; ++i) {
    keys[kept] = keys[i];
    kept += keys[i] > middle;
  }
  *bound = middle;
  return kept;
}
