/* One training run, from initial parameters to the last score. */
#ifndef LAB_RUN_H
#define LAB_RUN_H

#include "race.h"

/* Trains for the given steps, with options but for run->learning_rate, from the point and on the batches of
 * run->seed, and fills the rest of *run; run->curve is the caller's memory. Looks at *stop, if stop is not
 * NULL, before each score: once it is nonzero the run is left pending.
 *
 * RMS_OK also when the run diverged or stopped; RMS_ERROR_MEMORY, or what the library said. */
rms_status lab_run_train(struct lab_run *run, const struct lab_problem *problem, const rms_options *options,
                         size_t steps, const atomic_int *stop, rms_error *error);

#endif
