/* Several races told as one: how often, and how nearly, each contender is the first to arrive, and how good it is in the
 * end. */
#ifndef LAB_PROFILE_H
#define LAB_PROFILE_H

#include "race.h"

#define LAB_PROFILE_RACES_MAX 64

/* The factor to which a score counts, and to which a picture is drawn: that of AlgoPerf (Dahl et al., "Benchmarking
 * neural network training algorithms", 2023). */
#define LAB_PROFILE_TAU 4.0

/* One contender over all races. */
struct lab_profile_entry {
    const char *name;

    /* By race: its median steps to the target, in terms of the least that any contender has; at least 1, infinity where
     * half the runs missed it, NaN where the problem has no target. A median counts as the problem's score_every at
     * least, as nobody looked before. */
    double ratio[LAB_PROFILE_RACES_MAX];

    double steps[LAB_PROFILE_RACES_MAX]; /* those medians */

    /* The mean height of its profile from 1 to LAB_PROFILE_TAU, in [0, 1]: 1 for the first on every problem; NaN where
     * none has a target. */
    double score;

    /* Test scores of all runs of all races, of which 0 is the worst contender's median on its problem and 1 the best's,
     * and what lies beyond counts as 0 or 1: the mean of the middle half, with the interval of the bootstrap that is
     * stratified by problem (Agarwal et al. 2021). NaN without any run. */
    struct lab_mean normalized;
};

/* Names of problems are those of the races' instances; names and instances must outlive it. */
struct lab_profile {
    size_t race_count;
    size_t aimed_count; /* of these, those whose problem has a target: only they make profile and score */
    bool aimed[LAB_PROFILE_RACES_MAX];
    const char *problems[LAB_PROFILE_RACES_MAX];
    size_t entry_count;
    struct lab_profile_entry entries[LAB_CONTENDERS_MAX];
};

/* Makes the profile of 1 to LAB_PROFILE_RACES_MAX races of the same contenders, as their best trials ran, or, if not
 * tuned, their default settings. RMS_ERROR_RANGE or ARGUMENT, with a sentence, for other races; error may be NULL. */
rms_status lab_profile_make(struct lab_profile *profile, const struct lab_race *const *races, size_t race_count,
                            bool tuned, rms_error *error);

/* The performance profile (Dolan and More, "Benchmarking optimization software with performance profiles", 2002): the
 * share of problems with a target on which the contender's ratio is at most tau. It rises by steps, at the ratios. */
double lab_profile_share(const struct lab_profile *profile, size_t entry, double tau);

/* The same as points to draw, from tau = 1 to LAB_PROFILE_TAU: two for each step, and the ends; returns their number, at
 * most LAB_PROFILE_POINTS. */
#define LAB_PROFILE_POINTS (2 * LAB_PROFILE_RACES_MAX + 2)
size_t lab_profile_curve(const struct lab_profile *profile, size_t entry, double tau[LAB_PROFILE_POINTS],
                         double share[LAB_PROFILE_POINTS]);

#endif
