/* What this CPU, under this operating system, can run. Knows nothing of kernels. */
#ifndef KERNELS_CPU_H
#define KERNELS_CPU_H

#include "prefix.h"

#include <stdbool.h>

struct cpu {
    bool avx2;
    bool avx512; /* F, VL, BW and DQ */
};

struct cpu cpu_detect(void);

#endif
