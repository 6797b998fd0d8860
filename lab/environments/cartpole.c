/* CartPole-v1 as in Gymnasium 1.4.0: a pole stands on a cart, which is pushed left or right at every step. After Barto,
 * Sutton and Anderson, "Neuronlike adaptive elements that can solve difficult learning control problems", IEEE
 * Transactions on Systems, Man, and Cybernetics 13, 1983; equations without friction after Florian, "Correct equations
 * for the dynamics of the cart-pole system", 2007, by Euler's method in steps of 0.02 s.
 *
 * Reward 1 for every step. The episode ends when the pole leans by more than 12 degrees or the cart leaves [-2.4, 2.4], and
 * is truncated after 500 steps. It begins with all four numbers uniform in [-0.05, 0.05). */
#include "states.h"

static const double gravity = 9.8;
static const double mass_of_pole = 0.1;
static const double mass = 0.1 + 1.0; /* of pole and cart */
static const double half_length = 0.5;
static const double push = 10.0;
static const double time_step = 0.02;
static const double position_bound = 2.4;
static const double angle_bound = 12 * 2 * 0x1.921fb54442d18p+1 / 360;

static void begin(struct lab_environments *batch, size_t copy)
{
    for (size_t number = 0; number < LAB_MOTION_NUMBERS; ++number)
        lab_motion(batch, number)[copy] = lab_environment_start(batch, copy, number, 0.05);
}

/* Moves the copies by what the angle's sine and cosine in sines and cosines make of the force; terms are multiplied and
 * divided in Gymnasium's order. */
static void integrate(struct lab_environments *batch, const uint8_t *restrict actions, const double *restrict sines,
                      const double *restrict cosines)
{
    double *restrict const position = lab_motion(batch, 0), *restrict const speed = lab_motion(batch, 1);
    double *restrict const angle = lab_motion(batch, 2), *restrict const turning = lab_motion(batch, 3);
    const double force_right = push * batch->physics.force;
    const double length = half_length * batch->physics.length;
    const double moment = mass_of_pole * length;
    for (size_t i = 0; i < batch->copies; ++i) {
        const double force = actions[i] == 1 ? force_right : -force_right;
        const double total = (force + moment * (turning[i] * turning[i]) * sines[i]) / mass;
        const double turn = (gravity * sines[i] - cosines[i] * total) /
                            (length * (4.0 / 3.0 - mass_of_pole * (cosines[i] * cosines[i]) / mass));
        const double push_on_cart = total - moment * turn * cosines[i] / mass;
        position[i] += time_step * speed[i];
        speed[i] += time_step * push_on_cart;
        angle[i] += time_step * turning[i];
        turning[i] += time_step * turn;
    }
}

static void judge(struct lab_environments *batch)
{
    const double *restrict const position = lab_motion(batch, 0);
    const double *restrict const angle = lab_motion(batch, 2);
    float *restrict const rewards = batch->rewards;
    uint8_t *restrict const terminated = batch->terminated;
    for (size_t i = 0; i < batch->copies; ++i) {
        const bool fallen = (position[i] < -position_bound) | (position[i] > position_bound) |
                            (angle[i] < -angle_bound) | (angle[i] > angle_bound);
        terminated[i] = fallen;
        rewards[i] = 1.0F;
    }
}

static void advance(struct lab_environments *batch, const uint8_t *actions)
{
    double *const sines = batch->scratch;
    double *const cosines = sines + batch->copies;
    const double *const angle = lab_motion(batch, 2);
    for (size_t i = 0; i < batch->copies; ++i) {
        sines[i] = lab_sin(angle[i]);
        cosines[i] = lab_cos(angle[i]);
    }
    integrate(batch, actions, sines, cosines);
    judge(batch);
}

static void observe(const struct lab_environments *batch, size_t first, size_t count, float *restrict observations)
{
    const double *const state = lab_motion(batch, 0);
    for (size_t i = 0; i < count; ++i)
        for (size_t number = 0; number < LAB_MOTION_NUMBERS; ++number)
            observations[i * LAB_MOTION_NUMBERS + number] = (float)state[number * batch->copies + first + i];
}

const struct lab_environment lab_environment_cartpole = {
    .name = "cartpole",
    .observation_count = LAB_MOTION_NUMBERS,
    .action_count = 2, /* left, right */
    .steps_max = 500,
    .least_return = 1.0,
    .state_size = LAB_MOTION_NUMBERS * sizeof(double),
    .scratch_size = 2 * sizeof(double),
    .physics = {.force = 1.0, .length = 1.0},
    .opposite = {1, 0},
    .idle = 0,
    .begin = begin,
    .advance = advance,
    .observe = observe,
};
