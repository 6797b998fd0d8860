/* A pole on a cart, by advantage actor-critic. */
#include "agents/a2c.h"
#include "problem.h"

static const struct lab_setting settings[] = {LAB_A2C_SETTINGS(16, 32, 0.99, 1, 0, 32), LAB_CHANGE_SETTING};

static struct lab_task *create(const struct lab_instance *instance, uint64_t seed)
{
    static const struct lab_a2c_definition definition = {
        .world = {.kind = &lab_environment_cartpole, .least_return = 0.0, .exam_episodes = 16},
        .hidden_layers = 1,
        .reward_factor = 0.01,
        .value_weight = 0.5,
        .policy_gain = 0.01,
    };
    return lab_a2c_create(instance, &definition, seed);
}

/* The target is Gymnasium's threshold. */
const struct lab_problem lab_problem_cartpole = {
    .struct_size = sizeof(struct lab_problem),
    .name = "cartpole",
    .title = "CartPole, actor-critic",
    .summary = "keep a pole upright on a cart, up to 500 moves (CartPole-v1); A2C, tanh net",
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .training = LAB_RECENT_RETURN,
    .validation = LAB_RECENT_RETURN,
    .test = LAB_EXAM_RETURN,
    .steps = 1000,
    .quick_steps = 500,
    .score_every = 25,
    .target = 475.0,
    .create = create,
    .destroy = lab_a2c_destroy,
    .tensors = lab_a2c_tensors,
    .gradient = lab_a2c_gradient,
    .score = lab_a2c_score,
    .changes = lab_a2c_changes,
};
