/* Claim: Adagrad's rate only ever falls and peters out before a good point; RMSProp's does not. */
#include "claims/all.h"
#include "claims/contest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define CONSTANT_STEPS 10000
#define NOISY_STEPS 2000
#define WALKERS 16
#define WALL 100.0 /* slope of the first tenth of the way; the rest has slope 1 */
#define WAY_STEPS 2000
#define TUNING_SEEDS 5
#define SEEDS_MAX 20
#define GRID 13
#define SEED_STREAM 302 /* of the plan's seed, from which the seeds of ways come */
#define NOTHING 1e-6    /* per cent of a way: what is left when only roundings are */

enum { ADAGRAD, RMSPROP, RULES };
static const rms_rule rules[RULES] = {RMS_ADAGRAD, RMS_RMSPROP};
static const char *const names[RULES] = {"Adagrad", "RMSProp"};
static const double grid[GRID] = {1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1, 2, 5, 10};
#define DEFAULT_PLACE 3 /* 0.01, PyTorch's default of both */

enum {
    RISES_ADAGRAD,
    RISES_RMSPROP,
    END_ADAGRAD,
    END_RMSPROP,
    WAY_DEFAULT,
    WAY_TUNED,
    DIGITS_DEFAULT,
    DIGITS_TUNED,
    LEFT_ADAGRAD,
    LEFT_RMSPROP,
    LEFT_ADAGRAD_TUNED,
    LEFT_RMSPROP_TUNED,
    BEST_ADAGRAD,
    BEST_RMSPROP,
    DIGITS_ADAGRAD,
    DIGITS_RMSPROP
};
static const struct lab_measure measures[] = {
    [RISES_ADAGRAD] = {LAB_FIGURE("rises-adagrad", "Adagrad: steps after which its rate was higher", ""),
                       LAB_AT_MOST(0)},
    [RISES_RMSPROP] = {LAB_FIGURE("rises-rmsprop", "RMSProp: steps, of 2000, after which it was higher", ""),
                       LAB_AT_LEAST(1)},
    [END_ADAGRAD] = {LAB_FIGURE("end-adagrad", "Adagrad: rate of step 10,000 over the first", ""), LAB_AT_MOST(0.1)},
    [END_RMSPROP] = {LAB_FIGURE("end-rmsprop", "RMSProp: rate of step 10,000 over step 5000", ""),
                     LAB_WITHIN(0.99, 1.01)},
    [WAY_DEFAULT] = {LAB_FIGURE("way-default", "way left at rate 0.01, Adagrad less RMSProp", "%"), LAB_AT_LEAST(1)},
    [WAY_TUNED] = {LAB_FIGURE("way-tuned", "way left at best rates, Adagrad less RMSProp", "%"), LAB_AT_LEAST(1)},
    [DIGITS_DEFAULT] = {LAB_FIGURE("digits-default", "digits at rate 0.01: RMSProp better by", "%"), LAB_ABOVE(0)},
    [DIGITS_TUNED] = {LAB_FIGURE("digits-tuned", "digits, each at its best rate: RMSProp better by", "%"),
                      LAB_ABOVE(0)},
    [LEFT_ADAGRAD] = {LAB_FIGURE("left-adagrad", "Adagrad: way left at rate 0.01", "%")},
    [LEFT_RMSPROP] = {LAB_FIGURE("left-rmsprop", "RMSProp: way left at rate 0.01", "%")},
    [LEFT_ADAGRAD_TUNED] = {LAB_FIGURE("left-adagrad-tuned", "Adagrad: way left at its best rate", "%")},
    [LEFT_RMSPROP_TUNED] = {LAB_FIGURE("left-rmsprop-tuned", "RMSProp: way left at its best rate", "%")},
    [BEST_ADAGRAD] = {LAB_FIGURE("best-adagrad", "Adagrad: its best rate on the way", "")},
    [BEST_RMSPROP] = {LAB_FIGURE("best-rmsprop", "RMSProp: its best rate on the way", "")},
    [DIGITS_ADAGRAD] = {LAB_FIGURE("digits-adagrad", "Adagrad: test accuracy on digits, tuned", "%")},
    [DIGITS_RMSPROP] = {LAB_FIGURE("digits-rmsprop", "RMSProp: test accuracy on digits, tuned", "%")},
};

/* Two walks with each rule: under constant and under noisy gradients. */
struct rates {
    double constant[RULES][CONSTANT_STEPS];
    size_t rises[RULES];
};

/* The seeds of a way and what is left of it at each rate. */
struct ways {
    const struct lab_experiment *experiment;
    size_t seeds;                                       /* tuning ones first */
    double left[RULES][GRID][TUNING_SEEDS + SEEDS_MAX]; /* share of the way, in per cent, mean over parameters */
};

static rms_status walk_constant(struct rates *rates, size_t rule, rms_error *error)
{
    const rms_options options = lab_rule_at(rules[rule], grid[DEFAULT_PLACE]);
    struct lab_walk walk;
    rms_status status = lab_walk_begin(&walk, &options, 1, error);
    for (size_t step = 0; status == RMS_OK && step < CONSTANT_STEPS; ++step) {
        walk.gradients[0] = 1;
        status = lab_walk_step(&walk, error);
        rates->constant[rule][step] = lab_walk_rate(&walk, 0);
    }
    lab_walk_end(&walk);
    return status;
}

static rms_status walk_noisy(struct rates *rates, size_t rule, uint64_t seed, rms_error *error)
{
    const rms_options options = lab_rule_at(rules[rule], grid[DEFAULT_PLACE]);
    struct lab_walk walk;
    rms_status status = lab_walk_begin(&walk, &options, 1, error);
    double before = (double)INFINITY;
    for (size_t step = 0; status == RMS_OK && step < NOISY_STEPS; ++step) {
        walk.gradients[0] = lab_random_normal(seed, 300, step);
        status = lab_walk_step(&walk, error);
        const double rate = lab_walk_rate(&walk, 0);
        rates->rises[rule] += rate > before;
        before = rate;
    }
    lab_walk_end(&walk);
    return status;
}

static rms_status measure_rates(struct rates *rates, const struct lab_experiment *experiment, rms_error *error)
{
    rms_status status = RMS_OK;
    for (size_t rule = 0; rule < RULES && status == RMS_OK; ++rule) {
        status = walk_constant(rates, rule, error);
        if (status == RMS_OK)
            status = walk_noisy(rates, rule, experiment->plan->seed, error);
    }
    return status;
}

/* Down a wall, then over gentle ground to a goal: x runs from 0 to the goal, which has a round bottom. */
static double way_gradient(double x, double goal)
{
    if (x < 0.1 * goal)
        return -WALL;
    const double near = (x - goal) / 0.5;
    return near < -1 ? -1 : near > 1 ? 1 : near;
}

static rms_status way_job(void *data, size_t index, rms_error *error)
{
    struct ways *const ways = data;
    const size_t rule = index % RULES;
    const size_t rate = index / RULES % GRID;
    const size_t seed = index / RULES / GRID;
    const rms_options options = lab_rule_at(rules[rule], grid[rate]);
    const uint64_t way_seed = lab_random_bits(ways->experiment->plan->seed, SEED_STREAM, seed);
    double goals[WALKERS];
    struct lab_walk walk;
    rms_status status = lab_walk_begin(&walk, &options, WALKERS, error);
    if (status != RMS_OK)
        return status;
    for (size_t i = 0; i < WALKERS; ++i)
        goals[i] = lab_exp(lab_log(10) * lab_random_uniform(way_seed, 301, i));
    for (size_t step = 0; status == RMS_OK && step < WAY_STEPS; ++step) {
        for (size_t i = 0; i < WALKERS; ++i)
            walk.gradients[i] = way_gradient(walk.parameters[i], goals[i]);
        status = lab_walk_step(&walk, error);
    }
    for (size_t i = 0; i < WALKERS; ++i) {
        const double left = 100 * fabs(walk.parameters[i] - goals[i]) / goals[i];
        ways->left[rule][rate][seed] += left <= NOTHING ? 0 : left / WALKERS;
    }
    lab_walk_end(&walk);
    return status;
}

/* The rate at which least is left in the mean over the tuning seeds. */
static size_t best_rate(const struct ways *ways, size_t rule)
{
    size_t best = 0;
    double least = (double)INFINITY;
    for (size_t rate = 0; rate < GRID; ++rate) {
        double sum = 0;
        for (size_t seed = 0; seed < TUNING_SEEDS; ++seed)
            sum += ways->left[rule][rate][seed];
        if (sum < least) {
            least = sum;
            best = rate;
        }
    }
    return best;
}

/* What Adagrad has left less what RMSProp has, each at a rate of its own. */
static struct lab_figure more_left(const struct ways *ways, size_t adagrad_rate, size_t rmsprop_rate)
{
    const double *const adagrad = &ways->left[ADAGRAD][adagrad_rate][TUNING_SEEDS];
    const double *const rmsprop = &ways->left[RMSPROP][rmsprop_rate][TUNING_SEEDS];
    const size_t seeds = ways->seeds - TUNING_SEEDS;
    double values[SEEDS_MAX];
    for (size_t seed = 0; seed < seeds; ++seed)
        values[seed] = adagrad[seed] - rmsprop[seed];
    return lab_mean_of(ways->experiment, values, seeds);
}

static void tell_ways(struct lab_finding *finding, const struct ways *ways)
{
    const size_t best[RULES] = {best_rate(ways, ADAGRAD), best_rate(ways, RMSPROP)};
    const size_t seeds = ways->seeds - TUNING_SEEDS;
    for (size_t rule = 0; rule < RULES; ++rule) {
        const double *const plain = &ways->left[rule][DEFAULT_PLACE][TUNING_SEEDS];
        finding->figures[BEST_ADAGRAD + rule] = lab_exact(grid[best[rule]]);
        const double *const tuned = &ways->left[rule][best[rule]][TUNING_SEEDS];
        finding->figures[LEFT_ADAGRAD + rule] = lab_mean_of(ways->experiment, plain, seeds);
        finding->figures[LEFT_ADAGRAD_TUNED + rule] = lab_mean_of(ways->experiment, tuned, seeds);
    }
    finding->figures[WAY_DEFAULT] = more_left(ways, DEFAULT_PLACE, DEFAULT_PLACE);
    finding->figures[WAY_TUNED] = more_left(ways, best[ADAGRAD], best[RMSPROP]);
}

static rms_status measure_ways(struct lab_finding *finding, struct lab_experiment *experiment, rms_error *error)
{
    struct ways *const ways = calloc(1, sizeof *ways);
    if (!ways)
        return lab_out_of_memory(error);
    ways->experiment = experiment;
    ways->seeds = TUNING_SEEDS + lab_effort(experiment, SEEDS_MAX, 10);
    const rms_status status = lab_run_jobs(experiment, ways->seeds * RULES * GRID, way_job, ways, error);
    if (status == RMS_OK && !lab_stopped(experiment))
        tell_ways(finding, ways);
    free(ways);
    return status;
}

static void tell_digits(struct lab_finding *finding, const struct lab_experiment *experiment,
                        const struct lab_race *race)
{
    double values[LAB_SEEDS_MAX];
    size_t count = lab_contest_differences(race, RMSPROP, ADAGRAD, false, values);
    finding->figures[DIGITS_DEFAULT] = lab_mean_of(experiment, values, count);
    count = lab_contest_differences(race, RMSPROP, ADAGRAD, true, values);
    finding->figures[DIGITS_TUNED] = lab_mean_of(experiment, values, count);
    for (size_t rule = 0; rule < RULES; ++rule) {
        count = lab_contest_scores(race, rule, true, values);
        finding->figures[DIGITS_ADAGRAD + rule] = lab_mean_of(experiment, values, count);
    }
}

static rms_status race_digits(struct lab_finding *finding, const struct lab_experiment *experiment, rms_error *error)
{
    struct lab_instance digits;
    rms_status status = lab_instance_open_problem(&digits, lab_problem_find("digits"), error);
    if (status != RMS_OK)
        return status;
    struct lab_race_plan plan;
    lab_race_plan_standard(&plan, &digits, experiment->plan->quick);
    plan.contender_count = RULES;
    for (size_t rule = 0; rule < RULES; ++rule)
        plan.contenders[rule] =
            (struct lab_contender){.name = names[rule], .options = lab_rule_at(rules[rule], grid[DEFAULT_PLACE])};
    plan.seed = experiment->plan->seed;
    plan.threads = experiment->plan->threads;
    plan.report_seeds = 10;
    struct lab_race race;
    status = lab_contest_run(experiment, &plan, &race, error);
    if (status == RMS_OK && !race.interrupted) {
        tell_digits(finding, experiment, &race);
        if (!lab_contest_draw(finding,
                              &(struct lab_chart){.name = "adagrad-digits",
                                                  .title = "Digits, each at its best rate",
                                                  .x_title = "step",
                                                  .y_title = "training loss, log scale",
                                                  .words = "Training loss on the digits of Adagrad and RMSProp, median "
                                                           "and quartiles over seeds, each at its tuned learning rate.",
                                                  .y_logarithmic = true},
                              &race))
            status = lab_out_of_memory(error);
    }
    if (status == RMS_OK)
        lab_race_free(&race);
    lab_instance_close(&digits);
    return status;
}

static bool draw_rates(struct lab_finding *finding, const struct rates *rates)
{
    struct lab_chart *const chart = lab_chart_add(
        finding,
        &(struct lab_chart){.name = "adagrad-rate",
                            .title = "Effective rate under a constant gradient",
                            .x_title = "step, log scale",
                            .y_title = "effective rate, log scale",
                            .words = "Effective learning rate under a constant gradient. Adagrad's falls with the "
                                     "square root of the step for ever; RMSProp's settles.",
                            .x_logarithmic = true,
                            .y_logarithmic = true});
    for (size_t rule = 0; rule < RULES; ++rule) {
        struct lab_series *const series = lab_series_add(chart, names[rule], 81, false);
        if (!series)
            return false;
        for (size_t point = 0; point < series->count; ++point) {
            const double step = floor(lab_exp(lab_log(CONSTANT_STEPS) * (double)point / 80) + 0.5);
            series->x[point] = step;
            series->y[point] = rates->constant[rule][(size_t)step - 1];
        }
    }
    return true;
}

static void tell_rates(struct lab_finding *finding, const struct rates *rates)
{
    const double *const adagrad = rates->constant[ADAGRAD];
    const double *const rmsprop = rates->constant[RMSPROP];
    finding->figures[RISES_ADAGRAD] = lab_exact((double)rates->rises[ADAGRAD]);
    finding->figures[RISES_RMSPROP] = lab_exact((double)rates->rises[RMSPROP]);
    finding->figures[END_ADAGRAD] = lab_exact(adagrad[CONSTANT_STEPS - 1] / adagrad[0]);
    finding->figures[END_RMSPROP] = lab_exact(rmsprop[CONSTANT_STEPS - 1] / rmsprop[CONSTANT_STEPS / 2 - 1]);
}

static rms_status run(struct lab_experiment *experiment, struct lab_finding *finding, rms_error *error)
{
    struct rates *const rates = calloc(1, sizeof *rates);
    if (!rates)
        return lab_out_of_memory(error);
    rms_status status = measure_rates(rates, experiment, error);
    experiment->to = 0.2;
    if (status == RMS_OK)
        status = measure_ways(finding, experiment, error);
    experiment->from = 0.2;
    experiment->to = 1;
    if (status == RMS_OK) {
        tell_rates(finding, rates);
        status = draw_rates(finding, rates) ? race_digits(finding, experiment, error) : lab_out_of_memory(error);
    }
    free(rates);
    snprintf(
        finding->conclusion, sizeof finding->conclusion,
        "Under a constant gradient Adagrad's rate at step 10,000 is %.2g times the first, RMSProp's %.3g times that at "
        "step 5000. "
        "Behind a wall Adagrad has %.0f %% of the way left at rate 0.01, RMSProp %.0f %%; at their best rates %.2g "
        "and %.2g %%. On digits RMSProp is better by %.2f points at 0.01 and by %.2f at the best rates.",
        finding->figures[END_ADAGRAD].value, finding->figures[END_RMSPROP].value, finding->figures[LEFT_ADAGRAD].value,
        finding->figures[LEFT_RMSPROP].value, finding->figures[LEFT_ADAGRAD_TUNED].value,
        finding->figures[LEFT_RMSPROP_TUNED].value, finding->figures[DIGITS_DEFAULT].value,
        finding->figures[DIGITS_TUNED].value);
    return status;
}

const struct lab_claim lab_claim_adagrad = {
    .name = "adagrad",
    .title = "Adagrad's rate peters out, RMSProp's does not",
    .statement =
        "Adagrad's learning rate only ever falls and peters out before a good point is reached; RMSProp's does "
        "not.",
    .source = "Hinton, lecture 6e, 2012",
    .experiment =
        "Rates under a constant gradient for 10,000 steps and under normal noise for 2000. Sixteen parameters "
        "on a way of 1 to 10 whose first tenth is 100 times as steep as the rest: the share left after 2000 "
        "steps at rate 0.01, PyTorch's default of both, and at the best of 13 rates from 0.001 to 10, chosen "
        "with 5 seeds, measured with 20 others (quick: 10). Then a race on the digits, test accuracy, 10 "
        "seeds, with the protocol of `rmsprop race`.",
    .measures = measures,
    .measure_count = sizeof measures / sizeof measures[0],
    .run = run,
};
