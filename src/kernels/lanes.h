/* The tree in which squares are added up, for every precision, format and vector width: so many partial sums side by side,
 * then folded in halves. */
#ifndef KERNELS_LANES_H
#define KERNELS_LANES_H

#include <stddef.h>

enum { LANES = 32 };

static inline void add_upper(double *lane, size_t half)
{
    for (size_t j = 0; j < half; ++j)
        lane[j] += lane[j + half];
}

/* Written out, so that compilers see the lengths and keep the lanes in registers. */
static inline double fold(double lane[LANES])
{
    add_upper(lane, LANES / 2);
    add_upper(lane, LANES / 4);
    add_upper(lane, LANES / 8);
    add_upper(lane, LANES / 16);
    add_upper(lane, LANES / 32);
    return lane[0];
}

#endif
