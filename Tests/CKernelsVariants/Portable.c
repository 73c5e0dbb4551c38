#define CK_RENAMED(name) ck_portable_##name
#define CK_CLONES
#include "Variant.h"

static const ck_kernels kernels = {CK_EVERY_KERNEL(CK_ENTRY)};

const ck_kernels *ck_kernels_portable(void) { return &kernels; }
