/* Medians and bootstrap intervals: deterministic, for a given seed the same digits everywhere. */
#ifndef LAB_STATISTICS_H
#define LAB_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

/* A median with its 95 % percentile-bootstrap interval. */
struct lab_interval {
    double median;
    double low;
    double high;
};

/* A mean with the same. */
struct lab_mean {
    double mean;
    double low;
    double high;
};

/* The median of count values, which may be infinite but not NaN; for an even count the mean of the middle two, which
 * is infinite if one of them is. Here and below, infinities of both signs, which have no mean, count as 0: as much
 * speaks for one as for the other. NaN when count is 0, or when memory is short. */
double lab_median(const double *values, size_t count);

/* 10,000 resamples with replacement, drawn by counter from seed; values as above, count < 2^32. All three
 * are NaN when count is 0, or when memory is short. */
struct lab_interval lab_bootstrap_median(const double *values, size_t count, uint64_t seed);
struct lab_mean lab_bootstrap_mean(const double *values, size_t count, uint64_t seed);

/* The mean of the middle half, IQM: of count values the count / 4, rounded down, at either end are left out. Agarwal,
 * Schwarzer, Castro, Courville and Bellemare, "Deep reinforcement learning at the edge of the statistical precipice",
 * NeurIPS 2021. */
struct lab_mean lab_bootstrap_middle(const double *values, size_t count, uint64_t seed);

/* The same of the values of several problems together, of which counts[i] lie one after the other: resamples are drawn
 * problem by problem, each from its own. */
struct lab_mean lab_bootstrap_strata(const double *values, const size_t *counts, size_t strata, uint64_t seed);

#endif
