/* Races as parts of experiments. */
#ifndef LAB_CLAIMS_CONTEST_H
#define LAB_CLAIMS_CONTEST_H

#include "claims/experiment.h"

/* Runs the race on the experiment's threads, with its progress and its stop. */
rms_status lab_contest_run(const struct lab_experiment *experiment, const struct lab_race_plan *plan,
                           struct lab_race *race, rms_error *error);

/* By how much entry a is better than entry b in the final test score, in the problem's unit, for each seed that both
 * have run; at the tuned rates or at the default ones. Returns how many, at most LAB_SEEDS_MAX. */
size_t lab_contest_differences(const struct lab_race *race, size_t a, size_t b, bool tuned, double *values);

/* An entry's final test scores in the problem's unit. */
size_t lab_contest_scores(const struct lab_race *race, size_t entry, bool tuned, double *values);

/* Median and quartiles of the training scores of the tuned runs of each entry. False when memory is short. */
bool lab_contest_draw(struct lab_finding *finding, const struct lab_chart *chart, const struct lab_race *race);

#endif
