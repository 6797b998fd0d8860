/* Claim: in reinforcement learning, where data shift and are not independent, momentum may hurt. */
#include "claims/all.h"
#include "claims/bout.h"

#include <stdio.h>

enum { PLAIN, MOMENTUM, ADAM_PLAIN, ADAM, CONTENDERS };

/* What becomes of each problem: two checks, without momentum against with it, and two returns. */
enum { BETTER_RMSPROP, BETTER_ADAM, RETURN_PLAIN, RETURN_MOMENTUM, KINDS };
enum { CATCH, SHIFT, DQN, CARTPOLE, PROBLEMS };
#define QUICK_PROBLEMS 2

#define PLACE(problem, kind) [(problem)*KINDS + (kind)]
static const struct lab_measure measures[] = {
    PLACE(CATCH, BETTER_RMSPROP) = {LAB_FIGURE("catch-rmsprop", "Catch: RMSProp without momentum better by", ""),
                                    LAB_ABOVE(0)},
    PLACE(CATCH, BETTER_ADAM) = {LAB_FIGURE("catch-adam", "Catch: Adam without beta1 better by", ""), LAB_ABOVE(0)},
    PLACE(CATCH, RETURN_PLAIN) = {LAB_FIGURE("catch", "Catch: return of RMSProp", "")},
    PLACE(CATCH, RETURN_MOMENTUM) = {LAB_FIGURE("catch-momentum", "Catch: return of RMSProp with momentum", "")},
    PLACE(SHIFT,
          BETTER_RMSPROP) = {LAB_FIGURE("shift-rmsprop", "shifting Catch: RMSProp without momentum better by", ""),
                             LAB_ABOVE(0)},
    PLACE(SHIFT, BETTER_ADAM) = {LAB_FIGURE("shift-adam", "shifting Catch: Adam without beta1 better by", ""),
                                 LAB_ABOVE(0)},
    PLACE(SHIFT, RETURN_PLAIN) = {LAB_FIGURE("shift", "shifting Catch: return of RMSProp", "")},
    PLACE(SHIFT,
          RETURN_MOMENTUM) = {LAB_FIGURE("shift-momentum", "shifting Catch: return of RMSProp with momentum", "")},
    PLACE(DQN, BETTER_RMSPROP) = {LAB_FIGURE("dqn-rmsprop", "Catch, DQN: RMSProp without momentum better by", ""),
                                  LAB_ABOVE(0), .full_only = true},
    PLACE(DQN, BETTER_ADAM) = {LAB_FIGURE("dqn-adam", "Catch, DQN: Adam without beta1 better by", ""), LAB_ABOVE(0),
                               .full_only = true},
    PLACE(DQN, RETURN_PLAIN) = {LAB_FIGURE("dqn", "Catch, DQN: return of RMSProp", ""), .full_only = true},
    PLACE(DQN, RETURN_MOMENTUM) = {LAB_FIGURE("dqn-momentum", "Catch, DQN: return of RMSProp with momentum", ""),
                                   .full_only = true},
    PLACE(CARTPOLE,
          BETTER_RMSPROP) = {LAB_FIGURE("cartpole-rmsprop", "CartPole: RMSProp without momentum better by", ""),
                             LAB_ABOVE(0), .full_only = true},
    PLACE(CARTPOLE, BETTER_ADAM) = {LAB_FIGURE("cartpole-adam", "CartPole: Adam without beta1 better by", ""),
                                    LAB_ABOVE(0), .full_only = true},
    PLACE(CARTPOLE, RETURN_PLAIN) = {LAB_FIGURE("cartpole", "CartPole: return of RMSProp", ""), .full_only = true},
    PLACE(CARTPOLE,
          RETURN_MOMENTUM) = {LAB_FIGURE("cartpole-momentum", "CartPole: return of RMSProp with momentum", ""),
                              .full_only = true},
};

static const char *const words[PROBLEMS] = {"catch", "catch:invert=28800", "catch-dqn", "cartpole"};
static const double rates[] = {5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2};

static void fill_contenders(struct lab_contender contenders[CONTENDERS])
{
    static const char *const names[CONTENDERS] = {"RMSProp", "RMSProp, momentum 0.9", "Adam, beta1 0", "Adam"};
    for (size_t i = 0; i < CONTENDERS; ++i)
        contenders[i] = (struct lab_contender){.name = names[i],
                                               .options = lab_rule_at(i < ADAM_PLAIN ? RMS_RMSPROP : RMS_ADAM, 1e-3)};
    contenders[MOMENTUM].options.momentum = 0.9;
    contenders[MOMENTUM].options.momentum_average = true;
    contenders[ADAM_PLAIN].options.beta1 = 0;
}

static bool draw(struct lab_finding *finding, const struct lab_bout *bout, size_t problem)
{
    static const struct lab_chart charts[PROBLEMS] = {
        [SHIFT] = {.name = "momentum-shift",
                   .title = "Catch whose controls swap",
                   .x_title = "update",
                   .y_title = "mean return of the last 100 episodes",
                   .words = "Mean return over the updates of training on Catch whose controls swap every 200 updates, "
                            "median and quartiles over seeds, of RMSProp and Adam with and without momentum."},
        [CARTPOLE] = {.name = "momentum-cartpole",
                      .title = "CartPole",
                      .x_title = "update",
                      .y_title = "mean return of the last 100 episodes",
                      .words =
                          "Mean return over the updates of training on CartPole, median and quartiles over seeds, of "
                          "RMSProp and Adam with and without momentum."},
    };
    return !charts[problem].name || lab_bout_draw(bout, finding, &charts[problem]);
}

static rms_status play(struct lab_finding *finding, const struct lab_experiment *experiment, size_t problem,
                       size_t *edges, rms_error *error)
{
    struct lab_contender contenders[CONTENDERS];
    fill_contenders(contenders);
    const struct lab_bout_plan plan = {.words = words[problem],
                                       .contenders = contenders,
                                       .count = CONTENDERS,
                                       .rates = rates,
                                       .rate_count = sizeof rates / sizeof rates[0],
                                       .tuning_seeds = lab_effort(experiment, 5, 3),
                                       .seeds = lab_effort(experiment, 30, 12)};
    struct lab_bout bout;
    rms_status status = lab_bout_run(&bout, experiment, &plan, error);
    if (status != RMS_OK)
        return status;
    if (!lab_stopped(experiment)) {
        struct lab_figure *const figures = &finding->figures[problem * KINDS];
        *edges += lab_bout_edges(&bout);
        figures[BETTER_RMSPROP] = lab_bout_difference(&bout, PLAIN, MOMENTUM);
        figures[BETTER_ADAM] = lab_bout_difference(&bout, ADAM_PLAIN, ADAM);
        figures[RETURN_PLAIN] = lab_bout_mean(&bout, PLAIN);
        figures[RETURN_MOMENTUM] = lab_bout_mean(&bout, MOMENTUM);
        status = draw(finding, &bout, problem) ? RMS_OK : lab_out_of_memory(error);
    }
    lab_bout_free(&bout);
    return status;
}

static void conclude(struct lab_finding *finding, size_t count, size_t edges)
{
    static const char *const names[PROBLEMS] = {"Catch", "shifting Catch", "Catch by DQN", "CartPole"};
    int used = snprintf(finding->conclusion, sizeof finding->conclusion,
                        "Mean return over training, without momentum less with it, of RMSProp and of Adam:");
    for (size_t i = 0; i < count && used > 0 && (size_t)used < sizeof finding->conclusion; ++i) {
        const struct lab_figure *const figures = &finding->figures[i * KINDS];
        used +=
            snprintf(finding->conclusion + used, sizeof finding->conclusion - (size_t)used, "%s %+.3g and %+.3g on %s",
                     i > 0 ? ";" : "", figures[BETTER_RMSPROP].value, figures[BETTER_ADAM].value, names[i]);
    }
    if (used > 0 && (size_t)used < sizeof finding->conclusion)
        snprintf(finding->conclusion + used, sizeof finding->conclusion - (size_t)used,
                 ". Of %zu best rates %zu lie at an edge of the grid.", count * CONTENDERS, edges);
}

static rms_status run(struct lab_experiment *experiment, struct lab_finding *finding, rms_error *error)
{
    /* The shares of the time that they take. */
    static const double ends[2][PROBLEMS + 1] = {{0, 0.06, 0.12, 0.7, 1}, {0, 0.5, 1, 1, 1}};
    const size_t count = lab_effort(experiment, PROBLEMS, QUICK_PROBLEMS);
    size_t edges = 0;
    rms_status status = RMS_OK;
    for (size_t i = 0; i < count && status == RMS_OK && !lab_stopped(experiment); ++i) {
        experiment->from = ends[experiment->plan->quick][i];
        experiment->to = ends[experiment->plan->quick][i + 1];
        status = play(finding, experiment, i, &edges, error);
    }
    conclude(finding, count, edges);
    return status;
}

const struct lab_claim lab_claim_momentum = {
    .name = "momentum",
    .title = "In reinforcement learning momentum may hurt",
    .statement =
        "In reinforcement learning the distribution of the data shifts and samples are not independent; momentum "
        "may then hurt.",
    .source = "folklore of deep reinforcement learning; Henderson et al., 2018, found it to depend on the environment",
    .experiment =
        "Actor-critics (A2C) on Catch, on Catch whose controls swap every 200 updates, and on CartPole, and a DQN "
        "agent on Catch; a quick run has the first two. RMSProp with momentum 0 and 0.9 (as an average), Adam "
        "with beta1 0 and 0.9, each at the best of 7 rates from 0.0005 to 0.05 by 5 seeds (quick: 4 rates, 3 "
        "seeds), compared over 30 other seeds (12) by the mean return over training.",
    .measures = measures,
    .measure_count = sizeof measures / sizeof measures[0],
    .run = run,
};
