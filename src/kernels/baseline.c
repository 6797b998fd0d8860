/* The kernels for the least that the architecture guarantees (SSE2 on x86-64, NEON on AArch64). */
#define REAL float
#define KERNEL_TABLE kernels_baseline
#define NARROWER kernels_common.shared
#include "kernels/kernels.inc"

#define CODEC_TABLE codecs_baseline
#include "kernels/codecs.inc"
