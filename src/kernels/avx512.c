/* The kernels for x86-64 with AVX-512 F, VL, BW and DQ, in 512-bit registers. */
#define KERNEL_TABLE kernels_avx512
#include "kernels/kernels.inc"
