/* Percentile bootstrap: Efron, "Bootstrap methods: another look at the jackknife", 1979. */
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

/* What has no mean, infinities of both signs, counts as 0. */
static double or_zero(double value)
{
    return isnan(value) ? 0.0 : value;
}

/* Halves first: the sum of two large values may overflow. */
static double mean_of_two(double a, double b)
{
    return or_zero(0.5 * a + 0.5 * b);
}

double lab_median(const double *values, size_t count)
{
    double *const sorted = count != 0 && count <= SIZE_MAX / sizeof *sorted ? malloc(count * sizeof *sorted) : NULL;
    if (!sorted)
        return (double)NAN;
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, ascending);
    const double median = mean_of_two(sorted[(count - 1) / 2], sorted[count / 2]);
    free(sorted);
    return median;
}

/* ---------------------------------------------------------------------------------------------------
 * What is estimated of a resample, in which sorted[i] occurs times[i] times
 * ------------------------------------------------------------------------------------------------- */

typedef double statistic(const double *sorted, const uint32_t *times, size_t count);

/* The value of which `rank` values of the resample lie before: counting replaces sorting. */
static double ranked(const double *sorted, const uint32_t *times, size_t rank)
{
    size_t i = 0;
    for (size_t before = times[0]; before <= rank; before += times[i])
        ++i;
    return sorted[i];
}

static double median_of(const double *sorted, const uint32_t *times, size_t count)
{
    return mean_of_two(ranked(sorted, times, (count - 1) / 2), ranked(sorted, times, count / 2));
}

/* The mean of what is left when `cut` values at either end are not. */
static double trimmed_mean(const double *sorted, const uint32_t *times, size_t count, size_t cut)
{
    double sum = 0.0;
    size_t before = 0;
    for (size_t i = 0; i < count; before += times[i++]) {
        const size_t first = before > cut ? before : cut;
        const size_t end = before + times[i] < count - cut ? before + times[i] : count - cut;
        sum += first < end ? (double)(end - first) * sorted[i] : 0.0; /* 0 times infinity is no 0 */
    }
    return or_zero(sum / (double)(count - 2 * cut));
}

static double mean_of(const double *sorted, const uint32_t *times, size_t count)
{
    return trimmed_mean(sorted, times, count, 0);
}

static double middle_of(const double *sorted, const uint32_t *times, size_t count)
{
    return trimmed_mean(sorted, times, count, count / 4);
}

/* ---------------------------------------------------------------------------------------------------
 * Resampling
 * ------------------------------------------------------------------------------------------------- */

/* A value, and where it was among those of its stratum in rising order, strata one after the other. */
struct drawn {
    double value;
    size_t place;
};

static int by_value(const void *left, const void *right)
{
    const struct drawn *const a = left, *const b = right;
    const int order = ascending(&a->value, &b->value);
    return order != 0 ? order : (a->place > b->place) - (a->place < b->place);
}

struct sample {
    const size_t *counts; /* of the strata */
    size_t strata;
    size_t count; /* of all values */
    double *sorted;
    size_t *ranks; /* by the place among the values of all strata, each in rising order: where sorted has it */
    uint32_t *times;
    double *estimates;
};

/* Order within a stratum is forgotten first, so that the order of values changes nothing. */
static bool sort_sample(struct sample *sample, const double *values)
{
    struct drawn *const drawn = malloc(sample->count * sizeof *drawn);
    if (!drawn)
        return false;
    memcpy(sample->sorted, values, sample->count * sizeof *values);
    size_t begin = 0;
    for (size_t i = 0; i < sample->strata; begin += sample->counts[i++])
        if (sample->counts[i] > 0)
            qsort(sample->sorted + begin, sample->counts[i], sizeof *values, ascending);
    for (size_t i = 0; i < sample->count; ++i)
        drawn[i] = (struct drawn){sample->sorted[i], i};
    qsort(drawn, sample->count, sizeof *drawn, by_value);
    for (size_t i = 0; i < sample->count; ++i) {
        sample->sorted[i] = drawn[i].value;
        sample->ranks[drawn[i].place] = i;
    }
    free(drawn);
    return true;
}

static void draw(const struct sample *sample, uint64_t seed, uint64_t resample)
{
    memset(sample->times, 0, sample->count * sizeof *sample->times);
    size_t begin = 0;
    for (size_t stratum = 0; stratum < sample->strata; begin += sample->counts[stratum++])
        for (size_t i = begin; i < begin + sample->counts[stratum]; ++i) {
            const size_t place = begin + lab_random_below(seed, resample, i, sample->counts[stratum]);
            ++sample->times[sample->ranks[place]];
        }
}

static struct lab_interval estimate_all(const struct sample *sample, uint64_t seed, statistic *estimate)
{
    double *const estimates = sample->estimates;
    for (size_t i = 0; i < RESAMPLES; ++i) {
        draw(sample, seed, i);
        estimates[i] = estimate(sample->sorted, sample->times, sample->count);
    }
    qsort(estimates, RESAMPLES, sizeof *estimates, ascending);
    for (size_t i = 0; i < sample->count; ++i)
        sample->times[i] = 1;
    return (struct lab_interval){
        .median = estimate(sample->sorted, sample->times, sample->count),
        .low = estimates[TAIL - 1],
        .high = estimates[RESAMPLES - TAIL],
    };
}

static struct lab_interval bootstrap(const double *values, const size_t *counts, size_t strata, uint64_t seed,
                                     statistic *estimate)
{
    struct lab_interval interval = {(double)NAN, (double)NAN, (double)NAN};
    struct sample sample = {.counts = counts, .strata = strata};
    for (size_t i = 0; i < strata; ++i)
        sample.count += counts[i];
    if (sample.count == 0 || sample.count > SIZE_MAX / sizeof(struct drawn))
        return interval;
    sample.sorted = malloc(sample.count * sizeof *sample.sorted);
    sample.ranks = malloc(sample.count * sizeof *sample.ranks);
    sample.times = malloc(sample.count * sizeof *sample.times);
    sample.estimates = malloc(RESAMPLES * sizeof *sample.estimates);
    if (sample.sorted && sample.ranks && sample.times && sample.estimates && sort_sample(&sample, values))
        interval = estimate_all(&sample, seed, estimate);
    free(sample.estimates);
    free(sample.times);
    free(sample.ranks);
    free(sample.sorted);
    return interval;
}

static struct lab_mean as_mean(struct lab_interval interval)
{
    return (struct lab_mean){interval.median, interval.low, interval.high};
}

struct lab_interval lab_bootstrap_median(const double *values, size_t count, uint64_t seed)
{
    return bootstrap(values, &count, 1, seed, median_of);
}

struct lab_mean lab_bootstrap_mean(const double *values, size_t count, uint64_t seed)
{
    return as_mean(bootstrap(values, &count, 1, seed, mean_of));
}

struct lab_mean lab_bootstrap_middle(const double *values, size_t count, uint64_t seed)
{
    return as_mean(bootstrap(values, &count, 1, seed, middle_of));
}

struct lab_mean lab_bootstrap_strata(const double *values, const size_t *counts, size_t strata, uint64_t seed)
{
    return as_mean(bootstrap(values, counts, strata, seed, middle_of));
}
