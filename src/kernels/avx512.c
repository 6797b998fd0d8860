/* The kernels for x86-64 with AVX-512 F, VL, BW and DQ, in 512-bit registers. */
#define REAL float
#define KERNEL_TABLE kernels_avx512
#define NARROWER kernels_avx2.update
#include "kernels/kernels.inc"

#define CODEC_TABLE codecs_avx512
#include "kernels/codecs.inc"
