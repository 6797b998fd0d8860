/* The oracle: docs/math.md once more, one number at a time, as plainly as C allows. It shares no code with
 * the library and is compiled without optimization, so that a wrong bit must be wrong in both, in the same
 * way, to stay unseen. */
#ifndef TESTS_ORACLE_H
#define TESTS_ORACLE_H

#include <rmsprop.h>

/* Arrays hold what the library's do: numbers of the dtype, slots of its precision, remainders of 16 bits. */
struct oracle_tensor {
    const rms_options *options; /* its group's */
    const char *name;           /* random bits depend on it; NULL is the empty name of rms_apply */
    rms_dtype dtype;
    uint64_t step; /* number of the step to take, from 1 */
    size_t count;
    void *param;
    const void *grad;           /* rows: scattered and summed up */
    const bool *absent;         /* elements of rows that a lazy step is not given; NULL: none */
    void *slots[RMS_SLOTS_MAX]; /* as rms_apply takes them; NULL where not kept */
};

struct oracle_report {
    double norm;
    double clip_factor;
    bool skipped;
};

/* What one step of an object that holds these tensors does. The options of the step are those of the first
 * tensor; without tensors nothing happens. */
struct oracle_report oracle_step(const struct oracle_tensor *tensors, size_t tensor_count);

/* Effective learning rates of one tensor; its step is the number of steps it has taken, 0 included. */
void oracle_rate(const struct oracle_tensor *tensor, float *out);

#endif
