/* Question: is the large epsilon of agents that used RMSProp, 0.1 in IMPALA, any good? */
#include "claims/all.h"
#include "claims/bout.h"

#include <stdio.h>

#define FIXED 2e-3

/* Of one update: the loss is their mean. IMPALA's is a sum, beside whose gradients an epsilon weighs less by as much. */
#define MOVES 144

enum { SMALL, SUMMED, MIDDLE, LARGE, CONTENDERS };
enum { CATCH, SHIFT, PROBLEMS };

enum { BETTER, BETTER_SUMMED, BETTER_MIDDLE, BETTER_FIXED, RETURN };
#define KINDS (RETURN + CONTENDERS)
#define PLACE(problem, kind) [(problem)*KINDS + (kind)]
static const struct lab_measure measures[] = {
    PLACE(CATCH, BETTER) = {LAB_FIGURE("catch-0.1", "Catch: epsilon 0.1 better than 1e-8 by", ""), LAB_ABOVE(0)},
    PLACE(CATCH,
          BETTER_SUMMED) = {LAB_FIGURE("catch-summed", "Catch: 0.1 beside a summed loss better than 1e-8 by", ""),
                            LAB_ABOVE(0)},
    PLACE(CATCH, BETTER_MIDDLE) = {LAB_FIGURE("catch-0.01", "Catch: epsilon 0.01 better than 1e-8 by", ""),
                                   LAB_ABOVE(0)},
    PLACE(CATCH, BETTER_FIXED) = {LAB_FIGURE("catch-fixed", "Catch: 0.1 better than 1e-8 by, both at rate 0.002", "")},
    PLACE(CATCH, RETURN + SMALL) = {LAB_FIGURE("catch-return-1e-8", "Catch: return with epsilon 1e-8", "")},
    PLACE(CATCH,
          RETURN + SUMMED) = {LAB_FIGURE("catch-return-summed", "Catch: return with 0.1 beside a summed loss", "")},
    PLACE(CATCH, RETURN + MIDDLE) = {LAB_FIGURE("catch-return-0.01", "Catch: return with epsilon 0.01", "")},
    PLACE(CATCH, RETURN + LARGE) = {LAB_FIGURE("catch-return-0.1", "Catch: return with epsilon 0.1", "")},
    PLACE(SHIFT, BETTER) = {LAB_FIGURE("shift-0.1", "shifting Catch: epsilon 0.1 better than 1e-8 by", ""),
                            LAB_ABOVE(0)},
    PLACE(SHIFT, BETTER_SUMMED) = {LAB_FIGURE("shift-summed", "shifting Catch: 0.1 beside a summed loss better by", ""),
                                   LAB_ABOVE(0)},
    PLACE(SHIFT, BETTER_MIDDLE) = {LAB_FIGURE("shift-0.01", "shifting Catch: epsilon 0.01 better than 1e-8 by", ""),
                                   LAB_ABOVE(0)},
    PLACE(SHIFT,
          BETTER_FIXED) = {LAB_FIGURE("shift-fixed", "shifting Catch: 0.1 better than 1e-8 by, both at 0.002", "")},
    PLACE(SHIFT, RETURN + SMALL) = {LAB_FIGURE("shift-return-1e-8", "shifting Catch: return with epsilon 1e-8", "")},
    PLACE(SHIFT, RETURN + SUMMED) = {LAB_FIGURE("shift-return-summed",
                                                "shifting Catch: return with 0.1 beside a summed loss", "")},
    PLACE(SHIFT, RETURN + MIDDLE) = {LAB_FIGURE("shift-return-0.01", "shifting Catch: return with epsilon 0.01", "")},
    PLACE(SHIFT, RETURN + LARGE) = {LAB_FIGURE("shift-return-0.1", "shifting Catch: return with epsilon 0.1", "")},
};

static const char *const words[PROBLEMS] = {"catch", "catch:invert=28800"};
static const double rates[] = {5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1};

static void fill_contenders(struct lab_contender contenders[CONTENDERS])
{
    static const struct {
        const char *name;
        double epsilon;
    } rows[CONTENDERS] = {
        {"epsilon 1e-8", 1e-8}, {"0.1, summed loss", 0.1 / MOVES}, {"epsilon 0.01", 1e-2}, {"epsilon 0.1", 0.1}};
    for (size_t i = 0; i < CONTENDERS; ++i) {
        contenders[i] = (struct lab_contender){.name = rows[i].name, .options = lab_rule_at(RMS_RMSPROP, FIXED)};
        contenders[i].options.eps = rows[i].epsilon;
    }
}

static bool draw(struct lab_finding *finding, const struct lab_bout *bout, size_t problem)
{
    static const struct lab_chart charts[PROBLEMS] = {
        [CATCH] = {.name = "epsilon-catch",
                   .title = "Catch: mean return by learning rate",
                   .x_title = "learning rate, log scale",
                   .y_title = "mean return over training",
                   .words = "Mean return over training on Catch against the learning rate, for RMSProp with four "
                            "epsilons: the larger epsilon, the larger the rates that serve.",
                   .x_logarithmic = true},
        [SHIFT] = {.name = "epsilon-shift",
                   .title = "Catch whose controls swap, at best rates",
                   .x_title = "update",
                   .y_title = "mean return of the last 100 episodes",
                   .words = "Mean return over the updates of training on Catch whose controls swap every 200 updates, "
                            "median and quartiles over seeds, for RMSProp with four epsilons."},
    };
    return problem == CATCH ? lab_bout_draw_rates(bout, finding, &charts[problem])
                            : lab_bout_draw(bout, finding, &charts[problem]);
}

static rms_status play(struct lab_finding *finding, const struct lab_experiment *experiment, size_t problem, char *best,
                       size_t size, rms_error *error)
{
    struct lab_contender contenders[CONTENDERS];
    fill_contenders(contenders);
    const struct lab_bout_plan plan = {.words = words[problem],
                                       .contenders = contenders,
                                       .count = CONTENDERS,
                                       .rates = rates,
                                       .rate_count = sizeof rates / sizeof rates[0],
                                       .tuning_seeds = lab_effort(experiment, 5, 3),
                                       .seeds = lab_effort(experiment, 30, 12),
                                       .fixed = FIXED};
    struct lab_bout bout;
    rms_status status = lab_bout_run(&bout, experiment, &plan, error);
    if (status != RMS_OK)
        return status;
    if (!lab_stopped(experiment)) {
        struct lab_figure *const figures = &finding->figures[problem * KINDS];
        figures[BETTER] = lab_bout_difference(&bout, LARGE, SMALL);
        figures[BETTER_SUMMED] = lab_bout_difference(&bout, SUMMED, SMALL);
        figures[BETTER_MIDDLE] = lab_bout_difference(&bout, MIDDLE, SMALL);
        figures[BETTER_FIXED] = lab_bout_difference_fixed(&bout, LARGE, SMALL);
        for (size_t i = 0; i < CONTENDERS; ++i)
            figures[RETURN + i] = lab_bout_mean(&bout, i);
        lab_bout_tell_rates(&bout, best, size);
        status = draw(finding, &bout, problem) ? RMS_OK : lab_out_of_memory(error);
    }
    lab_bout_free(&bout);
    return status;
}

static rms_status run(struct lab_experiment *experiment, struct lab_finding *finding, rms_error *error)
{
    char best[200] = "";
    rms_status status = RMS_OK;
    for (size_t i = 0; i < PROBLEMS && status == RMS_OK && !lab_stopped(experiment); ++i) {
        experiment->from = (double)i / PROBLEMS;
        experiment->to = (double)(i + 1) / PROBLEMS;
        status = play(finding, experiment, i, best, sizeof best, error);
    }
    const struct lab_figure *const plain = finding->figures;
    const struct lab_figure *const shift = &finding->figures[(size_t)SHIFT * KINDS];
    snprintf(
        finding->conclusion, sizeof finding->conclusion,
        "Against 1e-8, epsilon 0.1 changes RMSProp's mean return over training by %+.3f on Catch and by %+.3f where "
        "the controls swap, each at its best rate; 0.01 by %+.3f and %+.3f; 0.1 as it weighs beside a summed loss by "
        "%+.3f and %+.3f. Best rates where they swap: %s.",
        plain[BETTER].value, shift[BETTER].value, plain[BETTER_MIDDLE].value, shift[BETTER_MIDDLE].value,
        plain[BETTER_SUMMED].value, shift[BETTER_SUMMED].value, best);
    return status;
}

const struct lab_claim lab_claim_epsilon = {
    .name = "epsilon",
    .title = "A large epsilon helps in reinforcement learning",
    .statement =
        "In reinforcement learning RMSProp does better with a large epsilon, such as IMPALA's 0.1, than with the "
        "usual 1e-8.",
    .source = "settings of DQN (Mnih et al., 2015: 0.01) and IMPALA (Espeholt et al., 2018: 0.1)",
    .experiment =
        "Actor-critics (A2C) with RMSProp on Catch, and on Catch whose controls swap every 200 updates; epsilon "
        "1e-8, 0.01 and 0.1 outside the root, and 0.1 / 144, which is what 0.1 amounts to where the loss is "
        "the sum over the 144 moves of an update, as IMPALA's is, and not their mean; each at the best of 11 "
        "rates from 0.0005 to 1 by 5 seeds (quick: 6 rates, 3 seeds), compared over 30 other seeds (12) by the "
        "mean return over training.",
    .question = true,
    .measures = measures,
    .measure_count = sizeof measures / sizeof measures[0],
    .run = run,
};
