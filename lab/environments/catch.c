/* Catch, as in bsuite (Osband and others, "Behaviour suite for reinforcement learning", ICLR 2020): a ball falls through a
 * board of 10 rows and 5 columns, a row a step, from a random column of the top row; the paddle in the bottom row, which
 * begins in the middle, moves by a column. When the ball arrives the episode ends, with reward 1 if the paddle is there
 * and -1 if not. The agent sees the board: 1 where ball and paddle are, 0 elsewhere. */
#include "states.h"

#include <string.h>

enum { ROWS = 10, COLUMNS = 5, CELLS = ROWS * COLUMNS };

static void begin(struct lab_environments *batch, size_t copy)
{
    struct lab_catch_state *const state = batch->state;
    state[copy] = (struct lab_catch_state){
        .ball_x =
            (int16_t)lab_random_below(batch->seed, lab_environment_stream(copy), 4 * batch->episodes[copy], COLUMNS),
        .paddle_x = COLUMNS / 2,
    };
}

static void advance(struct lab_environments *batch, const uint8_t *actions)
{
    struct lab_catch_state *const state = batch->state;
    for (size_t copy = 0; copy < batch->copies; ++copy) {
        struct lab_catch_state *const s = &state[copy];
        const int moved = s->paddle_x + actions[copy] - 1;
        s->paddle_x = (int16_t)(moved < 0 ? 0 : moved >= COLUMNS ? COLUMNS - 1 : moved);
        ++s->ball_y;
        const bool arrived = s->ball_y == ROWS - 1;
        batch->terminated[copy] = arrived;
        batch->rewards[copy] = !arrived ? 0.0F : s->paddle_x == s->ball_x ? 1.0F : -1.0F;
    }
}

static void observe(const struct lab_environments *batch, size_t first, size_t count, float *observations)
{
    const struct lab_catch_state *const state = batch->state;
    memset(observations, 0, count * CELLS * sizeof *observations);
    for (size_t i = 0; i < count; ++i) {
        const struct lab_catch_state *const s = &state[first + i];
        float *const board = observations + i * CELLS;
        board[s->ball_y * COLUMNS + s->ball_x] = 1.0F;
        board[(ROWS - 1) * COLUMNS + s->paddle_x] = 1.0F;
    }
}

const struct lab_environment lab_environment_catch = {
    .name = "catch",
    .observation_count = CELLS,
    .action_count = 3, /* left, stay, right */
    .least_return = -1.0,
    .state_size = sizeof(struct lab_catch_state),
    .physics = {.force = 1.0, .length = 1.0},
    .opposite = {2, 1, 0},
    .idle = 1,
    .begin = begin,
    .advance = advance,
    .observe = observe,
};
