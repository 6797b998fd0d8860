/* The net's inner loops in vectors of 16 bytes: SSE2, NEON, or what a compiler makes of them. */
#define KERNEL_BYTES 16
#define KERNEL_TABLE lab_kernels_baseline
#include "kernels.inc"
