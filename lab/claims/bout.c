/* Agents against each other, by their mean return over training. */
#include "claims/bout.h"

#include "run.h"
#include "trials.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Streams of the plan's seed that seeds of runs come from. */
#define TUNING_STREAM 600
#define FRESH_STREAM 601

static double in_unit(const struct lab_bout *bout, double score)
{
    const double factor = bout->instance.training.factor;
    return factor != 0 ? factor * score : score;
}

/* From where a run has diverged on, it has learnt nothing: what it had at the start. */
static void mend(double *curve, size_t points)
{
    for (size_t i = 1; i < points; ++i)
        if (!isfinite(curve[i]))
            curve[i] = curve[0];
}

/* One run; *mean is its mean training score, the start left out. */
static rms_status train(const struct lab_bout *bout, size_t contender, double rate, uint64_t seed, double *curve,
                        double *mean, rms_error *error)
{
    struct lab_run run = {.seed = seed, .learning_rate = rate, .trial = lab_trial_none(), .curve = curve};
    const rms_status status = lab_run_train(&run, &bout->instance, &bout->plan.contenders[contender], bout->steps,
                                            bout->experiment->plan->stop, NULL, error);
    if (status != RMS_OK || run.state == LAB_RUN_PENDING)
        return status;
    mend(curve, bout->points);
    double sum = 0;
    for (size_t i = 1; i < bout->points; ++i)
        sum += in_unit(bout, curve[i]);
    *mean = sum / (double)(bout->points - 1);
    return RMS_OK;
}

static rms_status tuning_job(void *data, size_t index, rms_error *error)
{
    struct lab_bout *const bout = data;
    const size_t seed = index % bout->plan.tuning_seeds;
    const size_t rate = index / bout->plan.tuning_seeds % bout->rate_count;
    const size_t contender = index / bout->plan.tuning_seeds / bout->rate_count;
    double *const curve = calloc(bout->points, sizeof *curve);
    if (!curve)
        return lab_out_of_memory(error);
    const uint64_t run_seed = lab_random_bits(bout->experiment->plan->seed, TUNING_STREAM, seed);
    const rms_status status = train(bout, contender, bout->rates[rate], run_seed, curve, &bout->tuning[index], error);
    free(curve);
    return status;
}

static rms_status fresh_job(void *data, size_t index, rms_error *error)
{
    struct lab_bout *const bout = data;
    const size_t contender = index % bout->plan.count;
    const size_t seed = index / bout->plan.count;
    double *const curve = &bout->curves[(contender * bout->plan.seeds + seed) * bout->points];
    const uint64_t run_seed = lab_random_bits(bout->experiment->plan->seed, FRESH_STREAM, seed);
    rms_status status = RMS_OK;
    if (bout->plan.fixed > 0)
        status = train(bout, contender, bout->plan.fixed, run_seed, curve, &bout->fixed[contender][seed], error);
    if (status == RMS_OK)
        status = train(bout, contender, bout->rates[bout->best[contender]], run_seed, curve,
                       &bout->means[contender][seed], error);
    return status;
}

static double tuning_mean(const struct lab_bout *bout, size_t contender, size_t rate)
{
    const double *const scores = &bout->tuning[(contender * bout->rate_count + rate) * bout->plan.tuning_seeds];
    double sum = 0;
    for (size_t i = 0; i < bout->plan.tuning_seeds; ++i)
        sum += scores[i];
    return sum / (double)bout->plan.tuning_seeds;
}

static void choose_rates(struct lab_bout *bout)
{
    for (size_t i = 0; i < bout->plan.count; ++i) {
        bout->best[i] = 0;
        for (size_t rate = 1; rate < bout->rate_count; ++rate)
            if (tuning_mean(bout, i, rate) > tuning_mean(bout, i, bout->best[i]))
                bout->best[i] = rate;
    }
}

static bool allocate(struct lab_bout *bout)
{
    const struct lab_bout_plan *const plan = &bout->plan;
    bout->tuning = calloc(plan->count * bout->rate_count * plan->tuning_seeds, sizeof *bout->tuning);
    bout->curves = calloc(plan->count * plan->seeds * bout->points, sizeof *bout->curves);
    return bout->tuning && bout->curves;
}

static rms_status run_all(struct lab_bout *bout, rms_error *error)
{
    const struct lab_bout_plan *const plan = &bout->plan;
    const size_t tunings = plan->count * bout->rate_count * plan->tuning_seeds;
    const size_t fresh = plan->count * plan->seeds;
    struct lab_experiment part = *bout->experiment;
    const double whole = part.to - part.from;
    const double share = (double)tunings / (double)(tunings + fresh * (plan->fixed > 0 ? 2 : 1));
    bout->experiment = &part;
    part.to = part.from + whole * share;
    rms_status status = lab_run_jobs(&part, tunings, tuning_job, bout, error);
    if (status == RMS_OK && !lab_stopped(&part)) {
        choose_rates(bout);
        part.from = part.to;
        part.to += whole * (1 - share);
        status = lab_run_jobs(&part, fresh, fresh_job, bout, error);
    }
    return status;
}

rms_status lab_bout_run(struct lab_bout *bout, const struct lab_experiment *experiment,
                        const struct lab_bout_plan *plan, rms_error *error)
{
    *bout = (struct lab_bout){.experiment = experiment, .plan = *plan};
    rms_status status = lab_instance_open(&bout->instance, &(struct lab_request){.words = plan->words}, error);
    if (status != RMS_OK)
        return status;
    const size_t stride = lab_effort(experiment, 1, 2);
    for (size_t i = 0; i < plan->rate_count; i += stride)
        bout->rates[bout->rate_count++] = plan->rates[i];
    bout->steps = lab_effort(experiment, bout->instance.steps, bout->instance.quick_steps);
    bout->points = bout->steps / bout->instance.score_every + 1;
    status = allocate(bout) ? run_all(bout, error) : lab_out_of_memory(error);
    bout->experiment = experiment;
    if (status != RMS_OK)
        lab_bout_free(bout);
    return status;
}

void lab_bout_free(struct lab_bout *bout)
{
    lab_instance_close(&bout->instance);
    free(bout->tuning);
    free(bout->curves);
    bout->tuning = NULL;
    bout->curves = NULL;
}

static struct lab_figure difference(const struct lab_bout *bout, const double *ours, const double *theirs)
{
    double values[LAB_BOUT_SEEDS_MAX];
    for (size_t i = 0; i < bout->plan.seeds; ++i)
        values[i] = ours[i] - theirs[i];
    return lab_mean_of(bout->experiment, values, bout->plan.seeds);
}

struct lab_figure lab_bout_difference(const struct lab_bout *bout, size_t a, size_t b)
{
    return difference(bout, bout->means[a], bout->means[b]);
}

struct lab_figure lab_bout_difference_fixed(const struct lab_bout *bout, size_t a, size_t b)
{
    return difference(bout, bout->fixed[a], bout->fixed[b]);
}

struct lab_figure lab_bout_mean(const struct lab_bout *bout, size_t contender)
{
    return lab_mean_of(bout->experiment, bout->means[contender], bout->plan.seeds);
}

bool lab_bout_draw(const struct lab_bout *bout, struct lab_finding *finding, const struct lab_chart *chart)
{
    struct lab_chart *const drawn = lab_chart_add(finding, chart);
    for (size_t contender = 0; contender < bout->plan.count; ++contender) {
        struct lab_series *const series =
            lab_series_add(drawn, bout->plan.contenders[contender].name, bout->points, true);
        if (!series)
            return false;
        for (size_t point = 0; point < bout->points; ++point) {
            double scores[LAB_BOUT_SEEDS_MAX];
            for (size_t i = 0; i < bout->plan.seeds; ++i)
                scores[i] = in_unit(bout, bout->curves[(contender * bout->plan.seeds + i) * bout->points + point]);
            series->x[point] = (double)(point * bout->instance.score_every);
            series->y[point] = lab_quantile(scores, bout->plan.seeds, 0.5);
            series->low[point] = lab_quantile(scores, bout->plan.seeds, 0.25);
            series->high[point] = lab_quantile(scores, bout->plan.seeds, 0.75);
        }
    }
    return true;
}

bool lab_bout_draw_rates(const struct lab_bout *bout, struct lab_finding *finding, const struct lab_chart *chart)
{
    struct lab_chart *const drawn = lab_chart_add(finding, chart);
    for (size_t contender = 0; contender < bout->plan.count; ++contender) {
        struct lab_series *const series =
            lab_series_add(drawn, bout->plan.contenders[contender].name, bout->rate_count, false);
        if (!series)
            return false;
        for (size_t rate = 0; rate < bout->rate_count; ++rate) {
            series->x[rate] = bout->rates[rate];
            series->y[rate] = tuning_mean(bout, contender, rate);
        }
    }
    return true;
}

static bool is_edge(const struct lab_bout *bout, size_t contender)
{
    return bout->best[contender] == 0 || bout->best[contender] + 1 == bout->rate_count;
}

size_t lab_bout_edges(const struct lab_bout *bout)
{
    size_t edges = 0;
    for (size_t i = 0; i < bout->plan.count; ++i)
        edges += is_edge(bout, i);
    return edges;
}

void lab_bout_tell_rates(const struct lab_bout *bout, char *text, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < bout->plan.count && used < size; ++i) {
        const int length =
            snprintf(text + used, size - used, "%s%s %g%s", i > 0 ? "; " : "", bout->plan.contenders[i].name,
                     bout->rates[bout->best[i]], is_edge(bout, i) ? " (edge of the grid)" : "");
        used += length > 0 ? (size_t)length : 0;
    }
}
