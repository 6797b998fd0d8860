/* The kernels for AArch64, where NEON is always there. */
#define KERNEL_TABLE kernels_neon
#include "kernels/kernels.inc"
