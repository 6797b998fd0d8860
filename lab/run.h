/* One training run, from initial parameters to the last score. */
#ifndef LAB_RUN_H
#define LAB_RUN_H

#include "race.h"

/* What may look on; either function may be NULL. Looking changes no bit. */
struct lab_run_watcher {
    void *context;
    /* The gradients are those of the step, the parameters those before it. */
    void (*before)(void *context, size_t step, double loss, const rms_tensor *tensors, size_t tensor_count);
    /* status is RMS_OK or RMS_SKIPPED_NONFINITE. */
    void (*after)(void *context, size_t step, rms_optimizer *optimizer, const rms_report *report, rms_status status);
};

/* Trains for the given steps, with the contender's options but for run->learning_rate and run->trial, from the point and
 * on the batches of run->seed, and fills the rest of *run; run->curve is the caller's memory. Looks at *stop before each
 * score: once it is nonzero the run is left pending. stop, watcher and error may be NULL.
 *
 * RMS_OK also when the run diverged or stopped; RMS_ERROR_MEMORY, RMS_ERROR_FORMAT where the first score is not finite,
 * or what the library said: in a sentence that begins with whom it is about. */
rms_status lab_run_train(struct lab_run *run, const struct lab_instance *instance,
                         const struct lab_contender *contender, size_t steps, const atomic_int *stop,
                         const struct lab_run_watcher *watcher, rms_error *error);

/* Infinity of the sign that is worst. */
double lab_infinitely_bad(const struct lab_quantity *quantity);

#endif
