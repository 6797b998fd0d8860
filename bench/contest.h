/* Measures several things in turn, A B C A B C …, so that what else the machine does falls on all of them alike. */
#ifndef BENCH_CONTEST_H
#define BENCH_CONTEST_H

#include <stddef.h>

enum { CONTEST_ROUNDS_MAX = 256 };

typedef void bench_pass(void *context);

struct contestant {
    bench_pass *run;
    void *context;
    size_t repeats; /* in a burst: so many that it lasts long enough for the clock; contest_run chooses */
    double seconds[CONTEST_ROUNDS_MAX]; /* of one run, by round */
};

/* Warms up, then lets each of them run a burst in every round; rounds 1 to CONTEST_ROUNDS_MAX. A run that is not timed
 * comes before each burst, so that nobody profits from what the one before has left in the caches. */
void contest_run(struct contestant *contestants, size_t count, size_t rounds);

/* Of seconds; and of the quotients of two contestants' seconds in the same round. */
double contest_median(const struct contestant *contestant, size_t rounds);
double contest_ratio(const struct contestant *above, const struct contestant *below, size_t rounds);

/* Like contest_ratio, but above is in each round the slower of the two; either may be NULL. */
double contest_ratio_of_slower(const struct contestant *above, const struct contestant *or_above,
                               const struct contestant *below, size_t rounds);

#endif
