/* What experiments are made of: jobs side by side, walks of a few parameters, figures, series. */
#include "claims/experiment.h"

#include "statistics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#define DUST 1e-12 /* of the largest of the values: far above what adding a thousand of them loses */

/* Stream of the plan's seed that bootstraps draw from: apart from those of experiments. */
#define BOOTSTRAP_SEED UINT64_C(0x626f6f7473747261)

rms_status lab_out_of_memory(rms_error *error)
{
    snprintf(error->message, sizeof error->message, "not enough memory for the experiment");
    return RMS_ERROR_MEMORY;
}

bool lab_stopped(const struct lab_experiment *experiment)
{
    return experiment->plan->stop && *experiment->plan->stop != 0;
}

/* ---------------------------------------------------------------------------------------------------
 * Jobs
 * ------------------------------------------------------------------------------------------------- */

/* What jobs that run side by side share; it is changed by one of them at a time. */
struct lab_jobs {
    const struct lab_experiment *experiment;
    size_t count, done;
    size_t first_failed; /* by index, so that the order of threads does not matter */
    rms_status status;
    rms_error error;
};

static void note(struct lab_jobs *jobs, size_t index, rms_status status, const rms_error *error)
{
    if (status != RMS_OK && index < jobs->first_failed) {
        jobs->first_failed = index;
        jobs->status = status;
        jobs->error = *error;
    }
    ++jobs->done;
    const struct lab_experiment *const experiment = jobs->experiment;
    const double share = (double)jobs->done / (double)jobs->count;
    if (experiment->plan->progress)
        experiment->plan->progress(experiment->plan->context,
                                   experiment->from + share * (experiment->to - experiment->from));
}

static int thread_count(const struct lab_experiment *experiment)
{
#ifdef _OPENMP
    return experiment->plan->threads > 0 ? experiment->plan->threads : omp_get_max_threads();
#else
    (void)experiment;
    return 1;
#endif
}

rms_status lab_run_jobs(const struct lab_experiment *experiment, size_t count, lab_job *job, void *data,
                        rms_error *error)
{
    struct lab_jobs jobs = {.experiment = experiment, .count = count, .first_failed = SIZE_MAX, .status = RMS_OK};
    const int threads = thread_count(experiment);
    (void)threads;
#ifdef _OPENMP
#pragma omp parallel for schedule(dynamic) num_threads(threads) if (threads > 1)
#endif
    for (size_t i = 0; i < count; ++i) {
        if (lab_stopped(experiment))
            continue;
        rms_error own = {{0}};
        const rms_status status = job(data, i, &own);
#ifdef _OPENMP
#pragma omp critical(lab_claims)
#endif
        note(&jobs, i, status, &own);
    }
    if (jobs.status != RMS_OK)
        *error = jobs.error;
    return jobs.status;
}

/* ---------------------------------------------------------------------------------------------------
 * Walks
 * ------------------------------------------------------------------------------------------------- */

rms_options lab_rule_at(rms_rule rule, double lr)
{
    rms_options options = rms_options_for(rule);
    options.lr = lr;
    options.threads = 1;
    return options;
}

rms_status lab_walk_begin(struct lab_walk *walk, const rms_options *options, size_t count, rms_error *error)
{
    *walk = (struct lab_walk){.count = count};
    rms_status status = rms_create(&walk->optimizer, options, error);
    if (status != RMS_OK)
        return status;
    status = rms_add(
        walk->optimizer,
        &(rms_tensor){
            .name = "walk", .count = count, .param = walk->parameters, .grad = walk->gradients, .dtype = RMS_F64});
    if (status != RMS_OK) {
        snprintf(error->message, sizeof error->message, "%s", rms_message(walk->optimizer));
        lab_walk_end(walk);
    }
    return status;
}

rms_status lab_walk_step(struct lab_walk *walk, rms_error *error)
{
    const rms_status status = rms_step(walk->optimizer, NULL);
    if (status < 0)
        snprintf(error->message, sizeof error->message, "%s", rms_message(walk->optimizer));
    return status < 0 ? status : RMS_OK; /* a skipped step is one: whoever diverges stays where that was */
}

double lab_walk_rate(struct lab_walk *walk, size_t parameter)
{
    float rates[LAB_WALK_MAX] = {0};
    if (rms_effective_lr(walk->optimizer, 0, rates) != RMS_OK)
        return (double)NAN;
    return (double)rates[parameter];
}

void lab_walk_end(struct lab_walk *walk)
{
    rms_free(walk->optimizer);
    walk->optimizer = NULL;
}

/* ---------------------------------------------------------------------------------------------------
 * Figures
 * ------------------------------------------------------------------------------------------------- */

static bool all_finite(const double *values, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        if (!isfinite(values[i]))
            return false;
    return count > 0;
}

struct lab_figure lab_exact(double value)
{
    return (struct lab_figure){value, value, value, isfinite(value) ? 1 : 0};
}

/* What is a rounding beside the values: a sum of differences that cancel is seldom 0 to the last bit, and an interval that
 * begins at 1e-15 would pass for one above 0. */
static double without_dust(double number, const double *values, size_t count)
{
    double largest = 0;
    for (size_t i = 0; i < count; ++i)
        largest = fabs(values[i]) > largest ? fabs(values[i]) : largest;
    return fabs(number) < DUST * largest ? 0 : number;
}

static struct lab_figure figure_of(double value, double low, double high, const double *values, size_t count)
{
    return (struct lab_figure){without_dust(value, values, count), without_dust(low, values, count),
                               without_dust(high, values, count), isnan(value) ? 0 : count};
}

struct lab_figure lab_mean_of(const struct lab_experiment *experiment, const double *values, size_t count)
{
    if (!all_finite(values, count))
        return (struct lab_figure){.samples = 0};
    const struct lab_mean mean = lab_bootstrap_mean(values, count, experiment->plan->seed ^ BOOTSTRAP_SEED);
    return figure_of(mean.mean, mean.low, mean.high, values, count);
}

struct lab_figure lab_median_of(const struct lab_experiment *experiment, const double *values, size_t count)
{
    if (!all_finite(values, count))
        return (struct lab_figure){.samples = 0};
    const struct lab_interval median = lab_bootstrap_median(values, count, experiment->plan->seed ^ BOOTSTRAP_SEED);
    return figure_of(median.median, median.low, median.high, values, count);
}

static int ascending(const void *left, const void *right)
{
    const double a = *(const double *)left;
    const double b = *(const double *)right;
    return (a > b) - (a < b);
}

double lab_quantile(double *values, size_t count, double share)
{
    if (count == 0)
        return (double)NAN;
    qsort(values, count, sizeof *values, ascending);
    const double place = share * (double)(count - 1);
    const size_t below = (size_t)place;
    const double rest = place - (double)below;
    return rest > 0 ? values[below] + rest * (values[below + 1] - values[below]) : values[below];
}

/* A value and where it stood. */
struct ranked {
    double value;
    size_t place;
};

static int by_value(const void *left, const void *right)
{
    const struct ranked *const a = left;
    const struct ranked *const b = right;
    return (a->value > b->value) - (a->value < b->value);
}

/* Ranks from 0; equal values share the mean of theirs. False when memory is short. */
static bool fill_ranks(double *ranks, const double *values, size_t count)
{
    struct ranked *const sorted = calloc(count, sizeof *sorted);
    if (!sorted)
        return false;
    for (size_t i = 0; i < count; ++i)
        sorted[i] = (struct ranked){values[i], i};
    qsort(sorted, count, sizeof *sorted, by_value);
    for (size_t first = 0; first < count;) {
        size_t end = first + 1;
        while (end < count && sorted[end].value == sorted[first].value)
            ++end;
        for (size_t i = first; i < end; ++i)
            ranks[sorted[i].place] = 0.5 * (double)(first + end - 1);
        first = end;
    }
    free(sorted);
    return true;
}

static double correlation(const double *x, const double *y, size_t count)
{
    double mean_x = 0;
    double mean_y = 0;
    for (size_t i = 0; i < count; ++i) {
        mean_x += x[i] / (double)count;
        mean_y += y[i] / (double)count;
    }
    double products = 0;
    double squares_x = 0;
    double squares_y = 0;
    for (size_t i = 0; i < count; ++i) {
        products += (x[i] - mean_x) * (y[i] - mean_y);
        squares_x += (x[i] - mean_x) * (x[i] - mean_x);
        squares_y += (y[i] - mean_y) * (y[i] - mean_y);
    }
    return products / (sqrt(squares_x) * sqrt(squares_y));
}

double lab_rank_correlation(const double *x, const double *y, size_t count)
{
    double *const ranks = calloc(count, 2 * sizeof *ranks);
    double result = (double)NAN;
    if (ranks && fill_ranks(ranks, x, count) && fill_ranks(ranks + count, y, count))
        result = correlation(ranks, ranks + count, count);
    free(ranks);
    return result;
}

/* ---------------------------------------------------------------------------------------------------
 * Charts
 * ------------------------------------------------------------------------------------------------- */

struct lab_chart *lab_chart_add(struct lab_finding *finding, const struct lab_chart *chart)
{
    if (finding->chart_count == LAB_CHARTS_MAX)
        return NULL;
    finding->charts[finding->chart_count] = *chart;
    return &finding->charts[finding->chart_count++];
}

struct lab_series *lab_series_add(struct lab_chart *chart, const char *name, size_t count, bool banded)
{
    if (!chart || chart->series_count == LAB_SERIES_MAX)
        return NULL;
    double *const block = calloc(count, (banded ? 4 : 2) * sizeof *block);
    if (!block)
        return NULL;
    struct lab_series *const series = &chart->series[chart->series_count++];
    *series = (struct lab_series){.count = count,
                                  .x = block,
                                  .y = block + count,
                                  .low = banded ? block + 2 * count : NULL,
                                  .high = banded ? block + 3 * count : NULL};
    snprintf(series->name, sizeof series->name, "%s", name);
    return series;
}
