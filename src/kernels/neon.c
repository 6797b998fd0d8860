/* The kernels for AArch64, where NEON is always there. */
#define REAL float
#define KERNEL_TABLE kernels_neon
#define NARROWER kernels_common.shared
#include "kernels/kernels.inc"

#define CODEC_TABLE codecs_neon
#include "kernels/codecs.inc"
