/* One training run told step by step: where the parameters went, how steep it was, and at what rates they moved. */
#ifndef LAB_TRACE_H
#define LAB_TRACE_H

#include "race.h"

/* So many rates are kept of a step: those of the parameters one by one where there are no more, else the least, the
 * quartiles and the largest of all parameters. */
#define LAB_TRACE_RATES 5

struct lab_trace_point {
    double position[2];            /* the first two numbers of the first tensor, before the step */
    double loss;                   /* of the step's batch, before the step */
    double gradient_norm;          /* Euclidean, over all tensors */
    double step_length;            /* the same of what the step changed */
    double rates[LAB_TRACE_RATES]; /* rms_effective_lr after the step; NaN beyond rate_count */
};

struct lab_trace_request {
    const struct lab_instance *instance; /* open */
    const struct lab_contender *contender;
    double learning_rate;
    struct lab_trial trial; /* NaN leaves what the contender has */
    uint64_t seed;
    size_t steps; /* a multiple of the instance's score_every, as in races */
};

struct lab_trace {
    struct lab_trace_point *points; /* one for each step, and one more: where it ended, whose other numbers are NaN */
    size_t step_count;              /* steps made: fewer than were asked for if it diverged */
    size_t parameter_count;
    size_t rate_count;   /* at most LAB_TRACE_RATES */
    bool rate_quantiles; /* rates are the least, quartiles and the largest; else one of each parameter */
    bool diverged;
    uint64_t digest; /* that of the same run of a race */
};

/* Makes the run again that a race made, and records it. RMS_OK also when it diverged; RMS_ERROR_MEMORY, or what the
 * library said. On failure *trace is empty. error may be NULL. */
rms_status lab_trace_run(struct lab_trace *trace, const struct lab_trace_request *request, rms_error *error);

/* The same for several runs, at most so many at a time (0: as many as OpenMP would use). Once *stop, if stop is not NULL,
 * is nonzero, those under way end early, and the traces are empty, and that is RMS_OK. After a failure all are empty. */
rms_status lab_traces_run(struct lab_trace *traces, const struct lab_trace_request *requests, size_t count, int threads,
                          const atomic_int *stop, rms_error *error);

/* Releases what a trace holds; an empty one is allowed, and a second time. */
void lab_trace_free(struct lab_trace *trace);

#endif
