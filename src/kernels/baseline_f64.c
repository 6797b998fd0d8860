/* The kernels in double for the least that the architecture guarantees (SSE2 on x86-64, NEON on AArch64). */
#define REAL double
#define KERNEL_TABLE kernels_baseline_f64
#define NARROWER kernels_common_f64.shared
#include "kernels/kernels.inc"
