/* A case brought to life: parameters, gradients, an optimizer, and what runs on them. */
#ifndef BENCH_SUBJECT_H
#define BENCH_SUBJECT_H

#include "arithmetic.h"
#include "bench.h"
#include "limit.h"

/* Numbers that bare arithmetic has for each part: a block to read and one to write. */
#define BLOCKS_OF_PART ((size_t)2 * ARITHMETIC_BLOCK)

struct subject {
    const struct bench_case *bench_case;
    rms_optimizer *optimizer;
    char *param; /* of all tensors, each from a multiple of 64 bytes on */
    char *grad;
    size_t stride;               /* bytes from one tensor to the next */
    struct limit_arrays *arrays; /* of each tensor: grad; param and the kept slots */
    size_t words;                /* of 4 bytes in a number of the gradient, at least 1 */
    double bytes_per_param;
    double held_per_param;
    rms_isa limit_isa; /* whose registers move these arrays fastest, up to the case's own */
    size_t parts;      /* threads that a step really uses: a small one is not worth waking others for */
    struct arithmetic arithmetic;
    double *blocks; /* for bare arithmetic: two for each part */
};

/* Failure leaves a sentence, and a subject that wants to be released all the same. */
rms_status subject_prepare(struct subject *subject, const struct bench_case *bench_case, rms_error *error);
void subject_release(struct subject *subject);

/* What takes part in a contest; context is the subject. */
void subject_step(void *context);
void subject_limit(void *context);
void subject_arithmetic(void *context);
void subject_plain(void *context);

/* Tries which instruction set's bare pass is the fastest: in memory it need not be the widest. */
void subject_choose_limit(struct subject *subject);

/* Whether the full-size state is still finite: else what was measured was the arithmetic of NaN. */
bool subject_is_finite(const struct subject *subject);

/* The options of a case: the rule's defaults, and what the case says. */
rms_options subject_options(const struct bench_case *bench_case);

#endif
