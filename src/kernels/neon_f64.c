/* The kernels in double for AArch64, where NEON is always there. */
#define REAL double
#define KERNEL_TABLE kernels_neon_f64
#define NARROWER kernels_common_f64.shared
#include "kernels/kernels.inc"
