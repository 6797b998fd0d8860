/* The kernels in double for x86-64 with AVX2; compiled with -mavx2. */
#define REAL double
#define KERNEL_TABLE kernels_avx2_f64
#define NARROWER kernels_baseline_f64.update
#include "kernels/kernels.inc"
