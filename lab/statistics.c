/* Percentile bootstrap of median and mean: Efron, "Bootstrap methods: another look at the jackknife", 1979. */
#include "statistics.h"

#include "random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RESAMPLES 10000
#define TAIL (RESAMPLES / 40) /* 2.5 % */

static int ascending(const void *left, const void *right)
{
    const double a = *(const double *)left;
    const double b = *(const double *)right;
    return (a > b) - (a < b);
}

/* A sorted copy, the caller's to free; NULL for no values. */
static double *sorted_copy(const double *values, size_t count)
{
    double *const sorted = count != 0 && count <= SIZE_MAX / sizeof *sorted ? malloc(count * sizeof *sorted) : NULL;
    if (sorted) {
        memcpy(sorted, values, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, ascending);
    }
    return sorted;
}

/* Halves first: the sum of two large values may overflow. */
static double mean_of_two(double a, double b)
{
    return 0.5 * a + 0.5 * b;
}

double lab_median(const double *values, size_t count)
{
    double *const sorted = sorted_copy(values, count);
    if (!sorted)
        return (double)NAN;
    const double median = mean_of_two(sorted[(count - 1) / 2], sorted[count / 2]);
    free(sorted);
    return median;
}

/* The value of which `rank` values of the resample lie before, where times[i] tells how often sorted[i] was
 * drawn: counting replaces sorting. */
static double ranked(const double *sorted, const uint32_t *times, size_t rank)
{
    size_t i = 0;
    for (size_t before = times[0]; before <= rank; before += times[i])
        ++i;
    return sorted[i];
}

/* What is estimated of a resample, in which sorted[i] occurs times[i] times. */
typedef double statistic(const double *sorted, const uint32_t *times, size_t count);

static double median_of(const double *sorted, const uint32_t *times, size_t count)
{
    return mean_of_two(ranked(sorted, times, (count - 1) / 2), ranked(sorted, times, count / 2));
}

static double mean_of(const double *sorted, const uint32_t *times, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; ++i)
        sum += times[i] == 0 ? 0.0 : times[i] * sorted[i]; /* 0 times infinity is no 0 */
    return sum / (double)count;
}

static void draw(uint32_t *times, size_t count, uint64_t seed, uint64_t resample)
{
    memset(times, 0, count * sizeof *times);
    for (size_t i = 0; i < count; ++i)
        ++times[lab_random_below(seed, resample, i, count)];
}

static struct lab_interval bootstrap(const double *values, size_t count, uint64_t seed, statistic *estimate)
{
    struct lab_interval interval = {(double)NAN, (double)NAN, (double)NAN};
    double *const sorted = sorted_copy(values, count);
    uint32_t *const times = count <= SIZE_MAX / sizeof *times ? malloc(count * sizeof *times) : NULL;
    double *const estimates = malloc(RESAMPLES * sizeof *estimates);
    if (sorted && times && estimates) {
        for (size_t i = 0; i < RESAMPLES; ++i) {
            draw(times, count, seed, i);
            estimates[i] = estimate(sorted, times, count);
        }
        qsort(estimates, RESAMPLES, sizeof *estimates, ascending);

        for (size_t i = 0; i < count; ++i)
            times[i] = 1;
        interval.median = estimate(sorted, times, count);
        interval.low = estimates[TAIL - 1];
        interval.high = estimates[RESAMPLES - TAIL];
    }
    free(estimates);
    free(times);
    free(sorted);
    return interval;
}

struct lab_interval lab_bootstrap_median(const double *values, size_t count, uint64_t seed)
{
    return bootstrap(values, count, seed, median_of);
}

struct lab_mean lab_bootstrap_mean(const double *values, size_t count, uint64_t seed)
{
    const struct lab_interval interval = bootstrap(values, count, seed, mean_of);
    return (struct lab_mean){interval.median, interval.low, interval.high};
}
