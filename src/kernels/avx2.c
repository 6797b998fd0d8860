/* The kernels for x86-64 with AVX2; compiled with -mavx2. */
#define REAL float
#define KERNEL_TABLE kernels_avx2
#define NARROWER kernels_baseline.update
#include "kernels/kernels.inc"

#define CODEC_TABLE codecs_avx2
#include "kernels/codecs.inc"
