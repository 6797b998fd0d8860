/* The net's inner loops in vectors of 64 bytes. */
#define KERNEL_BYTES 64
#define KERNEL_TABLE lab_kernels_avx512
#include "kernels.inc"
