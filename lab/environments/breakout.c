/* Breakout by the rules of MinAtar (Young and Tian, "MinAtar: an Atari-inspired testbed for thorough and reproducible
 * reinforcement learning experiments", 2019), on 10 x 10 cells.
 *
 * The ball starts in row 3 at the left or the right wall, at random, and goes down aslant; the paddle in row 9 moves by a
 * cell. Rows 1 to 3 are bricks. One that the ball would enter is gone, for a reward of 1, and the ball turns back; from then
 * on, until a step meets no brick, it passes through them. Walls turn it back, and so does the paddle: straight below the
 * ball like a wall, and where the ball would go, back the way it came. Otherwise row 9 ends the episode. If no bricks are
 * left when the ball comes there, all are put up again.
 *
 * Unlike MinAtar's, episodes are truncated after 5,000 steps, the three actions are the minimal set, and what sticky
 * actions repeat does not outlast an episode. As there, actions are sticky by 0.1, and difficulty has no ramp. */
#include "states.h"

#include <string.h>

enum { SIDE = 10, BOTTOM = SIDE - 1, START_ROW = 3, WALL_ROWS = 3, CHANNELS = 4, CELLS = SIDE * SIDE };
enum channel { PADDLE, BALL, TRAIL, BRICK }; /* of a cell: the innermost index of an observation */

static void begin(struct lab_environments *batch, size_t copy)
{
    struct lab_breakout_state *const state = batch->state;
    const bool right = lab_random_below(batch->seed, lab_environment_stream(copy), 4 * batch->episodes[copy], 2) == 1;
    const int16_t x = right ? SIDE - 1 : 0;
    state[copy] = (struct lab_breakout_state){
        .ball_x = x,
        .ball_y = START_ROW,
        .speed_x = right ? -1 : 1,
        .speed_y = 1,
        .trail_x = x,
        .trail_y = START_ROW,
        .paddle_x = 4,
        .bricks = LAB_BREAKOUT_WALL,
    };
}

static int16_t moved_paddle(int16_t x, uint8_t action)
{
    if (action == 1)
        return x > 0 ? (int16_t)(x - 1) : x;
    return action == 2 && x < SIDE - 1 ? (int16_t)(x + 1) : x;
}

/* The brick of a cell; 0 where there is none, or none can be. */
static uint32_t brick_at(uint32_t bricks, int x, int y)
{
    return y >= 1 && y <= WALL_ROWS ? bricks & UINT32_C(1) << (SIDE * (y - 1) + x) : 0;
}

/* The ball would enter the bottom row at x: whether it is lost. It turns back where the paddle is. */
static bool is_lost(struct lab_breakout_state *s, int x)
{
    if (!s->bricks)
        s->bricks = LAB_BREAKOUT_WALL;
    if (s->paddle_x != s->ball_x && s->paddle_x != x)
        return true;
    if (s->paddle_x != s->ball_x)
        s->speed_x = (int16_t)-s->speed_x;
    s->speed_y = (int16_t)-s->speed_y;
    return false;
}

/* Moves ball and bricks; returns the reward. */
static float move_ball(struct lab_breakout_state *s, bool *lost)
{
    s->trail_x = s->ball_x;
    s->trail_y = s->ball_y;
    int x = s->ball_x + s->speed_x;
    int y = s->ball_y + s->speed_y;
    if (x < 0 || x >= SIDE) {
        x = s->ball_x;
        s->speed_x = (int16_t)-s->speed_x;
    }
    const uint32_t brick = brick_at(s->bricks, x, y);
    const bool breaks = brick && !s->inside;
    *lost = false;
    if (y < 0 || breaks) {
        s->bricks &= ~(breaks ? brick : 0);
        s->speed_y = (int16_t)-s->speed_y;
        y = s->ball_y;
    } else if (y == BOTTOM) {
        *lost = is_lost(s, x);
        y = *lost ? BOTTOM : s->ball_y;
    }
    s->inside = brick != 0;
    s->ball_x = (int16_t)x;
    s->ball_y = (int16_t)y;
    return breaks ? 1.0F : 0.0F;
}

static void advance(struct lab_environments *batch, const uint8_t *actions)
{
    struct lab_breakout_state *const state = batch->state;
    for (size_t copy = 0; copy < batch->copies; ++copy) {
        bool lost;
        state[copy].paddle_x = moved_paddle(state[copy].paddle_x, actions[copy]);
        batch->rewards[copy] = move_ball(&state[copy], &lost);
        batch->terminated[copy] = lost;
    }
}

static void observe(const struct lab_environments *batch, size_t first, size_t count, float *observations)
{
    const struct lab_breakout_state *const state = batch->state;
    const size_t numbers = batch->kind->observation_count;
    memset(observations, 0, count * numbers * sizeof *observations);
    for (size_t i = 0; i < count; ++i) {
        const struct lab_breakout_state *const s = &state[first + i];
        float *const seen = observations + i * numbers;
        seen[(BOTTOM * SIDE + s->paddle_x) * CHANNELS + PADDLE] = 1.0F;
        seen[(s->ball_y * SIDE + s->ball_x) * CHANNELS + BALL] = 1.0F;
        seen[(s->trail_y * SIDE + s->trail_x) * CHANNELS + TRAIL] = 1.0F;
        for (size_t brick = 0; brick < (size_t)WALL_ROWS * SIDE; ++brick)
            seen[(SIDE + brick) * CHANNELS + BRICK] = s->bricks >> brick & 1 ? 1.0F : 0.0F;
    }
}

const struct lab_environment lab_environment_breakout = {
    .name = "breakout",
    .observation_count = (size_t)CELLS * CHANNELS,
    .action_count = 3, /* stay, left, right */
    .steps_max = 5000,
    .least_return = 0.0,
    .state_size = sizeof(struct lab_breakout_state),
    .physics = {.force = 1.0, .length = 1.0, .sticky = 0.1},
    .opposite = {0, 2, 1},
    .idle = 0,
    .begin = begin,
    .advance = advance,
    .observe = observe,
};
