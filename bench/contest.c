/* Rounds of bursts, and their medians. */
#define _POSIX_C_SOURCE 200809L

#include "contest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const double burst_seconds = 2e-3;

static double seconds_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double time_burst(const struct contestant *contestant)
{
    const double begin = seconds_now();
    for (size_t i = 0; i < contestant->repeats; ++i)
        contestant->run(contestant->context);
    return (seconds_now() - begin) / (double)contestant->repeats;
}

void contest_run(struct contestant *contestants, size_t count, size_t rounds)
{
    for (size_t i = 0; i < count; ++i) {
        contestants[i].repeats = 1;
        while (time_burst(&contestants[i]) * (double)contestants[i].repeats < burst_seconds)
            contestants[i].repeats *= 2;
    }
    for (size_t round = 0; round < rounds; ++round)
        for (size_t i = 0; i < count; ++i) {
            contestants[i].run(contestants[i].context);
            contestants[i].seconds[round] = time_burst(&contestants[i]);
        }
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double values[CONTEST_ROUNDS_MAX], size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

double contest_median(const struct contestant *contestant, size_t rounds)
{
    double values[CONTEST_ROUNDS_MAX];
    memcpy(values, contestant->seconds, rounds * sizeof *values);
    return median(values, rounds);
}

double contest_ratio(const struct contestant *above, const struct contestant *below, size_t rounds)
{
    return contest_ratio_of_slower(above, NULL, below, rounds);
}

double contest_ratio_of_slower(const struct contestant *above, const struct contestant *or_above,
                               const struct contestant *below, size_t rounds)
{
    double ratios[CONTEST_ROUNDS_MAX];
    for (size_t i = 0; i < rounds; ++i) {
        const double first = above ? above->seconds[i] : 0;
        const double second = or_above ? or_above->seconds[i] : 0;
        ratios[i] = fmax(first, second) / below->seconds[i];
    }
    return above || or_above ? median(ratios, rounds) : (double)NAN;
}
