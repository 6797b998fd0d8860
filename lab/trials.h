/* Trials: what a race tries of each contender, beyond its own settings. */
#ifndef LAB_TRIALS_H
#define LAB_TRIALS_H

#include "race.h"

/* A trial that sets nothing. */
struct lab_trial lab_trial_none(void);

/* The option that one of LAB_SEARCH_... sets in these options: for the epsilon "eps", or "eps_inside" where that is the
 * one they use; "rho" or "beta2"; "momentum" or "beta1". NULL where the rule has none. */
const char *lab_trial_key(const rms_options *options, unsigned searched);

/* A trial of the plan as a contender with these options takes it: NaN in what is not searched or what its rule lacks. */
struct lab_trial lab_trial_of(const struct lab_race_plan *plan, size_t index, const rms_options *options);

/* Sets the learning rate and what the trial sets; else as rms_options_set. error may be NULL. */
rms_status lab_trial_apply(rms_options *options, double learning_rate, const struct lab_trial *trial, rms_error *error);

#endif
