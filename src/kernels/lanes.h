/* The tree in which squares are added up, for every precision, format and vector width: so many partial sums side by side,
 * then folded in halves. */
#ifndef KERNELS_LANES_H
#define KERNELS_LANES_H

#include <stddef.h>

enum { LANES = 32 };

static inline double fold(double lane[LANES])
{
    for (size_t half = LANES / 2; half > 0; half /= 2)
        for (size_t j = 0; j < half; ++j)
            lane[j] += lane[j + half];
    return lane[0];
}

#endif
