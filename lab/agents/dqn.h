/* Deep Q-learning: a net learns what each action is worth from moves drawn out of a memory, towards what a copy of it
 * says of their outcomes, which is renewed now and then. Mnih et al., "Human-level control through deep reinforcement
 * learning", Nature 518, 2015; of what followed, only that several copies of the world are played at a time. */
#ifndef LAB_AGENTS_DQN_H
#define LAB_AGENTS_DQN_H

#include "agents/world.h"

/* Huber's loss of an error: its square halved within [-1, 1], its magnitude less 1/2 beyond. */
double lab_huber(double error, double *derivative);

/* What a problem says of its agent; the settings say the rest. */
struct lab_dqn_definition {
    struct lab_world_definition world;
    double reward_factor; /* what the agent makes of a reward */
    size_t memory;        /* moves that are remembered */
    size_t first_moves;   /* at random, before the first update; at most as many as are remembered */
    double least_random;  /* share of random actions in the end; 1 to begin with */
};

/* The settings that all these problems have, with what they are unless chosen. */
#define LAB_DQN_SETTINGS(copies_, batch_, discount_, sync_, explore_, units_)                                          \
    {"copies", "copies of the world that are played at a time, a move for each update", copies_, 1, 128, true},        \
        {"batch", "remembered moves for one update", batch_, 1, 1024, true},                                           \
        {"discount", "of rewards, by move", discount_, 0, 1, false},                                                   \
        {"sync", "updates from one renewal of the target to the next", sync_, 1, 1e9, true},                           \
        {"explore", "steps of all copies until actions are as seldom random as they get", explore_, 0, 1e12, true},    \
        {"units", "of each of the two hidden layers", units_, 1, 512, true}, LAB_INVERT_SETTING
#define LAB_DQN_SETTING_COUNT 7

/* The members of a problem; create is wrapped by one that says what its definition is. */
struct lab_task *lab_dqn_create(const struct lab_instance *instance, const struct lab_dqn_definition *definition,
                                uint64_t seed);
void lab_dqn_destroy(struct lab_task *task);
size_t lab_dqn_tensors(const struct lab_task *task, const rms_tensor **tensors);
double lab_dqn_gradient(struct lab_task *task, size_t step);
struct lab_score lab_dqn_score(struct lab_task *task);

/* Where controls or physics change, and where the target is renewed. */
bool lab_dqn_changes(const struct lab_task *task, size_t step);

/* The net that learns, and the one that it learns from; for the tests. */
const struct lab_mlp *lab_dqn_net(const struct lab_task *task);
const struct lab_mlp *lab_dqn_target(const struct lab_task *task);

#endif
