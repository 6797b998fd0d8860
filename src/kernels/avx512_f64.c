/* The kernels in double for x86-64 with AVX-512 F, VL, BW and DQ, in 512-bit registers. */
#define REAL double
#define KERNEL_TABLE kernels_avx512_f64
#define NARROWER kernels_avx2_f64.update
#include "kernels/kernels.inc"
