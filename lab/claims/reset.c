/* Question: should the optimizer forget its state where the target network is copied? */
#include "claims/all.h"
#include "claims/bout.h"

#include <stdio.h>

enum { RMSPROP, RMSPROP_STATE, ADAM, ADAM_STATE, ADAM_STEPS, CONTENDERS };

enum { HELPS_RMSPROP, HELPS_ADAM, HELPS_STEPS, RETURN };
static const struct lab_measure measures[] = {
    [HELPS_RMSPROP] = {LAB_FIGURE("rmsprop-state", "RMSProp that forgets its state better by", ""), LAB_ABOVE(0)},
    [HELPS_ADAM] = {LAB_FIGURE("adam-state", "Adam that forgets its state better by", ""), LAB_ABOVE(0)},
    [HELPS_STEPS] = {LAB_FIGURE("adam-steps", "Adam that forgets its count of steps better by", ""), LAB_ABOVE(0)},
    [RETURN + RMSPROP] = {LAB_FIGURE("rmsprop", "return of RMSProp", "")},
    [RETURN + RMSPROP_STATE] = {LAB_FIGURE("rmsprop-forgets", "return of RMSProp that forgets its state", "")},
    [RETURN + ADAM] = {LAB_FIGURE("adam", "return of Adam", "")},
    [RETURN + ADAM_STATE] = {LAB_FIGURE("adam-forgets", "return of Adam that forgets its state", "")},
    [RETURN + ADAM_STEPS] = {LAB_FIGURE("adam-forgets-steps", "return of Adam that forgets its count of steps", "")},
};

static const double rates[] = {5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1};

static void fill_contenders(struct lab_contender contenders[CONTENDERS])
{
    static const struct {
        const char *name;
        rms_rule rule;
        enum lab_reset reset;
    } rows[CONTENDERS] = {
        [RMSPROP] = {"RMSProp", RMS_RMSPROP, LAB_RESET_NOTHING},
        [RMSPROP_STATE] = {"RMSProp, forgets all", RMS_RMSPROP, LAB_RESET_STATE},
        [ADAM] = {"Adam", RMS_ADAM, LAB_RESET_NOTHING},
        [ADAM_STATE] = {"Adam, forgets all", RMS_ADAM, LAB_RESET_STATE},
        [ADAM_STEPS] = {"Adam, forgets steps", RMS_ADAM, LAB_RESET_STEPS},
    };
    for (size_t i = 0; i < CONTENDERS; ++i)
        contenders[i] = (struct lab_contender){
            .name = rows[i].name, .options = lab_rule_at(rows[i].rule, 1e-3), .reset = rows[i].reset};
}

static bool tell(struct lab_finding *finding, const struct lab_bout *bout)
{
    struct lab_figure *const figures = finding->figures;
    char best[320];
    figures[HELPS_RMSPROP] = lab_bout_difference(bout, RMSPROP_STATE, RMSPROP);
    figures[HELPS_ADAM] = lab_bout_difference(bout, ADAM_STATE, ADAM);
    figures[HELPS_STEPS] = lab_bout_difference(bout, ADAM_STEPS, ADAM);
    for (size_t i = 0; i < CONTENDERS; ++i)
        figures[RETURN + i] = lab_bout_mean(bout, i);
    lab_bout_tell_rates(bout, best, sizeof best);
    snprintf(
        finding->conclusion, sizeof finding->conclusion,
        "Forgetting all state at each copy of the target network changes the mean return over training by %+.3f for "
        "RMSProp and by %+.3f for Adam, forgetting the count of steps alone by %+.3f for Adam. Best rates: %s.",
        figures[HELPS_RMSPROP].value, figures[HELPS_ADAM].value, figures[HELPS_STEPS].value, best);
    return lab_bout_draw(
        bout, finding,
        &(struct lab_chart){.name = "reset-catch",
                            .title = "Catch by DQN, forgetting at each copy of the target",
                            .x_title = "update",
                            .y_title = "mean return of the last 100 episodes",
                            .words =
                                "Mean return over the updates of training on Catch, median and quartiles over seeds, "
                                "of RMSProp and Adam with and without forgetting."});
}

static rms_status run(struct lab_experiment *experiment, struct lab_finding *finding, rms_error *error)
{
    struct lab_contender contenders[CONTENDERS];
    fill_contenders(contenders);
    const struct lab_bout_plan plan = {.words = "catch-dqn",
                                       .contenders = contenders,
                                       .count = CONTENDERS,
                                       .rates = rates,
                                       .rate_count = sizeof rates / sizeof rates[0],
                                       .tuning_seeds = lab_effort(experiment, 5, 2),
                                       .seeds = lab_effort(experiment, 30, 10)};
    struct lab_bout bout;
    rms_status status = lab_bout_run(&bout, experiment, &plan, error);
    if (status != RMS_OK)
        return status;
    if (!lab_stopped(experiment) && !tell(finding, &bout))
        status = lab_out_of_memory(error);
    lab_bout_free(&bout);
    return status;
}

const struct lab_claim lab_claim_reset = {
    .name = "reset",
    .title = "Forgetting at each copy of the target network helps",
    .statement =
        "Where the target network is copied, the optimizer should forget its averages, or at least its count of "
        "steps.",
    .source = "Asadi et al., 2023, Resetting the optimizer in deep RL; Ellis et al., 2024, Adam on local time",
    .experiment =
        "A DQN agent on Catch whose target network is copied every 100 updates: RMSProp and Adam as they are, "
        "with all state reset at each copy, and Adam with only its count of steps reset; each at the best of 8 rates "
        "from 0.0005 to 0.1 by 5 seeds (quick: 4 rates, 2 seeds), compared over 30 other seeds (10) by "
        "the mean return over training.",
    .question = true,
    .measures = measures,
    .measure_count = sizeof measures / sizeof measures[0],
    .run = run,
};
