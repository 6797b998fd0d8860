/* What a race decides and tells, once its runs are made. */
#ifndef LAB_VERDICT_H
#define LAB_VERDICT_H

#include "race.h"

/* Chooses the best trial of every entry whose tuning is over, and gives it to the runs that are to report it. */
void lab_verdict_choose(struct lab_race *race);

/* Summarizes the reports, and compares them. */
void lab_verdict_tell(struct lab_race *race);

/* Whether a is better than b. */
bool lab_is_better(const struct lab_quantity *quantity, double a, double b);

/* Of the plan's bootstrap. */
uint64_t lab_bootstrap_seed(const struct lab_race_plan *plan);

#endif
