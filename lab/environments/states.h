/* How each kind lays out the states of a batch's copies. */
#ifndef LAB_ENVIRONMENTS_STATES_H
#define LAB_ENVIRONMENTS_STATES_H

#include "environment.h"

/* Cartpole and acrobot: four arrays of double, one behind the other, each with an element for every copy.
 *   cartpole: position of the cart (m), its speed (m/s), the pole's angle from upright (rad), its speed (rad/s)
 *   acrobot:  the first link's angle from hanging, the second's from the first (rad, in [-pi, pi]), and their speeds */
enum { LAB_MOTION_NUMBERS = 4 };
static inline double *lab_motion(const struct lab_environments *batch, size_t number)
{
    return (double *)batch->state + number * batch->copies;
}

/* Catch: an array of these. Rows count from 0 at the top, columns from 0 at the left. */
struct lab_catch_state {
    int16_t ball_x;
    int16_t ball_y;
    int16_t paddle_x;
};

/* Breakout: an array of these. */
struct lab_breakout_state {
    int16_t ball_x;
    int16_t ball_y;
    int16_t speed_x; /* -1 or 1 */
    int16_t speed_y;
    int16_t trail_x; /* where the ball was before the last step */
    int16_t trail_y;
    int16_t paddle_x;
    bool inside;     /* the last step met a brick: until one does not, bricks let the ball through */
    uint32_t bricks; /* bit 10 (row - 1) + column, rows 1 to 3 */
};
#define LAB_BREAKOUT_WALL UINT32_C(0x3fffffff)

/* Streams of random numbers, one for each copy and use; the seed's other users stay below. Episode e begins with the
 * numbers from 4 e on of the copy's stream of starts. */
static inline uint64_t lab_environment_stream(size_t copy)
{
    return (UINT64_C(1) << 62) + copy;
}
static inline uint64_t lab_environment_sticky_stream(size_t copy)
{
    return (UINT64_C(5) << 60) + copy;
}
#define LAB_RANDOM_ACTION_STREAMS (UINT64_C(6) << 60)

/* Uniform number k (below 4) of the episode that the copy begins, in [-bound, bound). */
static inline double lab_environment_start(const struct lab_environments *batch, size_t copy, uint64_t k, double bound)
{
    const uint64_t index = 4 * batch->episodes[copy] + k;
    return bound * (2.0 * lab_random_uniform(batch->seed, lab_environment_stream(copy), index) - 1.0);
}

#endif
