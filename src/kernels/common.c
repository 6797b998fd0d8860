/* What need not be fast, for parameters in float. */
#define REAL float
#define COMMON_TABLE kernels_common
#include "kernels/common.inc"
