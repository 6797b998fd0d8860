/* A pole on a cart, by deep Q-learning. */
#include "agents/dqn.h"
#include "problem.h"

static const struct lab_setting settings[] = {LAB_DQN_SETTINGS(32, 64, 0.99, 10, 20000, 64), LAB_CHANGE_SETTING};

static struct lab_task *create(const struct lab_instance *instance, uint64_t seed)
{
    static const struct lab_dqn_definition definition = {
        .world = {.kind = &lab_environment_cartpole, .least_return = 0.0, .exam_episodes = 16},
        .reward_factor = 0.02,
        .memory = 20000,
        .first_moves = 1000,
        .least_random = 0.02,
    };
    return lab_dqn_create(instance, &definition, seed);
}

/* The target is Gymnasium's threshold. */
const struct lab_problem lab_problem_cartpole_dqn = {
    .struct_size = sizeof(struct lab_problem),
    .name = "cartpole-dqn",
    .title = "CartPole, deep Q-learning",
    .summary = "keep a pole upright on a cart, up to 500 moves (CartPole-v1); DQN, tanh net",
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .training = LAB_RECENT_RETURN,
    .validation = LAB_RECENT_RETURN,
    .test = LAB_EXAM_RETURN,
    .steps = 10000,
    .quick_steps = 5000,
    .score_every = 500,
    .target = 475.0,
    .create = create,
    .destroy = lab_dqn_destroy,
    .tensors = lab_dqn_tensors,
    .gradient = lab_dqn_gradient,
    .score = lab_dqn_score,
    .changes = lab_dqn_changes,
};
