/* Measures steps of the library against this machine's memory limit and against the loop that people write,
 * in turn within one run, so that what else the machine does falls on all of them alike. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <rmsprop.h>

struct bench_case {
    rms_rule rule; /* its defaults; SGD with momentum 0.9 */
    size_t count;  /* parameters, in one tensor */
    int threads;
    rms_isa isa;
    rms_nonfinite nonfinite; /* skip reads the gradients once more; so does its limit */
    rms_dtype dtype;
    rms_master master; /* of 16-bit parameters */
};

/* Times are of one step divided by the parameters, medians over rounds. */
struct bench_result {
    double bytes_per_param; /* that must move: those of the gradient, twice those of each array that is written, which
                               is fetched as well, and the gradient's once more for the non-finite check. f32: 4 + 8
                               for the parameters + 8 for each array of state; bf16 with an f32 master: 2 + 4 + 8 + 8
                               for each array of the rule's state */
    double ns_per_param;
    double gb_per_s;
    double limit_ns_per_param; /* of a bare pass over the same arrays */
    double ratio_to_limit;     /* limit's time by step's time, median over rounds; 1 is the limit */
    double plain_ns_per_param; /* the plain loop, one thread; NaN unless RMSProp in f32 on one thread */
    double times_faster_than_plain;
};

/* Measures one case: count and threads at least 1, isa not auto; rounds 1 to 1000, of which more steady the
 * medians. Fails, with a sentence in *error, when memory is short or the machine lacks the instruction set. */
rms_status bench_measure(const struct bench_case *bench_case, size_t rounds, struct bench_result *result,
                         rms_error *error);

#endif
