/* What need not be fast, for parameters in double. */
#define REAL double
#define COMMON_TABLE kernels_common_f64
#include "kernels/common.inc"
