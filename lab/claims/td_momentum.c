/* Question: does momentum hurt where targets are estimates that move, as in temporal-difference learning? */
#include "claims/all.h"
#include "claims/experiment.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define STATES 19        /* of Sutton and Barto's random walk: from the middle, -1 at the left end, 1 at the right */
#define EPISODE_MAX 4096 /* steps; a walk takes 100 in the mean, and so many in less than 1 of 10^20 */
#define GRID 10
#define MOMENTA 4
#define TUNING_SEEDS 10
#define SEEDS_MAX 100
#define SEED_STREAM 800 /* of the plan's seed, from which the seeds of runs come */

static const double grid[GRID] = {1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1};
static const double momenta[MOMENTA] = {0, 0.5, 0.9, 0.99};

enum { TD, MONTE_CARLO, TARGETS };

enum { HARM_50, HARM_90, HARM_99, STALE_90, STALE_99, ERROR_TD_0, ERROR_TD_90, ERROR_MC_0, ERROR_MC_90, HARM_MC_90 };
static const struct lab_measure measures[] = {
    [HARM_50] = {LAB_FIGURE("harm-0.5", "TD: error with momentum 0.5 less that without", ""), LAB_ABOVE(0)},
    [HARM_90] = {LAB_FIGURE("harm-0.9", "TD: error with momentum 0.9 less that without", ""), LAB_ABOVE(0)},
    [HARM_99] = {LAB_FIGURE("harm-0.99", "TD: error with momentum 0.99 less that without", ""), LAB_ABOVE(0)},
    [STALE_90] = {LAB_FIGURE("stale-0.9", "harm of momentum 0.9 in TD less that with returns", ""), LAB_ABOVE(0)},
    [STALE_99] = {LAB_FIGURE("stale-0.99", "harm of momentum 0.99 in TD less that with returns", ""), LAB_ABOVE(0)},
    [ERROR_TD_0] = {LAB_FIGURE("error-td", "TD without momentum: error of the values", "")},
    [ERROR_TD_90] = {LAB_FIGURE("error-td-0.9", "TD with momentum 0.9: error of the values", "")},
    [ERROR_MC_0] = {LAB_FIGURE("error-returns", "returns without momentum: error of the values", "")},
    [ERROR_MC_90] = {LAB_FIGURE("error-returns-0.9", "returns with momentum 0.9: error of the values", "")},
    [HARM_MC_90] = {LAB_FIGURE("harm-returns-0.9", "returns: error with momentum 0.9 less that without", "")},
};

struct results {
    const struct lab_experiment *experiment;
    size_t seeds, episodes; /* tuning seeds first */
    double errors[TARGETS][MOMENTA][GRID][TUNING_SEEDS + SEEDS_MAX];
};

/* Where a walk went: its states, and what it got in the end. */
struct episode {
    size_t length;
    int states[EPISODE_MAX];
    double reward;
};

static void walk_randomly(struct episode *episode, uint64_t seed, uint64_t number)
{
    int state = STATES / 2;
    episode->length = 0;
    while (state >= 0 && state < STATES && episode->length < EPISODE_MAX) {
        episode->states[episode->length] = state;
        const uint64_t bit = lab_random_below(seed, 500 + number, episode->length++, 2);
        state += bit ? 1 : -1;
    }
    episode->reward = state < 0 ? -1 : state == STATES ? 1 : 0;
}

/* Root mean square error of the values over the states; the true value of state i is (i - 9) / 10. */
static double error_of(const double values[STATES])
{
    double sum = 0;
    for (int i = 0; i < STATES; ++i) {
        const double difference = values[i] - (double)(2 * i + 1 - STATES) / (STATES + 1);
        sum += difference * difference;
    }
    return sqrt(sum / STATES);
}

/* Every visit of a state is a step: towards the value of the next state, or towards what the episode brings. */
static rms_status learn(struct lab_walk *walk, const struct episode *episode, size_t target, rms_error *error)
{
    rms_status status = RMS_OK;
    for (size_t i = 0; status == RMS_OK && i < episode->length; ++i) {
        const bool last = i + 1 == episode->length;
        const double aim = target == MONTE_CARLO || last ? episode->reward : walk->parameters[episode->states[i + 1]];
        const int state = episode->states[i];
        walk->gradients[state] = walk->parameters[state] - aim;
        status = lab_walk_step(walk, error);
        walk->gradients[state] = 0;
    }
    return status;
}

/* One run: the error of the values, mean over the second half of the episodes. */
static rms_status learn_job(void *data, size_t index, rms_error *error)
{
    struct results *const results = data;
    const size_t target = index % TARGETS;
    const size_t momentum = index / TARGETS % MOMENTA;
    const size_t rate = index / TARGETS / MOMENTA % GRID;
    const size_t seed = index / TARGETS / MOMENTA / GRID;
    rms_options options = lab_rule_at(RMS_RMSPROP, grid[rate]);
    options.momentum = momenta[momentum];
    options.momentum_average = momenta[momentum] > 0;
    struct episode *const episode = malloc(sizeof *episode);
    if (!episode)
        return lab_out_of_memory(error);
    struct lab_walk walk;
    rms_status status = lab_walk_begin(&walk, &options, STATES, error);
    const uint64_t run_seed = lab_random_bits(results->experiment->plan->seed, SEED_STREAM, seed);
    double sum = 0;
    size_t count = 0;
    for (size_t number = 0; status == RMS_OK && number < results->episodes; ++number) {
        walk_randomly(episode, run_seed, number);
        status = learn(&walk, episode, target, error);
        if (2 * number >= results->episodes) {
            sum += error_of(walk.parameters);
            ++count;
        }
    }
    results->errors[target][momentum][rate][seed] = sum / (double)count;
    lab_walk_end(&walk);
    free(episode);
    return status;
}

static size_t best_rate(const struct results *results, size_t target, size_t momentum)
{
    size_t best = 0;
    double least = (double)INFINITY;
    for (size_t rate = 0; rate < GRID; ++rate) {
        double sum = 0;
        for (size_t seed = 0; seed < TUNING_SEEDS; ++seed)
            sum += results->errors[target][momentum][rate][seed];
        if (sum < least) {
            least = sum;
            best = rate;
        }
    }
    return best;
}

/* The errors of the measured seeds at the best rate. */
static const double *best_errors(const struct results *results, size_t target, size_t momentum)
{
    return &results->errors[target][momentum][best_rate(results, target, momentum)][TUNING_SEEDS];
}

static void tell_harm(struct lab_finding *finding, const struct results *results)
{
    static const size_t stale[MOMENTA] = {[2] = STALE_90, [3] = STALE_99};
    const size_t seeds = results->seeds - TUNING_SEEDS;
    const double *const td = best_errors(results, TD, 0);
    const double *const returns = best_errors(results, MONTE_CARLO, 0);
    for (size_t momentum = 1; momentum < MOMENTA; ++momentum) {
        const double *const td_with = best_errors(results, TD, momentum);
        const double *const returns_with = best_errors(results, MONTE_CARLO, momentum);
        double harm[SEEDS_MAX];
        double harm_returns[SEEDS_MAX];
        double more[SEEDS_MAX];
        for (size_t seed = 0; seed < seeds; ++seed) {
            harm[seed] = td_with[seed] - td[seed];
            harm_returns[seed] = returns_with[seed] - returns[seed];
            more[seed] = harm[seed] - harm_returns[seed];
        }
        finding->figures[HARM_50 + momentum - 1] = lab_mean_of(results->experiment, harm, seeds);
        if (momentum >= 2)
            finding->figures[stale[momentum]] = lab_mean_of(results->experiment, more, seeds);
        if (momentum == 2)
            finding->figures[HARM_MC_90] = lab_mean_of(results->experiment, harm_returns, seeds);
    }
}

static void tell(struct lab_finding *finding, const struct results *results)
{
    const size_t seeds = results->seeds - TUNING_SEEDS;
    tell_harm(finding, results);
    finding->figures[ERROR_TD_0] = lab_mean_of(results->experiment, best_errors(results, TD, 0), seeds);
    finding->figures[ERROR_TD_90] = lab_mean_of(results->experiment, best_errors(results, TD, 2), seeds);
    finding->figures[ERROR_MC_0] = lab_mean_of(results->experiment, best_errors(results, MONTE_CARLO, 0), seeds);
    finding->figures[ERROR_MC_90] = lab_mean_of(results->experiment, best_errors(results, MONTE_CARLO, 2), seeds);
    snprintf(
        finding->conclusion, sizeof finding->conclusion,
        "Momentum 0.9 changes the error of RMSProp's values by %+.4f in TD (%.4f without it) and by %+.4f where the "
        "same states learn from returns (%.4f without it), each at its best rate; momentum 0.99 by %+.4f in TD.",
        finding->figures[HARM_90].value, finding->figures[ERROR_TD_0].value, finding->figures[HARM_MC_90].value,
        finding->figures[ERROR_MC_0].value, finding->figures[HARM_99].value);
}

static bool draw(struct lab_finding *finding, const struct results *results)
{
    static const char *const names[TARGETS] = {"TD", "returns"};
    struct lab_chart *const chart = lab_chart_add(
        finding, &(struct lab_chart){.name = "td-momentum-error",
                                     .title = "Error of the values against momentum, at best rates",
                                     .x_title = "momentum",
                                     .y_title = "root mean square error",
                                     .words = "Error of the learnt values against momentum, for temporal-difference "
                                              "targets and for returns, each at its best learning rate."});
    for (size_t target = 0; target < TARGETS; ++target) {
        struct lab_series *const series = lab_series_add(chart, names[target], MOMENTA, true);
        if (!series)
            return false;
        for (size_t i = 0; i < MOMENTA; ++i) {
            const struct lab_figure error =
                lab_mean_of(results->experiment, best_errors(results, target, i), results->seeds - TUNING_SEEDS);
            series->x[i] = momenta[i];
            series->y[i] = error.value;
            series->low[i] = error.low;
            series->high[i] = error.high;
        }
    }
    return true;
}

static rms_status run(struct lab_experiment *experiment, struct lab_finding *finding, rms_error *error)
{
    struct results *const results = calloc(1, sizeof *results);
    if (!results)
        return lab_out_of_memory(error);
    results->experiment = experiment;
    results->seeds = TUNING_SEEDS + lab_effort(experiment, SEEDS_MAX, 20);
    results->episodes = 100;
    rms_status status = lab_run_jobs(experiment, results->seeds * TARGETS * MOMENTA * GRID, learn_job, results, error);
    if (status == RMS_OK && !lab_stopped(experiment)) {
        tell(finding, results);
        status = draw(finding, results) ? RMS_OK : lab_out_of_memory(error);
    }
    free(results);
    return status;
}

const struct lab_claim lab_claim_td_momentum = {
    .name = "td-momentum",
    .title = "Momentum hurts temporal-difference learning",
    .statement = "Momentum averages gradients towards targets that have moved since, and so hurts where targets are "
                 "estimates, more than where they are returns.",
    .source = "Bengio, Pineau and Precup, 2021, Correcting momentum in temporal difference learning",
    .experiment =
        "RMSProp learns the values of a random walk of 19 states (Sutton and Barto, example 7.1), 100 episodes, "
        "a step per visit, towards the next state's value (TD) or the episode's return; momentum 0, 0.5, 0.9 "
        "and 0.99 as an average. Root mean square error over states, mean over the last 50 episodes; each at "
        "the best of 10 rates from 0.001 to 1, chosen with 10 seeds, measured with 100 others (quick: 20).",
    .question = true,
    .measures = measures,
    .measure_count = sizeof measures / sizeof measures[0],
    .run = run,
};
