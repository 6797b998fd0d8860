/* A wall of bricks, a ball and a paddle; by advantage actor-critic. */
#include "agents/a2c.h"
#include "problem.h"

static const struct lab_setting settings[] = {LAB_A2C_SETTINGS(16, 32, 0.99, 0.95, 0.003, 64)};

static struct lab_task *create(const struct lab_instance *instance, uint64_t seed)
{
    static const struct lab_a2c_definition definition = {
        .world = {.kind = &lab_environment_breakout, .least_return = 0.0, .exam_episodes = 16, .exam_steps = 1000},
        .hidden_layers = 1,
        .reward_factor = 0.1,
        .value_weight = 0.5,
        .policy_gain = 0.01,
    };
    return lab_a2c_create(instance, &definition, seed);
}

/* The target is ten times what random actions earn. */
const struct lab_problem lab_problem_breakout = {
    .struct_size = sizeof(struct lab_problem),
    .name = "breakout",
    .title = "Breakout of MinAtar, actor-critic",
    .summary = "hit bricks with a ball on 10 x 10 places (MinAtar); A2C, tanh net",
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .training = LAB_RECENT_RETURN,
    .validation = LAB_RECENT_RETURN,
    .test = LAB_EXAM_RETURN,
    .steps = 2000,
    .quick_steps = 1000,
    .score_every = 100,
    .target = 5.0,
    .create = create,
    .destroy = lab_a2c_destroy,
    .tensors = lab_a2c_tensors,
    .gradient = lab_a2c_gradient,
    .score = lab_a2c_score,
    .changes = lab_a2c_changes,
};
