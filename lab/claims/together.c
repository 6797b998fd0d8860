/* Claim: all parameters move at the same time, not those with the largest gradients first. */
#include "claims/all.h"
#include "claims/experiment.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define BOWLS 16 /* parameters, of curvature 1 to 1000 */
#define STEEPEST 1000.0
#define NOISE 0.1 /* of the place where a gradient is taken */
#define SEEDS_MAX 20
#define STEPS_MAX 20000
#define NET_STEPS 20

/* Streams of the plan's seed that seeds of runs come from. */
#define BOWLS_STREAM 220
#define NET_STREAM 221

enum { SGD, ADAGRAD, RMSPROP, RULES };
static const rms_rule rules[RULES] = {RMS_SGD, RMS_ADAGRAD, RMS_RMSPROP};
static const char *const names[RULES] = {"SGD", "Adagrad", "RMSProp"};
/* SGD's is the largest that goes straight to the bottom of the steepest bowl; the others' takes about as many steps. */
static const double rates[RULES] = {1 / STEEPEST, 1e-2, 1e-3};

enum {
    APART_RMSPROP,
    APART_ADAGRAD,
    APART_SGD,
    ORDER_SGD,
    SHARE_RMSPROP,
    SHARE_MORE,
    SHARE_ADAGRAD,
    SHARE_SGD,
    VALLEY
};
static const struct lab_measure measures[] = {
    [APART_RMSPROP] = {LAB_FIGURE("apart-rmsprop", "RMSProp: last half-way time over first", ""), LAB_AT_MOST(1.5)},
    [APART_ADAGRAD] = {LAB_FIGURE("apart-adagrad", "Adagrad: last half-way time over first", ""), LAB_AT_MOST(1.5)},
    [APART_SGD] = {LAB_FIGURE("apart-sgd", "SGD: last half-way time over first", ""), LAB_AT_LEAST(100)},
    [ORDER_SGD] = {LAB_FIGURE("order-sgd", "SGD: rank correlation of time with curvature", ""), LAB_AT_MOST(-0.9)},
    [SHARE_RMSPROP] = {LAB_FIGURE("share-rmsprop", "digits, RMSProp: share of the tenth with most gradient", "%"),
                       LAB_AT_MOST(20)},
    [SHARE_MORE] = {LAB_FIGURE("share-more", "digits: SGD's share less RMSProp's", "%"), LAB_ABOVE(0)},
    [SHARE_ADAGRAD] = {LAB_FIGURE("share-adagrad", "digits, Adagrad: share of the tenth with most gradient", "%")},
    [SHARE_SGD] = {LAB_FIGURE("share-sgd", "digits, SGD: share of the tenth with most gradient", "%")},
    [VALLEY] = {LAB_FIGURE("valley", "limit: along over across a valley at 45 degrees", "")},
};

struct results {
    const struct lab_experiment *experiment;
    const struct lab_instance *digits;
    double half_way[RULES][SEEDS_MAX][BOWLS];
    double shares[RULES][SEEDS_MAX]; /* per cent */
};

static double curvature_of(size_t bowl)
{
    return lab_exp(lab_log(STEEPEST) * (double)bowl / (BOWLS - 1));
}

/* The step after which each parameter has come half-way from 1 to 0 for the first time. */
static rms_status bowls_job(void *data, size_t index, rms_error *error)
{
    struct results *const results = data;
    const size_t rule = index % RULES;
    const size_t seed = index / RULES;
    const uint64_t walk_seed = lab_random_bits(results->experiment->plan->seed, BOWLS_STREAM, seed);
    const rms_options options = lab_rule_at(rules[rule], rates[rule]);
    double *const half_way = results->half_way[rule][seed];
    struct lab_walk walk;
    rms_status status = lab_walk_begin(&walk, &options, BOWLS, error);
    if (status != RMS_OK)
        return status;
    for (size_t i = 0; i < BOWLS; ++i)
        walk.parameters[i] = 1;
    size_t arrived = 0;
    for (size_t step = 0; status == RMS_OK && step < STEPS_MAX && arrived < BOWLS; ++step) {
        for (size_t i = 0; i < BOWLS; ++i)
            walk.gradients[i] =
                curvature_of(i) * (walk.parameters[i] + NOISE * lab_random_normal(walk_seed, 200 + i, step));
        status = lab_walk_step(&walk, error);
        for (size_t i = 0; i < BOWLS; ++i)
            if (half_way[i] == 0 && walk.parameters[i] <= 0.5) {
                half_way[i] = (double)(step + 1);
                ++arrived;
            }
    }
    for (size_t i = 0; i < BOWLS; ++i)
        if (half_way[i] == 0)
            half_way[i] = STEPS_MAX;
    lab_walk_end(&walk);
    return status;
}

struct mover {
    double gradient, way;
};

static int by_gradient(const void *left, const void *right)
{
    const struct mover *const a = left;
    const struct mover *const b = right;
    if (a->gradient != b->gradient)
        return a->gradient < b->gradient ? 1 : -1;
    return (a->way < b->way) - (a->way > b->way);
}

/* Which part of all movement is that of the tenth with the largest gradients, in per cent; NaN when memory is short. */
static double share_of_tenth(const struct lab_movement *movement)
{
    struct mover *const movers = calloc(movement->count, sizeof *movers);
    if (!movers)
        return (double)NAN;
    size_t moving = 0;
    double all = 0;
    for (size_t i = 0; i < movement->count; ++i)
        if (movement->gradient_size[i] > 0) {
            movers[moving++] = (struct mover){movement->gradient_size[i], movement->path[i]};
            all += movement->path[i];
        }
    qsort(movers, moving, sizeof *movers, by_gradient);
    double first = 0;
    for (size_t i = 0; i < moving / 10; ++i)
        first += movers[i].way;
    free(movers);
    return 100 * first / all;
}

static rms_status net_job(void *data, size_t index, rms_error *error)
{
    struct results *const results = data;
    const size_t rule = index % RULES;
    const uint64_t run_seed = lab_random_bits(results->experiment->plan->seed, NET_STREAM, index / RULES);
    const rms_options options = lab_rule_at(rules[rule], 1e-3);
    struct lab_movement movement;
    const rms_status status = lab_movement_measure(&movement, results->digits, &options, run_seed, NET_STEPS, error);
    if (status != RMS_OK)
        return status;
    results->shares[rule][index / RULES] = share_of_tenth(&movement);
    lab_movement_free(&movement);
    return RMS_OK;
}

/* Where the axes of a valley are not those of the parameters, dividing by each parameter's gradients cannot even out
 * the curvatures: half-way times along the valley and across it, from the same distance in both. */
static rms_status measure_valley(struct lab_finding *finding, rms_error *error)
{
    const rms_options options = lab_rule_at(RMS_RMSPROP, rates[RMSPROP]);
    double half_way[2] = {0, 0};
    struct lab_walk walk;
    rms_status status = lab_walk_begin(&walk, &options, 2, error);
    if (status != RMS_OK)
        return status;
    walk.parameters[0] = sqrt(2); /* 1 along (1, 1) and 1 across */
    for (size_t step = 1; status == RMS_OK && step <= STEPS_MAX; ++step) {
        const double along = (walk.parameters[0] + walk.parameters[1]) / sqrt(2);
        const double across = (walk.parameters[0] - walk.parameters[1]) / sqrt(2);
        half_way[0] = half_way[0] == 0 && along <= 0.5 ? (double)step : half_way[0];
        half_way[1] = half_way[1] == 0 && across <= 0.5 ? (double)step : half_way[1];
        walk.gradients[0] = (along + STEEPEST * across) / sqrt(2);
        walk.gradients[1] = (along - STEEPEST * across) / sqrt(2);
        status = lab_walk_step(&walk, error);
    }
    lab_walk_end(&walk);
    finding->figures[VALLEY] =
        half_way[0] > 0 && half_way[1] > 0 ? lab_exact(half_way[0] / half_way[1]) : (struct lab_figure){.samples = 0};
    return status;
}

static double apart(const double half_way[BOWLS])
{
    double first = half_way[0];
    double last = half_way[0];
    for (size_t i = 1; i < BOWLS; ++i) {
        first = half_way[i] < first ? half_way[i] : first;
        last = half_way[i] > last ? half_way[i] : last;
    }
    return last / first;
}

static void tell(struct lab_finding *finding, const struct results *results, size_t seeds)
{
    static const size_t aparts[RULES] = {APART_SGD, APART_ADAGRAD, APART_RMSPROP};
    static const size_t shares[RULES] = {SHARE_SGD, SHARE_ADAGRAD, SHARE_RMSPROP};
    double curvatures[BOWLS];
    double values[SEEDS_MAX];
    for (size_t i = 0; i < BOWLS; ++i)
        curvatures[i] = curvature_of(i);
    for (size_t rule = 0; rule < RULES; ++rule) {
        for (size_t seed = 0; seed < seeds; ++seed)
            values[seed] = apart(results->half_way[rule][seed]);
        finding->figures[aparts[rule]] = lab_mean_of(results->experiment, values, seeds);
        finding->figures[shares[rule]] = lab_mean_of(results->experiment, results->shares[rule], seeds);
    }
    for (size_t seed = 0; seed < seeds; ++seed)
        values[seed] = lab_rank_correlation(curvatures, results->half_way[SGD][seed], BOWLS);
    finding->figures[ORDER_SGD] = lab_mean_of(results->experiment, values, seeds);
    for (size_t seed = 0; seed < seeds; ++seed)
        values[seed] = results->shares[SGD][seed] - results->shares[RMSPROP][seed];
    finding->figures[SHARE_MORE] = lab_mean_of(results->experiment, values, seeds);
    snprintf(
        finding->conclusion, sizeof finding->conclusion,
        "With curvatures from 1 to 1000 the last parameter is half-way after %.2f times as many steps as the first "
        "under RMSProp, %.2f under Adagrad, %.3g under SGD. In the digits net the tenth with the largest gradients "
        "makes %.0f %% of all movement under RMSProp, %.0f %% under SGD.",
        finding->figures[APART_RMSPROP].value, finding->figures[APART_ADAGRAD].value, finding->figures[APART_SGD].value,
        finding->figures[SHARE_RMSPROP].value, finding->figures[SHARE_SGD].value);
}

static bool draw(struct lab_finding *finding, const struct results *results, size_t seeds)
{
    struct lab_chart *const chart = lab_chart_add(
        finding, &(struct lab_chart){.name = "together-times",
                                     .title = "When each parameter is half-way",
                                     .x_title = "curvature, log scale",
                                     .y_title = "steps until half-way, log scale",
                                     .words = "Steps until a parameter has come half-way, by curvature. SGD's fall as "
                                              "curvature rises; Adagrad's and RMSProp's are level.",
                                     .x_logarithmic = true,
                                     .y_logarithmic = true});
    for (size_t rule = 0; rule < RULES; ++rule) {
        struct lab_series *const series = lab_series_add(chart, names[rule], BOWLS, false);
        if (!series)
            return false;
        for (size_t i = 0; i < BOWLS; ++i) {
            series->x[i] = curvature_of(i);
            for (size_t seed = 0; seed < seeds; ++seed)
                series->y[i] += results->half_way[rule][seed][i] / (double)seeds;
        }
    }
    return true;
}

static rms_status run(struct lab_experiment *experiment, struct lab_finding *finding, rms_error *error)
{
    const size_t seeds = lab_effort(experiment, SEEDS_MAX, 10);
    struct lab_instance digits;
    rms_status status = lab_instance_open_problem(&digits, lab_problem_find("digits"), error);
    if (status != RMS_OK)
        return status;
    struct results results = {.experiment = experiment, .digits = &digits};
    experiment->to = 0.7;
    status = lab_run_jobs(experiment, RULES * seeds, bowls_job, &results, error);
    experiment->from = 0.7;
    experiment->to = 1;
    if (status == RMS_OK)
        status = lab_run_jobs(experiment, RULES * seeds, net_job, &results, error);
    if (status == RMS_OK)
        status = measure_valley(finding, error);
    lab_instance_close(&digits);
    if (status != RMS_OK || lab_stopped(experiment))
        return status;
    tell(finding, &results, seeds);
    return draw(finding, &results, seeds) ? RMS_OK : lab_out_of_memory(error);
}

const struct lab_claim lab_claim_together = {
    .name = "together",
    .title = "All parameters move at the same time",
    .statement = "All parameters move at the same time, as under Adagrad, not those with the largest gradients first, "
                 "as under SGD.",
    .source = "Duchi, Hazan and Singer, 2011, of Adagrad; Hinton, lecture 6e, 2012",
    .experiment = "Sixteen parameters in bowls of curvature 1 to 1000 start at 1; gradients are curvature times "
                  "(parameter + normal noise of 0.1); SGD at rate 0.001, Adagrad at 0.01, RMSProp at 0.001; 20 seeds "
                  "(quick: 10). Then 20 steps of the digits net: which share of all movement is that of the tenth of "
                  "parameters with the largest gradients; 10 % would be its fair share. The limit: a valley of "
                  "condition 1000 that runs at 45 degrees to both parameters.",
    .measures = measures,
    .measure_count = sizeof measures / sizeof measures[0],
    .run = run,
};
