/* Claim: RMSProp can still get stuck in a bad minimum, and Adam was the next answer. */
#include "claims/all.h"
#include "claims/contest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define TILT 0.3
#define STARTS_MAX 200 /* to measure; half as many others to choose rates */
#define RUN_STEPS 2000
#define GRID 13
#define DEFAULT_PLACE 3
#define WELLS_SEEDS 50
#define NEAR 0.1 /* above the good minimum's value */
#define NOISE 2.0

static const double grid[GRID] = {1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1, 2, 5, 10};

enum { RMSPROP, CORRECTED, AVERAGED, HEAVY, ADAM, CONTENDERS };
static const char *const names[CONTENDERS] = {"RMSProp", "RMSProp, bias-corrected", "LaProp", "RMSProp, heavy ball",
                                              "Adam"};

enum {
    STUCK_DEFAULT,
    STUCK_BEST,
    ADAM_SAME,
    ADAM_BEST,
    ADAM_NOISE,
    ADAM_WELLS,
    GOOD_RMSPROP,
    GOOD_CORRECTED,
    GOOD_AVERAGED,
    GOOD_HEAVY,
    GOOD_ADAM,
    NOISE_RMSPROP,
    NOISE_CORRECTED,
    NOISE_AVERAGED,
    NOISE_HEAVY,
    NOISE_ADAM,
    WELLS_RMSPROP,
    WELLS_ADAM
};
static const struct lab_measure measures[] = {
    [STUCK_DEFAULT] = {LAB_FIGURE("stuck-default", "RMSProp at rate 0.01: stuck in the bad minimum", "%"),
                       LAB_AT_LEAST(5)},
    [STUCK_BEST] = {LAB_FIGURE("stuck-best", "RMSProp at its best rate: misses the good one", "%"), LAB_ABOVE(0)},
    [ADAM_SAME] = {LAB_FIGURE("adam-same", "Adam gets there more often, both at rate 0.01", "%"), LAB_ABOVE(0)},
    [ADAM_BEST] = {LAB_FIGURE("adam-best", "Adam gets there more often, each at its best rate", "%"), LAB_ABOVE(0)},
    [ADAM_NOISE] = {LAB_FIGURE("adam-noise", "Adam gets there more often, with noisy gradients", "%"), LAB_ABOVE(0)},
    [ADAM_WELLS] = {LAB_FIGURE("adam-wells", "Adam arrives more often in a race on two-wells", "%"), LAB_ABOVE(0)},
    [GOOD_RMSPROP] = {LAB_FIGURE("good-rmsprop", "gets there: RMSProp", "%")},
    [GOOD_CORRECTED] = {LAB_FIGURE("good-corrected", "gets there: RMSProp with bias correction", "%")},
    [GOOD_AVERAGED] = {LAB_FIGURE("good-averaged", "gets there: LaProp (momentum 0.9 as an average)", "%")},
    [GOOD_HEAVY] = {LAB_FIGURE("good-heavy", "gets there: RMSProp with heavy-ball momentum 0.9", "%")},
    [GOOD_ADAM] = {LAB_FIGURE("good-adam", "gets there: Adam", "%")},
    [NOISE_RMSPROP] = {LAB_FIGURE("noise-rmsprop", "noise, gets there: RMSProp", "%")},
    [NOISE_CORRECTED] = {LAB_FIGURE("noise-corrected", "noise, gets there: RMSProp with bias correction", "%")},
    [NOISE_AVERAGED] = {LAB_FIGURE("noise-averaged", "noise, gets there: LaProp", "%")},
    [NOISE_HEAVY] = {LAB_FIGURE("noise-heavy", "noise, gets there: RMSProp with heavy-ball momentum", "%")},
    [NOISE_ADAM] = {LAB_FIGURE("noise-adam", "noise, gets there: Adam", "%")},
    [WELLS_RMSPROP] = {LAB_FIGURE("wells-rmsprop", "two-wells, arrives: RMSProp", "%")},
    [WELLS_ADAM] = {LAB_FIGURE("wells-adam", "two-wells, arrives: Adam", "%")},
};

struct results {
    const struct lab_experiment *experiment;
    size_t starts, tuning; /* starts that are measured, behind those by which rates are chosen */
    /* 100 where a run ends near the good minimum, else 0; and whether it ends in the valley of the bad one. */
    double good[2][CONTENDERS][GRID][STARTS_MAX + STARTS_MAX / 2];
    double bad[2][CONTENDERS][GRID][STARTS_MAX + STARTS_MAX / 2];
};

static rms_options options_of(size_t contender, double rate)
{
    rms_options options = lab_rule_at(contender == ADAM ? RMS_ADAM : RMS_RMSPROP, rate);
    options.bias_correction = contender != RMSPROP && contender != HEAVY;
    options.momentum = contender == AVERAGED || contender == HEAVY ? 0.9 : 0;
    options.momentum_average = contender == AVERAGED;
    return options;
}

/* A bad valley around 0.96 and a good one around -1.04, of values 0.29 and -0.31, and 1.01 between them. */
static double value_at(double x)
{
    return (x * x - 1) * (x * x - 1) + TILT * x;
}

static double slope_at(double x)
{
    return 4 * x * (x * x - 1) + TILT;
}

static double good_minimum(void)
{
    double x = -1;
    for (int i = 0; i < 20; ++i) /* Newton's method */
        x -= slope_at(x) / (12 * x * x - 4);
    return value_at(x);
}

static rms_status run_from(double *end, const rms_options *options, double start, double noise, uint64_t seed,
                           size_t index, rms_error *error)
{
    struct lab_walk walk;
    rms_status status = lab_walk_begin(&walk, options, 1, error);
    walk.parameters[0] = start;
    for (size_t step = 0; status == RMS_OK && step < RUN_STEPS && fabs(walk.parameters[0]) < 1e6; ++step) {
        walk.gradients[0] = slope_at(walk.parameters[0]);
        if (noise > 0)
            walk.gradients[0] += noise * lab_random_normal(seed, 401 + index, step);
        status = lab_walk_step(&walk, error);
    }
    *end = walk.parameters[0];
    lab_walk_end(&walk);
    return status;
}

static rms_status start_job(void *data, size_t index, rms_error *error)
{
    struct results *const results = data;
    const uint64_t seed = results->experiment->plan->seed;
    const double start = 0.2 + 1.8 * lab_random_uniform(seed, 400, index);
    rms_status status = RMS_OK;
    for (size_t noisy = 0; noisy < 2; ++noisy)
        for (size_t contender = 0; contender < CONTENDERS; ++contender)
            for (size_t rate = 0; rate < GRID && status == RMS_OK; ++rate) {
                const rms_options options = options_of(contender, grid[rate]);
                double end = 0;
                status = run_from(&end, &options, start, noisy ? NOISE : 0, seed, index, error);
                const bool good = value_at(end) <= good_minimum() + NEAR;
                results->good[noisy][contender][rate][index] = good ? 100 : 0;
                results->bad[noisy][contender][rate][index] = !good && end > 0.1 ? 100 : 0;
            }
    return status;
}

/* The rate from which most of the tuning starts get there; the least such. */
static size_t best_rate(const struct results *results, size_t noisy, size_t contender)
{
    size_t best = 0;
    double most = -1;
    for (size_t rate = 0; rate < GRID; ++rate) {
        double sum = 0;
        for (size_t start = 0; start < results->tuning; ++start)
            sum += results->good[noisy][contender][rate][start];
        if (sum > most) {
            most = sum;
            best = rate;
        }
    }
    return best;
}

static const double *measured(const struct results *results, size_t noisy, size_t contender, size_t rate)
{
    return &results->good[noisy][contender][rate][results->tuning];
}

static struct lab_figure difference(const struct results *results, const double *ours, const double *theirs)
{
    double values[STARTS_MAX];
    for (size_t start = 0; start < results->starts; ++start)
        values[start] = ours[start] - theirs[start];
    return lab_mean_of(results->experiment, values, results->starts);
}

static void tell(struct lab_finding *finding, const struct results *results)
{
    const struct lab_experiment *const experiment = results->experiment;
    const double *best[2][CONTENDERS];
    for (size_t noisy = 0; noisy < 2; ++noisy)
        for (size_t i = 0; i < CONTENDERS; ++i) {
            best[noisy][i] = measured(results, noisy, i, best_rate(results, noisy, i));
            finding->figures[(noisy ? NOISE_RMSPROP : GOOD_RMSPROP) + i] =
                lab_mean_of(experiment, best[noisy][i], results->starts);
        }
    double missed[STARTS_MAX];
    for (size_t start = 0; start < results->starts; ++start)
        missed[start] = 100 - best[0][RMSPROP][start];
    finding->figures[STUCK_DEFAULT] =
        lab_mean_of(experiment, &results->bad[0][RMSPROP][DEFAULT_PLACE][results->tuning], results->starts);
    finding->figures[STUCK_BEST] = lab_mean_of(experiment, missed, results->starts);
    finding->figures[ADAM_SAME] =
        difference(results, measured(results, 0, ADAM, DEFAULT_PLACE), measured(results, 0, RMSPROP, DEFAULT_PLACE));
    finding->figures[ADAM_BEST] = difference(results, best[0][ADAM], best[0][RMSPROP]);
    finding->figures[ADAM_NOISE] = difference(results, best[1][ADAM], best[1][RMSPROP]);
    snprintf(
        finding->conclusion, sizeof finding->conclusion,
        "From the slopes of a bad valley RMSProp at rate 0.01 ends in its minimum in %.0f %% of starts. At their "
        "best rates RMSProp gets to the good minimum in %.0f %%, Adam (rate %g) in %.0f %%; with noisy gradients in "
        "%.0f and %.0f %%. In a race on the problem two-wells they arrive in %.0f and %.0f %% of runs.",
        finding->figures[STUCK_DEFAULT].value, finding->figures[GOOD_RMSPROP].value, grid[best_rate(results, 0, ADAM)],
        finding->figures[GOOD_ADAM].value, finding->figures[NOISE_RMSPROP].value, finding->figures[NOISE_ADAM].value,
        finding->figures[WELLS_RMSPROP].value, finding->figures[WELLS_ADAM].value);
}

static bool draw(struct lab_finding *finding, const struct results *results)
{
    struct lab_chart *const chart = lab_chart_add(
        finding, &(struct lab_chart){.name = "stuck-rates",
                                     .title = "Starts in the bad valley that get to the good minimum",
                                     .x_title = "learning rate, log scale",
                                     .y_title = "% of starts",
                                     .words = "Share of starts that end in the good minimum, by learning rate, for "
                                              "RMSProp, its variants with bias correction and momentum, and Adam.",
                                     .x_logarithmic = true});
    for (size_t i = 0; i < CONTENDERS; ++i) {
        struct lab_series *const series = lab_series_add(chart, names[i], GRID, true);
        if (!series)
            return false;
        for (size_t rate = 0; rate < GRID; ++rate) {
            const struct lab_figure share =
                lab_mean_of(results->experiment, measured(results, 0, i, rate), results->starts);
            series->x[rate] = grid[rate];
            series->y[rate] = share.value;
            series->low[rate] = share.low;
            series->high[rate] = share.high;
        }
    }
    return true;
}

/* 100 for each fresh seed with which an entry met the target at its tuned rate, else 0. */
static void fill_arrivals(double *arrivals, const struct lab_race *race, size_t entry)
{
    for (size_t i = 0; i < race->plan->report_seeds; ++i)
        arrivals[i] = race->entries[entry].tuned_runs[i].steps_to_target != SIZE_MAX ? 100 : 0;
}

static rms_status race_wells(struct lab_finding *finding, const struct lab_experiment *experiment, rms_error *error)
{
    struct lab_instance wells;
    rms_status status = lab_instance_open(&wells, &(struct lab_request){.words = "two-wells"}, error);
    if (status != RMS_OK)
        return status;
    struct lab_race_plan plan;
    lab_race_plan_standard(&plan, &wells, experiment->plan->quick);
    plan.contender_count = 2;
    plan.contenders[0] = (struct lab_contender){.name = "RMSProp", .options = options_of(RMSPROP, 1e-2)};
    plan.contenders[1] = (struct lab_contender){.name = "Adam", .options = options_of(ADAM, 1e-3)};
    plan.tuning_seeds = 10;
    plan.report_seeds = WELLS_SEEDS;
    plan.seed = experiment->plan->seed;
    plan.threads = experiment->plan->threads;
    struct lab_race race;
    status = lab_contest_run(experiment, &plan, &race, error);
    if (status == RMS_OK) {
        double arrivals[2][WELLS_SEEDS] = {{0}};
        double differences[WELLS_SEEDS];
        fill_arrivals(arrivals[0], &race, 0);
        fill_arrivals(arrivals[1], &race, 1);
        for (size_t i = 0; i < WELLS_SEEDS; ++i)
            differences[i] = arrivals[1][i] - arrivals[0][i];
        finding->figures[WELLS_RMSPROP] = lab_mean_of(experiment, arrivals[0], WELLS_SEEDS);
        finding->figures[WELLS_ADAM] = lab_mean_of(experiment, arrivals[1], WELLS_SEEDS);
        finding->figures[ADAM_WELLS] = lab_mean_of(experiment, differences, WELLS_SEEDS);
        lab_race_free(&race);
    }
    lab_instance_close(&wells);
    return status;
}

static rms_status run(struct lab_experiment *experiment, struct lab_finding *finding, rms_error *error)
{
    struct results *const results = calloc(1, sizeof *results);
    if (!results)
        return lab_out_of_memory(error);
    results->experiment = experiment;
    results->starts = lab_effort(experiment, STARTS_MAX, STARTS_MAX / 4);
    results->tuning = results->starts / 2;
    experiment->to = 0.9;
    rms_status status = lab_run_jobs(experiment, results->starts + results->tuning, start_job, results, error);
    if (status == RMS_OK && !lab_stopped(experiment)) {
        experiment->from = 0.9;
        experiment->to = 1;
        status = race_wells(finding, experiment, error);
    }
    if (status == RMS_OK && !lab_stopped(experiment)) {
        tell(finding, results);
        status = draw(finding, results) ? RMS_OK : lab_out_of_memory(error);
    }
    free(results);
    return status;
}

const struct lab_claim lab_claim_stuck = {
    .name = "stuck",
    .title = "It can still get stuck; Adam was the next answer",
    .statement = "RMSProp can still get stuck in a bad minimum; Adam, with momentum and bias correction, was the next "
                 "answer.",
    .source = "Kingma and Ba, 2015, of Adam",
    .experiment =
        "f(x) = (x^2 - 1)^2 + 0.3 x, started between 0.2 and 2, in the valley of the worse minimum, for 2000 "
        "steps, 200 starts (quick: 50), without noise and with normal noise of 2 in the gradients. A run gets "
        "there when it ends within 0.1 of the better minimum's value. Rates are chosen among 13 from 0.001 "
        "to 10 with half as many other starts. Then a race on the problem two-wells with the protocol of `rmsprop "
        "race`, "
        "10 seeds to tune and 50 to report: the share of runs that meet the target.",
    .measures = measures,
    .measure_count = sizeof measures / sizeof measures[0],
    .run = run,
};
