/* A ball that falls, and a paddle; by deep Q-learning. */
#include "agents/dqn.h"
#include "problem.h"

static const struct lab_setting settings[] = {LAB_DQN_SETTINGS(8, 64, 0.99, 100, 10000, 64)};

static struct lab_task *create(const struct lab_instance *instance, uint64_t seed)
{
    static const struct lab_dqn_definition definition = {
        .world = {.kind = &lab_environment_catch, .least_return = -1.0, .exam_episodes = 128},
        .reward_factor = 1.0,
        .memory = 10000,
        .first_moves = 1000,
        .least_random = 0.02,
    };
    return lab_dqn_create(instance, &definition, seed);
}

/* The target is all but one ball of 40. */
const struct lab_problem lab_problem_catch_dqn = {
    .struct_size = sizeof(struct lab_problem),
    .name = "catch-dqn",
    .title = "Catch, deep Q-learning",
    .summary = "catch a ball that falls through 10 x 5 places (bsuite); DQN, tanh net",
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .training = LAB_RECENT_RETURN,
    .validation = LAB_RECENT_RETURN,
    .test = LAB_EXAM_RETURN,
    .steps = 4000,
    .quick_steps = 2000,
    .score_every = 200,
    .target = 0.95,
    .create = create,
    .destroy = lab_dqn_destroy,
    .tensors = lab_dqn_tensors,
    .gradient = lab_dqn_gradient,
    .score = lab_dqn_score,
    .changes = lab_dqn_changes,
};
