/* The rules of Catch and Breakout in places set up by hand, how episodes begin, and what physics change. */
#include "environments/states.h"
#include "support.h"

#include <math.h>

/* One copy without sticky actions. */
static struct lab_environments *create_one(const struct lab_environment *kind)
{
    struct lab_physics physics = kind->physics;
    physics.sticky = 0.0;
    struct lab_environments *const batch = lab_environments_create(kind, 1, 1, &physics);
    assert_non_null(batch);
    return batch;
}

/* Moves on without beginning a new episode; returns the reward. */
static float advance(struct lab_environments *batch, uint8_t action)
{
    batch->kind->advance(batch, &action);
    return batch->rewards[0];
}

/* ---- Catch */

enum { LEFT, STAY, RIGHT };

static void catch_pays_for_being_below_the_ball_in_the_end(void **state)
{
    (void)state;
    struct lab_environments *const batch = create_one(&lab_environment_catch);
    for (int16_t ball = 0; ball < 5; ++ball)
        for (int16_t paddle = 0; paddle < 5; ++paddle) {
            *(struct lab_catch_state *)batch->state = (struct lab_catch_state){ball, 0, paddle};
            for (int step = 1; step < 9; ++step) {
                assert_true(advance(batch, STAY) == 0.0F);
                assert_int_equal(batch->terminated[0], 0);
            }
            assert_true(advance(batch, STAY) == (ball == paddle ? 1.0F : -1.0F));
            assert_int_equal(batch->terminated[0], 1);
        }
    lab_environments_destroy(batch);
}

static void catch_moves_the_paddle_by_a_column_within_the_board(void **state)
{
    (void)state;
    struct lab_environments *const batch = create_one(&lab_environment_catch);
    struct lab_catch_state *const s = batch->state;
    static const int16_t from_the_middle[3][4] = {{1, 0, 0, 0}, {2, 2, 2, 2}, {3, 4, 4, 4}};
    for (size_t action = LEFT; action <= RIGHT; ++action) {
        *s = (struct lab_catch_state){.ball_x = 3, .paddle_x = 2};
        for (int step = 0; step < 4; ++step) {
            (void)advance(batch, (uint8_t)action);
            assert_int_equal(s->paddle_x, from_the_middle[action][step]);
            assert_int_equal(s->ball_x, 3);
            assert_int_equal(s->ball_y, step + 1);
        }
    }
    lab_environments_destroy(batch);
}

/* Of 1,000 episodes each of the five columns begins 200 +- 4 x 12.6. */
static void catch_drops_the_ball_from_every_column(void **state)
{
    (void)state;
    struct lab_environments *const batch = lab_environments_create(&lab_environment_catch, 1000, 3, NULL);
    assert_non_null(batch);
    const struct lab_catch_state *const s = batch->state;
    size_t counts[5] = {0};
    for (size_t copy = 0; copy < batch->copies; ++copy) {
        ++counts[s[copy].ball_x];
        assert_int_equal(s[copy].ball_y, 0);
        assert_int_equal(s[copy].paddle_x, 2);
        assert_true(batch->observations[50 * copy + (size_t)s[copy].ball_x] == 1.0F);
        assert_true(batch->observations[50 * copy + 47] == 1.0F);
    }
    for (size_t column = 0; column < COUNT_OF(counts); ++column)
        assert_in_range(counts[column], 150, 250);
    lab_environments_destroy(batch);
}

/* ---- Breakout */

enum { REST, TO_LEFT, TO_RIGHT };

static uint32_t brick(int x, int y)
{
    return UINT32_C(1) << (10 * (y - 1) + x);
}

/* A place, what a step with action 0 makes of it, and what it pays. */
struct situation {
    const char *what;
    struct lab_breakout_state before, after; /* trails are those of the ball before */
    float reward;
    bool lost;
};

#define AT(x, y, dx, dy) .ball_x = (x), .ball_y = (y), .speed_x = (dx), .speed_y = (dy)

static void breakout_turns_the_ball_where_it_should(void **state)
{
    (void)state;
    const uint32_t wall = LAB_BREAKOUT_WALL, one = brick(5, 2), other = brick(0, 1);
    const struct situation situations[] = {
        {"free flight", {AT(4, 6, 1, 1), .bricks = wall}, {AT(5, 7, 1, 1), .bricks = wall}, 0.0F, false},
        {"left wall", {AT(0, 6, -1, 1), .bricks = wall}, {AT(0, 7, 1, 1), .bricks = wall}, 0.0F, false},
        {"right wall", {AT(9, 6, 1, -1), .bricks = wall}, {AT(9, 5, -1, -1), .bricks = wall}, 0.0F, false},
        {"ceiling", {AT(4, 0, 1, -1), .bricks = one}, {AT(5, 0, 1, 1), .bricks = one}, 0.0F, false},
        {"corner", {AT(0, 0, -1, -1), .bricks = one}, {AT(0, 0, 1, 1), .bricks = one}, 0.0F, false},
        {"brick from below",
         {AT(4, 3, 1, -1), .bricks = one | other},
         {AT(5, 3, 1, 1), .bricks = other, .inside = true},
         1.0F,
         false},
        {"brick from above",
         {AT(6, 1, -1, 1), .bricks = one | other},
         {AT(5, 1, -1, -1), .bricks = other, .inside = true},
         1.0F,
         false},
        {"brick beside the wall",
         {AT(0, 2, -1, -1), .bricks = one | other},
         {AT(0, 2, 1, 1), .bricks = one, .inside = true},
         1.0F,
         false},
        {"second brick in a row",
         {AT(4, 3, 1, -1), .bricks = one, .inside = true},
         {AT(5, 2, 1, -1), .bricks = one, .inside = true},
         0.0F,
         false},
        {"out of the bricks",
         {AT(5, 3, 1, 1), .bricks = one, .inside = true},
         {AT(6, 4, 1, 1), .bricks = one},
         0.0F,
         false},
        {"paddle below",
         {AT(4, 8, 1, 1), .paddle_x = 4, .bricks = wall},
         {AT(5, 8, 1, -1), .paddle_x = 4, .bricks = wall},
         0.0F,
         false},
        {"paddle ahead",
         {AT(4, 8, 1, 1), .paddle_x = 5, .bricks = wall},
         {AT(5, 8, -1, -1), .paddle_x = 5, .bricks = wall},
         0.0F,
         false},
        {"paddle behind",
         {AT(4, 8, 1, 1), .paddle_x = 3, .bricks = wall},
         {AT(5, 9, 1, 1), .paddle_x = 3, .bricks = wall},
         0.0F,
         true},
        {"paddle in the corner",
         {AT(9, 8, 1, 1), .paddle_x = 9, .bricks = wall},
         {AT(9, 8, -1, -1), .paddle_x = 9, .bricks = wall},
         0.0F,
         false},
        {"a new wall for the paddle",
         {AT(4, 8, -1, 1), .paddle_x = 3, .bricks = 0},
         {AT(3, 8, 1, -1), .paddle_x = 3, .bricks = wall},
         0.0F,
         false},
        {"no bricks, and far from the paddle",
         {AT(4, 5, -1, 1), .paddle_x = 3, .bricks = 0},
         {AT(3, 6, -1, 1), .paddle_x = 3, .bricks = 0},
         0.0F,
         false},
    };
    struct lab_environments *const batch = create_one(&lab_environment_breakout);
    struct lab_breakout_state *const s = batch->state;
    for (size_t i = 0; i < COUNT_OF(situations); ++i) {
        const struct situation *const it = &situations[i];
        *s = it->before;
        const float reward = advance(batch, REST);
        const bool right = s->ball_x == it->after.ball_x && s->ball_y == it->after.ball_y &&
                           s->speed_x == it->after.speed_x && s->speed_y == it->after.speed_y &&
                           s->trail_x == it->before.ball_x && s->trail_y == it->before.ball_y &&
                           s->paddle_x == it->after.paddle_x && s->inside == it->after.inside &&
                           s->bricks == it->after.bricks && reward == it->reward && batch->terminated[0] == it->lost;
        if (!right)
            fail_msg("%s: ball %d, %d, speed %d, %d, paddle %d, bricks %x, inside %d, reward %g, terminated %d",
                     it->what, s->ball_x, s->ball_y, s->speed_x, s->speed_y, s->paddle_x, s->bricks, s->inside,
                     (double)reward, batch->terminated[0]);
    }
    lab_environments_destroy(batch);
}

static void breakout_moves_the_paddle_first_and_within_the_board(void **state)
{
    (void)state;
    struct lab_environments *const batch = create_one(&lab_environment_breakout);
    struct lab_breakout_state *const s = batch->state;
    static const struct {
        int16_t from, to;
        uint8_t action;
    } moves[] = {{0, 0, TO_LEFT}, {9, 9, TO_RIGHT}, {5, 4, TO_LEFT}, {5, 6, TO_RIGHT}, {5, 5, REST}};
    for (size_t i = 0; i < COUNT_OF(moves); ++i) {
        *s = (struct lab_breakout_state){AT(4, 5, 1, 1), .paddle_x = moves[i].from};
        (void)advance(batch, moves[i].action);
        assert_int_equal(s->paddle_x, moves[i].to);
    }
    *s = (struct lab_breakout_state){AT(4, 8, 1, 1), .paddle_x = 3, .bricks = 1};
    (void)advance(batch, TO_RIGHT);
    assert_int_equal(batch->terminated[0], 0); /* it is below the ball by then */
    lab_environments_destroy(batch);
}

/* The sides from which 1,000 episodes begin: 500 +- 4 x 15.8. */
static void breakout_begins_at_either_side_with_a_whole_wall(void **state)
{
    (void)state;
    struct lab_environments *const batch = lab_environments_create(&lab_environment_breakout, 1000, 3, NULL);
    assert_non_null(batch);
    size_t right = 0;
    for (size_t copy = 0; copy < batch->copies; ++copy) {
        const struct lab_breakout_state *const s = (const struct lab_breakout_state *)batch->state + copy;
        assert_true(s->ball_x == 0 || s->ball_x == 9);
        assert_int_equal(s->speed_x, s->ball_x == 0 ? 1 : -1);
        assert_true(s->ball_y == 3 && s->speed_y == 1 && s->paddle_x == 4 && s->bricks == LAB_BREAKOUT_WALL);
        right += s->ball_x == 9;
    }
    assert_in_range(right, 437, 563);
    lab_environments_destroy(batch);
}

/* One cell of each channel, and no other. */
static void breakout_shows_paddle_ball_trail_and_bricks(void **state)
{
    (void)state;
    enum { PADDLE, BALL, TRAIL, BRICK, CHANNELS };
    struct lab_environments *const batch = create_one(&lab_environment_breakout);
    *(struct lab_breakout_state *)batch->state = (struct lab_breakout_state){
        AT(7, 5, 1, 1), .trail_x = 6, .trail_y = 4, .paddle_x = 2, .bricks = brick(0, 1) | brick(9, 3)};
    batch->kind->observe(batch, 0, 1, batch->observations);
    const float *const seen = batch->observations;
    float sum = 0.0F;
    for (size_t i = 0; i < 10 * 10 * CHANNELS; ++i)
        sum += seen[i];
    assert_true(sum == 5.0F);
    assert_true(seen[(9 * 10 + 2) * CHANNELS + PADDLE] == 1.0F && seen[(5 * 10 + 7) * CHANNELS + BALL] == 1.0F &&
                seen[(4 * 10 + 6) * CHANNELS + TRAIL] == 1.0F && seen[(1 * 10 + 0) * CHANNELS + BRICK] == 1.0F &&
                seen[(3 * 10 + 9) * CHANNELS + BRICK] == 1.0F);
    lab_environments_destroy(batch);
}

/* ---- Beginnings of motions: 4,000 uniform numbers come near both bounds and not beyond, and their mean is 0 within four
 * standard deviations, bound / sqrt 3 / sqrt 4,000 each. */
static void motions_begin_uniformly_around_rest(void **state)
{
    (void)state;
    static const struct {
        const struct lab_environment *kind;
        double bound;
    } cases[] = {{&lab_environment_cartpole, 0.05}, {&lab_environment_acrobot, 0.1}};
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        struct lab_environments *const batch = lab_environments_create(cases[i].kind, 1000, 3, NULL);
        assert_non_null(batch);
        const double bound = cases[i].bound;
        double least = 0.0, most = 0.0, sum = 0.0;
        for (size_t number = 0; number < LAB_MOTION_NUMBERS; ++number)
            for (size_t copy = 0; copy < batch->copies; ++copy) {
                const double x = lab_motion(batch, number)[copy];
                assert_true(cases[i].kind == &lab_environment_cartpole || x == (double)(float)x);
                least = fmin(least, x);
                most = fmax(most, x);
                sum += x;
            }
        assert_true(least < -0.99 * bound && least >= -bound * (1.0 + 0x1p-24));
        assert_true(most > 0.99 * bound && most <= bound * (1.0 + 0x1p-24));
        assert_true(fabs(sum / 4000.0) < 4.0 * bound / sqrt(3.0 * 4000.0));
        lab_environments_destroy(batch);
    }
}

/* ---- Physics */

/* The acceleration of CartPole's pole, upright and at rest, when it is pushed to the right: by hand, from the equations. */
static void cartpole_is_pushed_by_the_force_and_turns_by_the_length(void **state)
{
    (void)state;
    struct lab_environments *const batch = create_one(&lab_environment_cartpole);
    static const struct lab_physics cases[] = {{.force = 1.0, .length = 1.0},
                                               {.force = 0.5, .length = 1.0},
                                               {.force = 1.0, .length = 2.0},
                                               {.force = 3.0, .length = 0.4}};
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        for (size_t number = 0; number < LAB_MOTION_NUMBERS; ++number)
            *lab_motion(batch, number) = 0.0;
        lab_environments_set_physics(batch, &cases[i]);
        (void)advance(batch, 1);
        const double push = 10.0 * cases[i].force / 1.1;
        const double turn = -push / (0.5 * cases[i].length * (4.0 / 3.0 - 0.1 / 1.1));
        const double speed = 0.02 * (push - 0.1 * 0.5 * cases[i].length * turn / 1.1);
        assert_true(fabs(*lab_motion(batch, 3) - 0.02 * turn) < 1e-12);
        assert_true(fabs(*lab_motion(batch, 1) - speed) < 1e-12);
    }
    lab_environments_destroy(batch);
}

/* Kinetic and potential energy of two links of mass and inertia 1, the inertia about their centers. */
static double acrobot_energy(const struct lab_environments *batch, double length)
{
    const double first = *lab_motion(batch, 0), both = first + *lab_motion(batch, 1);
    const double turn = *lab_motion(batch, 2), turn_both = turn + *lab_motion(batch, 3);
    const double l = length, lc = length / 2;
    const double kinetic = 0.5 * (lc * lc + 1.0) * turn * turn + 0.5 * turn_both * turn_both +
                           0.5 * (l * l * turn * turn + lc * lc * turn_both * turn_both +
                                  2.0 * l * lc * turn * turn_both * cos(both - first));
    return kinetic - 9.8 * ((lc + l) * cos(first) + lc * cos(both));
}

/* Without a torque energy stays, to the order of the method: its relative error in a step of h is some (w h)^5 / 144 for an
 * oscillation of frequency w, below 3 / s here, and so 0.0005; 20 steps, 0.01 of what the swing has. A torque brings the
 * work that it does. */
static void acrobot_keeps_its_energy_whatever_the_length(void **state)
{
    (void)state;
    struct lab_environments *const batch = create_one(&lab_environment_acrobot);
    static const double lengths[] = {0.5, 1.0, 1.5};
    for (size_t i = 0; i < COUNT_OF(lengths); ++i) {
        lab_environments_set_physics(batch, &(struct lab_physics){.force = 1.0, .length = lengths[i]});
        static const double begin[] = {0.4, -0.3, 0.0, 0.0};
        for (size_t number = 0; number < LAB_MOTION_NUMBERS; ++number)
            *lab_motion(batch, number) = begin[number];
        const double before = acrobot_energy(batch, lengths[i]);
        const double swing = before + 9.8 * 2.0 * lengths[i]; /* above hanging at rest */
        for (size_t step = 0; step < 20; ++step) {
            (void)advance(batch, 1);
            if (fabs(acrobot_energy(batch, lengths[i]) - before) > 0.01 * swing)
                fail_msg("length %g, step %zu: energy %g, then %g", lengths[i], step, before,
                         acrobot_energy(batch, lengths[i]));
        }
    }
    lab_environments_destroy(batch);
}

/* From hanging at rest, torque times the change of the second angle is the energy afterwards, whatever the path. */
static void acrobots_torque_does_its_work(void **state)
{
    (void)state;
    struct lab_environments *const batch = create_one(&lab_environment_acrobot);
    for (int factor = 1; factor <= 4; factor *= 2)
        for (uint8_t action = 0; action < 3; ++action) {
            lab_environments_set_physics(batch, &(struct lab_physics){.force = factor, .length = 1.0});
            for (size_t number = 0; number < LAB_MOTION_NUMBERS; ++number)
                *lab_motion(batch, number) = 0.0;
            const double before = acrobot_energy(batch, 1.0);
            for (size_t step = 0; step < 2; ++step)
                (void)advance(batch, action);
            const double work = factor * ((double)action - 1.0) * *lab_motion(batch, 1);
            assert_true(fabs(acrobot_energy(batch, 1.0) - before - work) <= 0.01 * fabs(work) + 1e-12);
            assert_true(action == 1 || work > 0.01 * factor * factor);
        }
    lab_environments_destroy(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(catch_pays_for_being_below_the_ball_in_the_end),
        cmocka_unit_test(catch_moves_the_paddle_by_a_column_within_the_board),
        cmocka_unit_test(catch_drops_the_ball_from_every_column),
        cmocka_unit_test(breakout_turns_the_ball_where_it_should),
        cmocka_unit_test(breakout_moves_the_paddle_first_and_within_the_board),
        cmocka_unit_test(breakout_begins_at_either_side_with_a_whole_wall),
        cmocka_unit_test(breakout_shows_paddle_ball_trail_and_bricks),
        cmocka_unit_test(motions_begin_uniformly_around_rest),
        cmocka_unit_test(cartpole_is_pushed_by_the_force_and_turns_by_the_length),
        cmocka_unit_test(acrobot_keeps_its_energy_whatever_the_length),
        cmocka_unit_test(acrobots_torque_does_its_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
