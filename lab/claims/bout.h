/* Agents against each other. The final score of many is the best there is, whatever the optimizer; so what counts is the
 * mean return over all of training: how soon it is learnt, and how soon again where the world changes. */
#ifndef LAB_CLAIMS_BOUT_H
#define LAB_CLAIMS_BOUT_H

#include "claims/experiment.h"

#define LAB_BOUT_CONTENDERS_MAX 8
#define LAB_BOUT_SEEDS_MAX 64

struct lab_bout_plan {
    const char *words; /* the problem's */
    const struct lab_contender *contenders;
    size_t count;
    const double *rates; /* rising, at most LAB_GRID_MAX; a quick bout takes every second */
    size_t rate_count;
    size_t tuning_seeds;
    size_t seeds; /* fresh ones, at most LAB_BOUT_SEEDS_MAX */
    double fixed; /* a rate at which all are compared as well; 0 for none */
};

struct lab_bout {
    const struct lab_experiment *experiment;
    struct lab_bout_plan plan;
    struct lab_instance instance;
    double rates[LAB_GRID_MAX]; /* those that are tried */
    size_t rate_count, steps, points;
    size_t best[LAB_BOUT_CONTENDERS_MAX]; /* places among the rates: most mean return over the tuning seeds */
    double *tuning;                       /* mean return: contenders x rates x tuning seeds */
    double *curves; /* training scores with the fresh seeds at the best rates: contenders x seeds x points */
    double means[LAB_BOUT_CONTENDERS_MAX][LAB_BOUT_SEEDS_MAX]; /* mean return of these runs */
    double fixed[LAB_BOUT_CONTENDERS_MAX][LAB_BOUT_SEEDS_MAX]; /* at the fixed rate */
};

/* Opens the problem, tunes, and runs the fresh seeds. After RMS_OK, also when stopped, the bout is to be freed. */
rms_status lab_bout_run(struct lab_bout *bout, const struct lab_experiment *experiment,
                        const struct lab_bout_plan *plan, rms_error *error);
void lab_bout_free(struct lab_bout *bout);

/* By how much contender a's mean return is higher than b's, mean over seeds with the same start for both; each at its
 * best rate, or both at the fixed one. */
struct lab_figure lab_bout_difference(const struct lab_bout *bout, size_t a, size_t b);
struct lab_figure lab_bout_difference_fixed(const struct lab_bout *bout, size_t a, size_t b);
struct lab_figure lab_bout_mean(const struct lab_bout *bout, size_t contender);

/* Median and quartiles of the curves; mean return against the learning rate, over the tuning seeds. False when memory is
 * short. */
bool lab_bout_draw(const struct lab_bout *bout, struct lab_finding *finding, const struct lab_chart *chart);
bool lab_bout_draw_rates(const struct lab_bout *bout, struct lab_finding *finding, const struct lab_chart *chart);

/* How many contenders' best rate is the first or last that was tried, so that a better one may lie outside; and
 * "RMSProp 0.002; Adam 0.01 (edge of the grid)". */
size_t lab_bout_edges(const struct lab_bout *bout);
void lab_bout_tell_rates(const struct lab_bout *bout, char *text, size_t size);

#endif
