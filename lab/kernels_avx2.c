/* The net's inner loops in vectors of 32 bytes. */
#define KERNEL_BYTES 32
#define KERNEL_TABLE lab_kernels_avx2
#include "kernels.inc"
