/* Measures steps of the library against this machine's limits and against the loop that people write, in turn within one
 * run, so that what else the machine does falls on all of them alike. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <rmsprop.h>

struct bench_case {
    rms_rule rule; /* its defaults; SGD with momentum 0.9 */
    size_t count;  /* parameters in each tensor */
    size_t tensors;
    int threads;
    rms_isa isa;
    rms_nonfinite nonfinite; /* skip reads the gradients once more; so does its limit */
    double clip_norm;        /* likewise, above 0 */
    rms_dtype dtype;
    rms_master master; /* of 16-bit parameters */
    rms_state_format state;
};

/* What is measured beside the steps. */
struct bench_method {
    size_t rounds;   /* 1 to 256, of which more steady the medians */
    bool limit;      /* the bare pass over the same arrays */
    bool arithmetic; /* the bare roots and divisions of as many numbers */
    bool plain;      /* the textbook loop, where it does the same: RMSProp in f32, one tensor, one thread */
};

/* Times are of one step divided by the parameters, medians over rounds; NaN for what was not measured. */
struct bench_result {
    double bytes_per_param; /* that must move: those of the gradient, twice those of each array that is written, which
                               is fetched as well, and the gradient's once more where it is read beforehand. f32: 4 + 8
                               for the parameters + 8 for each array of state; bf16 with an f32 master: 2 + 4 + 8 + 8
                               for each array of the rule's state */
    double held_per_param;  /* bytes of gradient, parameter and state */
    int threads_used;       /* a small step is not worth waking others for */
    double ns_per_param;
    double gb_per_s;
    double limit_ns_per_param;      /* of the bare pass */
    double arithmetic_ns_per_param; /* of the bare roots and divisions; NaN for rules without any */
    double ratio_to_limit;          /* bare pass's time by step's time, median over rounds; 1 is the limit */
    double ratio_to_slower;         /* the same of the slower of bare pass and bare arithmetic, in each round */
    double time_to_first;           /* this case's step by the first case's, per parameter, in the same round */
    double plain_ns_per_param;      /* one thread */
    double times_faster_than_plain;
};

enum { BENCH_CASES_MAX = 4 };

/* Whether there can be such a case: the library's sentence in *error if not. */
rms_status bench_check(const struct bench_case *bench_case, rms_error *error);

/* Bytes of memory that the case takes, SIZE_MAX if they cannot be counted. */
size_t bench_bytes(const struct bench_case *bench_case);

/* Measures cases together: all of them in each round, each with memory of its own. count 1 to BENCH_CASES_MAX; a case has
 * parameters, tensors and threads, and an instruction set by name. Fails, with a sentence in *error, when memory is short
 * or the machine lacks the instruction set. */
rms_status bench_measure(const struct bench_case *cases, size_t count, const struct bench_method *method,
                         struct bench_result *results, rms_error *error);

#endif
