/* Claim: the sizes of steps are balanced across parameters, whatever the sizes of their gradients. */
#include "claims/all.h"
#include "claims/experiment.h"

#include <math.h>
#include <stdio.h>

#define SCALES 8     /* 1e-4 to 1e3 */
#define LIMIT SCALES /* one parameter more, whose gradients are as small as epsilon */
#define SEEDS_MAX 20
#define RATE 1e-3
#define FIRST_STEPS 100 /* of the net's training */

/* Streams of the plan's seed that seeds of runs come from. */
#define WALK_STREAM 120
#define NET_STREAM 121

enum { SGD, ADAGRAD, RMSPROP, ADAM, RULES };
static const rms_rule rules[RULES] = {RMS_SGD, RMS_ADAGRAD, RMS_RMSPROP, RMS_ADAM};
static const char *const names[RULES] = {"SGD", "Adagrad", "RMSProp", "Adam"};

enum {
    SPREAD_RMSPROP,
    SPREAD_SGD,
    EXPONENT,
    NET_RATIO,
    SPREAD_ADAGRAD,
    SPREAD_ADAM,
    NET_RMSPROP,
    NET_SGD,
    NEAR_EPSILON
};
static const struct lab_measure measures[] = {
    [SPREAD_RMSPROP] = {LAB_FIGURE("spread-rmsprop", "RMSProp: largest mean step over smallest", ""), LAB_AT_MOST(1.5)},
    [SPREAD_SGD] = {LAB_FIGURE("spread-sgd", "SGD: largest mean step over smallest", ""), LAB_AT_LEAST(1000)},
    [EXPONENT] = {LAB_FIGURE("exponent", "RMSProp: exponent of rate against gradient size", ""),
                  LAB_WITHIN(-1.05, -0.95)},
    [NET_RATIO] = {LAB_FIGURE("net-ratio", "digits net: SGD's spread of steps over RMSProp's", ""), LAB_ABOVE(1)},
    [SPREAD_ADAGRAD] = {LAB_FIGURE("spread-adagrad", "Adagrad: largest mean step over smallest", "")},
    [SPREAD_ADAM] = {LAB_FIGURE("spread-adam", "Adam: largest mean step over smallest", "")},
    [NET_RMSPROP] = {LAB_FIGURE("net-rmsprop", "digits net, RMSProp: spread (95 % over 5 %)", "")},
    [NET_SGD] = {LAB_FIGURE("net-sgd", "digits net, SGD: spread (95 % over 5 %)", "")},
    [NEAR_EPSILON] = {LAB_FIGURE("near-epsilon", "RMSProp: step where gradients are 1e-8, over others", "")},
};

struct results {
    const struct lab_experiment *experiment;
    const struct lab_instance *digits;
    size_t steps;
    double steps_taken[RULES][SEEDS_MAX][SCALES + 1]; /* mean size of a parameter's step */
    double rates[SEEDS_MAX][SCALES + 1];              /* RMSProp's, at the end */
    double net[2][SEEDS_MAX];                         /* spread on digits: SGD, RMSProp */
};

static double scale_of(size_t parameter)
{
    static const double scales[SCALES + 1] = {1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1000, 1e-8};
    return scales[parameter];
}

/* One rule with one seed: mean sizes of steps over the second half. */
static rms_status walk_job(void *data, size_t index, rms_error *error)
{
    struct results *const results = data;
    const size_t rule = index % RULES;
    const size_t seed = index / RULES;
    const uint64_t walk_seed = lab_random_bits(results->experiment->plan->seed, WALK_STREAM, seed);
    const rms_options options = lab_rule_at(rules[rule], RATE);
    struct lab_walk walk;
    rms_status status = lab_walk_begin(&walk, &options, SCALES + 1, error);
    if (status != RMS_OK)
        return status;
    for (size_t step = 0; status == RMS_OK && step < results->steps; ++step) {
        double before[SCALES + 1];
        for (size_t i = 0; i <= SCALES; ++i) {
            before[i] = walk.parameters[i];
            walk.gradients[i] = scale_of(i) * lab_random_normal(walk_seed, 100 + i, step);
        }
        status = lab_walk_step(&walk, error);
        for (size_t i = 0; i <= SCALES && 2 * step >= results->steps; ++i)
            results->steps_taken[rule][seed][i] +=
                fabs(walk.parameters[i] - before[i]) / (0.5 * (double)results->steps);
    }
    for (size_t i = 0; i <= SCALES && rule == RMSPROP; ++i)
        results->rates[seed][i] = lab_walk_rate(&walk, i);
    lab_walk_end(&walk);
    return status;
}

/* How far apart the ways of a net's parameters are. Those whose gradients are always 0, of pixels that are white in
 * every image, stand still under any rule and are left out. */
static rms_status net_job(void *data, size_t index, rms_error *error)
{
    static const rms_rule compared[2] = {RMS_SGD, RMS_RMSPROP};
    struct results *const results = data;
    const size_t rule = index % 2;
    const uint64_t run_seed = lab_random_bits(results->experiment->plan->seed, NET_STREAM, index / 2);
    const rms_options options = lab_rule_at(compared[rule], RATE);
    struct lab_movement movement;
    const rms_status status = lab_movement_measure(&movement, results->digits, &options, run_seed, FIRST_STEPS, error);
    if (status != RMS_OK)
        return status;
    size_t moving = 0;
    for (size_t i = 0; i < movement.count; ++i)
        if (movement.gradient_size[i] > 0)
            movement.path[moving++] = movement.path[i];
    const double high = lab_quantile(movement.path, moving, 0.95);
    results->net[rule][index / 2] = high / lab_quantile(movement.path, moving, 0.05);
    lab_movement_free(&movement);
    return RMS_OK;
}

static double spread(const double sizes[SCALES + 1])
{
    double least = sizes[0];
    double most = sizes[0];
    for (size_t i = 1; i < SCALES; ++i) {
        least = sizes[i] < least ? sizes[i] : least;
        most = sizes[i] > most ? sizes[i] : most;
    }
    return most / least;
}

/* Of the straight line through log rate against log size. */
static double exponent(const double rates[SCALES + 1])
{
    double products = 0;
    double squares = 0;
    for (size_t i = 0; i < SCALES; ++i) {
        const double x = (double)i - 0.5 * (SCALES - 1); /* in decades, from their middle */
        products += x * lab_log(rates[i]) / lab_log(10);
        squares += x * x;
    }
    return products / squares;
}

static void tell(struct lab_finding *finding, const struct results *results, size_t seeds)
{
    static const size_t places[RULES] = {SPREAD_SGD, SPREAD_ADAGRAD, SPREAD_RMSPROP, SPREAD_ADAM};
    double values[SEEDS_MAX];
    for (size_t rule = 0; rule < RULES; ++rule) {
        for (size_t seed = 0; seed < seeds; ++seed)
            values[seed] = spread(results->steps_taken[rule][seed]);
        finding->figures[places[rule]] = lab_mean_of(results->experiment, values, seeds);
    }
    for (size_t seed = 0; seed < seeds; ++seed)
        values[seed] = exponent(results->rates[seed]);
    finding->figures[EXPONENT] = lab_mean_of(results->experiment, values, seeds);
    for (size_t seed = 0; seed < seeds; ++seed) {
        const double *const sizes = results->steps_taken[RMSPROP][seed];
        values[seed] = sizes[LIMIT] / sizes[SCALES - 1];
    }
    finding->figures[NEAR_EPSILON] = lab_mean_of(results->experiment, values, seeds);
    finding->figures[NET_SGD] = lab_mean_of(results->experiment, results->net[0], seeds);
    finding->figures[NET_RMSPROP] = lab_mean_of(results->experiment, results->net[1], seeds);
    for (size_t seed = 0; seed < seeds; ++seed)
        values[seed] = results->net[0][seed] / results->net[1][seed];
    finding->figures[NET_RATIO] = lab_mean_of(results->experiment, values, seeds);

    snprintf(
        finding->conclusion, sizeof finding->conclusion,
        "Gradients seven decades apart: the largest mean step is %.2f times the smallest under RMSProp, %.2g times "
        "under SGD. In the digits net the spread of steps is %.2g under RMSProp and %.2g under SGD.",
        finding->figures[SPREAD_RMSPROP].value, finding->figures[SPREAD_SGD].value, finding->figures[NET_RMSPROP].value,
        finding->figures[NET_SGD].value);
}

static bool draw(struct lab_finding *finding, const struct results *results, size_t seeds)
{
    struct lab_chart *const chart = lab_chart_add(
        finding, &(struct lab_chart){.name = "balance-steps",
                                     .title = "Size of a step against size of the gradients",
                                     .x_title = "gradient size, log scale",
                                     .y_title = "mean step over learning rate, log scale",
                                     .words = "Mean size of a step for gradients from 0.0001 to 1000. SGD's rises in "
                                              "proportion; those of Adagrad, RMSProp and Adam are level.",
                                     .x_logarithmic = true,
                                     .y_logarithmic = true});
    for (size_t rule = 0; rule < RULES; ++rule) {
        struct lab_series *const series = lab_series_add(chart, names[rule], SCALES, false);
        if (!series)
            return false;
        for (size_t i = 0; i < SCALES; ++i) {
            series->x[i] = scale_of(i);
            for (size_t seed = 0; seed < seeds; ++seed)
                series->y[i] += results->steps_taken[rule][seed][i] / RATE / (double)seeds;
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
    struct results results = {.experiment = experiment, .digits = &digits, .steps = lab_effort(experiment, 4000, 2000)};
    experiment->to = 0.5;
    status = lab_run_jobs(experiment, RULES * seeds, walk_job, &results, error);
    experiment->from = 0.5;
    experiment->to = 1;
    if (status == RMS_OK)
        status = lab_run_jobs(experiment, 2 * seeds, net_job, &results, error);
    lab_instance_close(&digits);
    if (status != RMS_OK || lab_stopped(experiment))
        return status;
    tell(finding, &results, seeds);
    return draw(finding, &results, seeds) ? RMS_OK : lab_out_of_memory(error);
}

const struct lab_claim lab_claim_balance = {
    .name = "balance",
    .title = "Steps are balanced across parameters",
    .statement = "Parameters with larger gradients in their history take smaller effective steps: the sizes of steps "
                 "are balanced across parameters.",
    .source = "Hinton, lecture 6e, 2012",
    .experiment =
        "Eight parameters get normal noise of standard deviation 0.0001 to 1000 as gradients, 4000 steps "
        "(quick: 2000) at learning rate 0.001, 20 seeds (10); sizes of steps are means over the second half. "
        "Then 100 steps of the digits net with RMSProp and with SGD: the 95 % quantile over the 5 % quantile of the "
        "ways that its parameters went, those without any gradient left out.",
    .measures = measures,
    .measure_count = sizeof measures / sizeof measures[0],
    .run = run,
};
