/* What experiments are made of: jobs side by side, walks of a few parameters, figures, series and races. */
#ifndef LAB_CLAIMS_EXPERIMENT_H
#define LAB_CLAIMS_EXPERIMENT_H

#include "claims.h"
#include "race.h"

/* A row of a claim's table, and what is expected there: {LAB_FIGURE("key", "label", "unit"), LAB_AT_MOST(1.5)}. */
#define LAB_FIGURE(key_, label_, unit_) .key = (key_), .label = (label_), .unit = (unit_)
#define LAB_AT_LEAST(bound_) .expects = LAB_EXPECT_AT_LEAST, .bound = (bound_)
#define LAB_AT_MOST(bound_) .expects = LAB_EXPECT_AT_MOST, .bound = (bound_)
#define LAB_ABOVE(bound_) .expects = LAB_EXPECT_ABOVE, .bound = (bound_)
#define LAB_BELOW(bound_) .expects = LAB_EXPECT_BELOW, .bound = (bound_)
#define LAB_WITHIN(bound_, upper_) .expects = LAB_EXPECT_WITHIN, .bound = (bound_), .upper = (upper_)

struct lab_experiment {
    const struct lab_claims_plan *plan;
    double from, to; /* which share of the claim the jobs under way are; an experiment sets them before each batch */
};

/* Full or quick. */
static inline size_t lab_effort(const struct lab_experiment *experiment, size_t full, size_t quick)
{
    return experiment->plan->quick ? quick : full;
}

/* Runs job(data, 0) .. job(data, count - 1) on several threads. Returns the failure of the first job that failed, by
 * index. Once the plan's stop is set, jobs are left out. */
typedef rms_status lab_job(void *data, size_t index, rms_error *error);
rms_status lab_run_jobs(const struct lab_experiment *experiment, size_t count, lab_job *job, void *data,
                        rms_error *error);
bool lab_stopped(const struct lab_experiment *experiment);

/* A few parameters in double and the optimizer that moves them: who walks fills the gradients. */
#define LAB_WALK_MAX 32
struct lab_walk {
    double parameters[LAB_WALK_MAX];
    double gradients[LAB_WALK_MAX];
    size_t count;
    rms_optimizer *optimizer;
};
rms_status lab_walk_begin(struct lab_walk *walk, const rms_options *options, size_t count, rms_error *error);
rms_status lab_walk_step(struct lab_walk *walk, rms_error *error);
/* The effective learning rate of one parameter. */
double lab_walk_rate(struct lab_walk *walk, size_t parameter);
void lab_walk_end(struct lab_walk *walk);

/* A rule's defaults at a learning rate, on one thread. */
rms_options lab_rule_at(rms_rule rule, double lr);

/* Figures: a number without chance, the mean or median over seeds with its interval. Values that are not finite leave
 * the figure unmeasured, as does a count of 0. */
struct lab_figure lab_exact(double value);
struct lab_figure lab_mean_of(const struct lab_experiment *experiment, const double *values, size_t count);
struct lab_figure lab_median_of(const struct lab_experiment *experiment, const double *values, size_t count);

/* A new chart of the finding, and a new line of a chart with memory for count points; NULL when memory is short or all
 * places are taken. */
struct lab_chart *lab_chart_add(struct lab_finding *finding, const struct lab_chart *chart);
struct lab_series *lab_series_add(struct lab_chart *chart, const char *name, size_t count, bool banded);

/* Spearman's rank correlation of count pairs; ties share their rank. NaN when memory is short. */
double lab_rank_correlation(const double *x, const double *y, size_t count);

/* The value below which a share of the values lies, linear between neighbours; sorts them. */
double lab_quantile(double *values, size_t count, double share);

rms_status lab_out_of_memory(rms_error *error);

/* How each parameter of a problem has moved in the first steps of training. */
struct lab_movement {
    size_t count;
    double *path;          /* sum of the sizes of its steps */
    double *gradient_size; /* root mean square of its gradients */
};
rms_status lab_movement_measure(struct lab_movement *movement, const struct lab_instance *instance,
                                const rms_options *options, uint64_t seed, size_t steps, rms_error *error);
void lab_movement_free(struct lab_movement *movement);

#endif
