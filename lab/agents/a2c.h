/* Synchronous advantage actor-critic: n copies of a world make a few moves each with the same net, whose outputs are
 * the policy's logits and the value of what is seen, and one update is made of all of them. Mnih et al., "Asynchronous
 * methods for deep reinforcement learning", ICML 2016, without the asynchrony; advantages after Schulman et al.,
 * "High-dimensional continuous control using generalized advantage estimation", ICLR 2016. Gradients are not clipped:
 * that is an option of the contender. */
#ifndef LAB_AGENTS_A2C_H
#define LAB_AGENTS_A2C_H

#include "agents/world.h"

/* What has happened to each copy from one moment to the next; row t of an array holds what happened at move t. */
enum lab_end { LAB_GOES_ON, LAB_TERMINATED, LAB_TRUNCATED };
struct lab_rollout {
    size_t copies, horizon;
    float *rewards;    /* horizon x copies */
    uint8_t *ends;     /* horizon x copies: enum lab_end */
    float *values;     /* (horizon + 1) x copies: of what was seen before each move, and after the last */
    float *outcomes;   /* horizon x copies: where the time was up, the value of what the move led to */
    float *advantages; /* horizon x copies */
};

/* From the last move back: A_t = d_t + discount lambda A_(t+1), where d_t = r_t + discount V_(t+1) - V_t. Where an
 * episode is terminated, nothing follows; where it is truncated, the value of what would have followed does. */
void lab_rollout_advantages(const struct lab_rollout *rollout, double discount, double lambda);

/* The terms of one sample's loss, -advantage log p(action) - entropy_weight H(p) + value_weight (value - wanted)^2 / 2,
 * and its derivatives by the net's outputs: the logits, then the value. */
struct lab_a2c_sample {
    size_t actions; /* how many there are */
    size_t action;
    double advantage;
    double wanted; /* what value should have been */
    double entropy_weight;
    double value_weight;
};
double lab_a2c_loss(const struct lab_a2c_sample *sample, const float *outputs, double *derivatives);

/* What a problem says of its agent; the settings below say the rest. */
struct lab_a2c_definition {
    struct lab_world_definition world;
    size_t hidden_layers; /* 1 or 2 */
    double reward_factor; /* what the agent makes of a reward, so that values are near 1 */
    double value_weight;
    double policy_gain; /* factor of the initial weights of the policy's logits */
};

/* The settings that all these problems have, with what they are unless chosen. */
#define LAB_A2C_SETTINGS(copies_, horizon_, discount_, lambda_, entropy_, units_)                                      \
    {"copies", "copies of the world that are played at a time", copies_, 1, 128, true},                                \
        {"horizon", "moves of each copy for one update", horizon_, 1, 128, true},                                      \
        {"discount", "of rewards, by move", discount_, 0, 1, false},                                                   \
        {"lambda", "of advantages: 0 looks one move ahead, 1 to the horizon", lambda_, 0, 1, false},                   \
        {"entropy", "weight of the policy's entropy in the loss", entropy_, 0, 1, false},                              \
        {"units", "of each hidden layer", units_, 1, 512, true}, LAB_INVERT_SETTING
#define LAB_A2C_SETTING_COUNT 7

/* The members of a problem; create is wrapped by one that says what its definition is. */
struct lab_task *lab_a2c_create(const struct lab_instance *instance, const struct lab_a2c_definition *definition,
                                uint64_t seed);
void lab_a2c_destroy(struct lab_task *task);
size_t lab_a2c_tensors(const struct lab_task *task, const rms_tensor **tensors);
double lab_a2c_gradient(struct lab_task *task, size_t step);
struct lab_score lab_a2c_score(struct lab_task *task);
bool lab_a2c_changes(const struct lab_task *task, size_t step);

#endif
