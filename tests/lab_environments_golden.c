/* Gymnasium's CartPole-v1 and Acrobot-v1, MinAtar's Breakout and bsuite's Catch themselves: the same actions lead through
 * the same states. golden/gymnasium.txt comes from golden/gymnasium_generate.py, golden/boards.txt from
 * golden/boards_generate.py. Boards are whole numbers, and equal.
 *
 * Motions may differ by rounding, and 1e-12 is the tolerance: 2,252 units in the last place of numbers in [2, 4), 563 of
 * those in [8, 16). Terms are added and multiplied in Gymnasium's order, so that all starts from sines and cosines, which
 * are off by 1 ulp at most here and by 4 in numpy: 5 v of numbers up to 1, where v = 2^-53. Operations behind them may then
 * round differently, by 2 v of their results.
 *
 * CartPole: an acceleration is at most 16 times the sine and 15 times the cosine of the pole, about, which brings 155 v;
 * ten roundings of numbers below 16, 320 v. Times 0.02 s that is 10 v; the sum, a speed below 4, may round
 * differently by 8 v. 18 v = 2e-15 in a step is a 500th of the tolerance.
 *
 * Acrobot: in these episodes speeds are below 7.1 and 11.1, so that the terms of an acceleration add up to 160 before they
 * are multiplied by d2 / d1, at most 0.39, and divided by 0.57 at least. Sines and cosines bring 160 x 5 v, a dozen
 * roundings 160 x 24 v; times 0.39 / 0.57 x 0.2 s, 640 v. What earlier stages pass on is multiplied by no more than what a
 * whole step multiplies errors by, at most 6.2 here: 4,000 v = 4.4e-13.
 *
 * Over many steps nothing but the systems' own growth of errors counts, and it forbids to ask for more than a stretch of
 * steps: both drive neighbours apart. The pole falls at a rate of sqrt(9.8 / (0.5 (4/3 - 0.1 / 1.1))) = 4.0 / s: an error
 * is multiplied by 1.08 in a step, and by 5e16 in an episode of 500; Acrobot is chaotic. The generator works out from
 * the Jacobians along the episodes by how much the errors of so many steps in a row may have grown together, and the
 * file says: 634 in 40 steps of CartPole, 718 in 15 of Acrobot. So long each runs freely, before it begins anew from
 * Gymnasium's state; that times the largest difference that single steps show must stay below the tolerance, or the
 * file demands too much. */
#include "support.h"

#include "environments/states.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double tolerance = 1e-12;

/* ---- The files: episodes of moments, each the numbers of a line. */

enum { NUMBERS = 9, MOMENTS_MAX = 2400, EPISODES_MAX = 32, GROWTHS_MAX = 2, WORD_SIZE = 16 };

/* After a step: action, reward, terminated, in Gymnasium's file truncated, and the state; at the start the state alone. */
struct moment {
    double number[NUMBERS];
    size_t count;
};

struct episode {
    char environment[WORD_SIZE];
    struct moment *moments; /* the start, then one for each step */
    size_t steps;
};

/* By how much errors of so many steps in a row may have grown together. */
struct growth {
    char environment[WORD_SIZE];
    size_t steps;
    double factor;
};

struct golden {
    struct growth growths[GROWTHS_MAX];
    struct moment moments[MOMENTS_MAX];
    struct episode episodes[EPISODES_MAX];
    size_t growth_count, moment_count, episode_count;
};

static void read_moment(struct golden *golden, const char *text)
{
    assert_true(golden->moment_count < MOMENTS_MAX);
    struct moment *const moment = &golden->moments[golden->moment_count++];
    for (char *end;; text = end) {
        const double number = strtod(text, &end);
        if (end == text)
            break;
        assert_true(moment->count < NUMBERS);
        moment->number[moment->count++] = number;
    }
}

/* Copies what stands before the next space; returns where that is. */
static char *take_word(char *text, char word[WORD_SIZE])
{
    const size_t length = strcspn(text, " ");
    assert_in_range(length, 1, WORD_SIZE - 1);
    memcpy(word, text, length);
    return text + length;
}

static void read_line(struct golden *golden, char *line)
{
    if (strncmp(line, "growth ", 7) == 0) {
        assert_true(golden->growth_count < GROWTHS_MAX);
        struct growth *const growth = &golden->growths[golden->growth_count++];
        char *at = take_word(line + 7, growth->environment);
        growth->steps = strtoul(at, &at, 10);
        growth->factor = strtod(at, NULL);
    } else if (strncmp(line, "episode ", 8) == 0) {
        assert_true(golden->episode_count < EPISODES_MAX);
        struct episode *const episode = &golden->episodes[golden->episode_count++];
        (void)take_word(line + 8, episode->environment);
        episode->moments = &golden->moments[golden->moment_count];
    } else if (strncmp(line, "start ", 6) == 0) {
        read_moment(golden, line + 6);
    } else {
        assert_true(golden->episode_count > 0);
        ++golden->episodes[golden->episode_count - 1].steps;
        read_moment(golden, line);
    }
}

/* The caller frees it. Fails where the file does not end with the number of its episodes and steps. */
static struct golden *read_golden(const char *path)
{
    struct golden *const golden = calloc(1, sizeof *golden);
    FILE *const file = fopen(path, "r");
    assert_non_null(golden);
    assert_non_null(file);
    char line[256];
    size_t episodes = 0, steps = 0;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, "end ", 4) == 0) {
            char *at = line + 4;
            episodes = strtoul(at, &at, 10);
            steps = strtoul(at, &at, 10);
        } else if (line[0] != '#') {
            read_line(golden, line);
        }
    (void)fclose(file);
    assert_true(episodes > 0);
    assert_int_equal(golden->episode_count, episodes);
    assert_int_equal(golden->moment_count, episodes + steps);
    return golden;
}

/* ---- Gymnasium */

enum { ACTION, REWARD, TERMINATED, TRUNCATED, MOTION };

static const struct lab_environment *kind_of(const char *environment)
{
    return strcmp(environment, "CartPole-v1") == 0 ? &lab_environment_cartpole : &lab_environment_acrobot;
}

/* One copy, whose actions are carried out as given. */
static struct lab_environments *create_one(const struct lab_environment *kind)
{
    struct lab_physics physics = kind->physics;
    physics.sticky = 0.0;
    struct lab_environments *const batch = lab_environments_create(kind, 1, 1, &physics);
    assert_non_null(batch);
    return batch;
}

/* The state after so many steps. */
static const double *motion_at(const struct episode *episode, size_t step)
{
    return episode->moments[step].number + (step > 0 ? MOTION : 0);
}

static void put_motion(struct lab_environments *batch, const double *motion)
{
    for (size_t number = 0; number < LAB_MOTION_NUMBERS; ++number)
        *lab_motion(batch, number) = motion[number];
}

/* The largest difference between the batch's state and that after a step. */
static double difference(const struct lab_environments *batch, const struct episode *episode, size_t step)
{
    double largest = 0.0;
    for (size_t number = 0; number < LAB_MOTION_NUMBERS; ++number) {
        const double ours = *lab_motion(batch, number), theirs = motion_at(episode, step)[number];
        if (!(fabs(ours - theirs) <= tolerance))
            fail_msg("%s, step %zu, number %zu: %.17g (here) != %.17g (Gymnasium)", batch->kind->name, step, number,
                     ours, theirs);
        largest = fmax(largest, fabs(ours - theirs));
        ++numbers_compared;
    }
    return largest;
}

/* Follows all episodes, going on from Gymnasium's state at every `stretch` steps; returns the largest difference. */
static double follow(const struct golden *golden, const struct lab_environment *kind, size_t stretch)
{
    struct lab_environments *const batch = create_one(kind);
    double largest = 0.0;
    for (size_t e = 0; e < golden->episode_count; ++e) {
        const struct episode *const episode = &golden->episodes[e];
        for (size_t step = 1; kind_of(episode->environment) == kind && step <= episode->steps; ++step) {
            if ((step - 1) % stretch == 0)
                put_motion(batch, motion_at(episode, step - 1));
            const uint8_t action = (uint8_t)episode->moments[step].number[ACTION];
            kind->advance(batch, &action);
            largest = fmax(largest, difference(batch, episode, step));
            assert_int_equal(batch->terminated[0], episode->moments[step].number[TERMINATED]);
        }
    }
    lab_environments_destroy(batch);
    print_message("%s, freely for %zu steps: within %.2g of Gymnasium's states\n", kind->name, stretch, largest);
    return largest;
}

static void every_step_from_gymnasiums_state_leads_to_its_next_one(void **state)
{
    (void)state;
    struct golden *const golden = read_golden(GOLDEN_DIRECTORY "/gymnasium.txt");
    (void)follow(golden, &lab_environment_cartpole, 1);
    (void)follow(golden, &lab_environment_acrobot, 1);
    report_comparisons("single steps");
    free(golden);
}

static void for_a_stretch_of_steps_gymnasium_is_followed_freely(void **state)
{
    (void)state;
    struct golden *const golden = read_golden(GOLDEN_DIRECTORY "/gymnasium.txt");
    assert_int_equal(golden->growth_count, GROWTHS_MAX);
    for (size_t i = 0; i < GROWTHS_MAX; ++i) {
        const struct growth *const growth = &golden->growths[i];
        const struct lab_environment *const kind = kind_of(growth->environment);
        assert_true(growth->steps >= 15);
        assert_true(follow(golden, kind, 1) * growth->factor <= tolerance);
        (void)follow(golden, kind, growth->steps);
    }
    report_comparisons("free steps");
    free(golden);
}

/* What the agent sees of a state: that, or angles as their cosines and sines. Returns how many numbers. */
static size_t view(const struct lab_environment *kind, const double *motion, double seen[6])
{
    const double plain[] = {motion[0], motion[1], motion[2], motion[3]};
    const double turned[] = {cos(motion[0]), sin(motion[0]), cos(motion[1]), sin(motion[1]), motion[2], motion[3]};
    const bool is_plain = kind == &lab_environment_cartpole;
    memcpy(seen, is_plain ? plain : turned, is_plain ? sizeof plain : sizeof turned);
    return is_plain ? COUNT_OF(plain) : COUNT_OF(turned);
}

/* Rewards, ends and observations after a step that began at Gymnasium's state. */
static void check_step(const struct lab_environments *batch, const struct moment *moment)
{
    assert_true((double)batch->rewards[0] == moment->number[REWARD]);
    assert_int_equal(batch->terminated[0], moment->number[TERMINATED]);
    assert_int_equal(batch->truncated[0], moment->number[TRUNCATED]);
    double expected[6];
    const size_t count = view(batch->kind, moment->number + MOTION, expected);
    assert_int_equal(count, batch->kind->observation_count);
    const float *const seen = lab_environments_outcome(batch, 0);
    for (size_t i = 0; i < count; ++i, ++numbers_compared)
        assert_true(fabs((double)seen[i] - expected[i]) <=
                    0x1p-24 * fabs(expected[i]) + tolerance); /* rounded to float */
}

static void rewards_and_ends_are_gymnasiums(void **state)
{
    (void)state;
    struct golden *const golden = read_golden(GOLDEN_DIRECTORY "/gymnasium.txt");
    size_t ends[2] = {0};
    for (size_t e = 0; e < golden->episode_count; ++e) {
        const struct episode *const episode = &golden->episodes[e];
        struct lab_environments *const batch = create_one(kind_of(episode->environment));
        double sum = 0.0;
        for (size_t step = 1; step <= episode->steps; ++step) {
            const struct moment *const moment = &episode->moments[step];
            put_motion(batch, motion_at(episode, step - 1));
            lab_environments_step(batch, &(uint8_t){(uint8_t)moment->number[ACTION]});
            check_step(batch, moment);
            sum += moment->number[REWARD];
            assert_int_equal(lab_environments_ended(batch, 0), step == episode->steps);
        }
        assert_int_equal(batch->episode_lengths[0], episode->steps);
        assert_true(batch->episode_returns[0] == sum);
        ++ends[batch->truncated[0]];
        lab_environments_destroy(batch);
    }
    assert_true(ends[false] > 1 && ends[true] > 1);
    report_comparisons("observations");
    free(golden);
}

/* ---- Boards: the numbers behind action, reward and terminated are whole. */

enum { BOARD = TRUNCATED };

static void put_board(struct lab_environments *batch, const double *board)
{
    if (batch->kind == &lab_environment_catch)
        *(struct lab_catch_state *)batch->state =
            (struct lab_catch_state){(int16_t)board[0], (int16_t)board[1], (int16_t)board[2]};
    else
        *(struct lab_breakout_state *)batch->state = (struct lab_breakout_state){
            .paddle_x = (int16_t)board[0],
            .ball_x = (int16_t)board[1],
            .ball_y = (int16_t)board[2],
            .trail_x = (int16_t)board[3],
            .trail_y = (int16_t)board[4],
            .bricks = (uint32_t)board[5],
            .speed_x = board[1] > 0 ? -1 : 1,
            .speed_y = 1,
        };
}

static size_t get_board(const struct lab_environments *batch, double board[6])
{
    if (batch->kind == &lab_environment_catch) {
        const struct lab_catch_state *const s = batch->state;
        memcpy(board, (const double[]){s->ball_x, s->ball_y, s->paddle_x}, 3 * sizeof *board);
        return 3;
    }
    const struct lab_breakout_state *const s = batch->state;
    memcpy(board, (const double[]){s->paddle_x, s->ball_x, s->ball_y, s->trail_x, s->trail_y, s->bricks},
           6 * sizeof *board);
    return 6;
}

static void check_board(const struct lab_environments *batch, const double *expected, size_t count)
{
    double board[6];
    assert_int_equal(get_board(batch, board), count);
    for (size_t i = 0; i < count; ++i, ++numbers_compared)
        if (board[i] != expected[i])
            fail_msg("%s, number %zu: %g (here) != %g (golden)", batch->kind->name, i, board[i], expected[i]);
}

static void boards_are_minatars_and_bsuites(void **state)
{
    (void)state;
    struct golden *const golden = read_golden(GOLDEN_DIRECTORY "/boards.txt");
    size_t walls = 0; /* put up again */
    for (size_t e = 0; e < golden->episode_count; ++e) {
        const struct episode *const episode = &golden->episodes[e];
        const struct lab_environment *const kind = lab_environment_find(episode->environment);
        assert_non_null(kind);
        struct lab_environments *const batch = create_one(kind);
        put_board(batch, episode->moments[0].number);
        for (size_t step = 1; step <= episode->steps; ++step) {
            const struct moment *const moment = &episode->moments[step];
            kind->advance(batch, &(uint8_t){(uint8_t)moment->number[ACTION]});
            assert_true((double)batch->rewards[0] == moment->number[REWARD]);
            assert_int_equal(batch->terminated[0], moment->number[TERMINATED]);
            check_board(batch, moment->number + BOARD, moment->count - BOARD);
            walls += kind == &lab_environment_breakout && step > 1 &&
                     moment->number[BOARD + 5] > moment[-1].number[BOARD + 5];
        }
        lab_environments_destroy(batch);
    }
    assert_true(walls >= 2);
    report_comparisons("numbers of boards");
    free(golden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_from_gymnasiums_state_leads_to_its_next_one),
        cmocka_unit_test(for_a_stretch_of_steps_gymnasium_is_followed_freely),
        cmocka_unit_test(rewards_and_ends_are_gymnasiums),
        cmocka_unit_test(boards_are_minatars_and_bsuites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
