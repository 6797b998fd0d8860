/* Batches of environments: what a copy goes through depends on seed, number and actions alone; episodes end, are counted
 * and begin anew as the header says; steps allocate nothing; and the bits stay what they were. */
#include "digest.h"
#include "environments/states.h"
#include "heap_calls.h"

#include <math.h>
#include <string.h>

enum { COPIES_MAX = 64 };

static struct lab_environments *create(const struct lab_environment *kind, size_t copies, uint64_t seed)
{
    struct lab_environments *const batch = lab_environments_create(kind, copies, seed, NULL);
    assert_non_null(batch);
    assert_true(copies <= COPIES_MAX);
    return batch;
}

static void step_at_random(struct lab_environments *batch, uint64_t seed, size_t step)
{
    uint8_t actions[COPIES_MAX];
    lab_environments_random_actions(batch, seed, step, actions);
    lab_environments_step(batch, actions);
}

/* What there is to see of the copies from first on, as a hash. */
static uint64_t digest_of(uint64_t digest, const struct lab_environments *batch, size_t first, size_t count)
{
    const size_t numbers = batch->kind->observation_count;
    digest = lab_digest_floats(digest, batch->observations + first * numbers, count * numbers);
    digest = lab_digest_floats(digest, batch->rewards + first, count);
    for (size_t i = first; i < first + count; ++i) {
        digest = lab_digest_word(digest, batch->terminated[i]);
        digest = lab_digest_word(digest, batch->truncated[i]);
        if (lab_environments_ended(batch, i))
            digest = lab_digest_floats(digest, lab_environments_outcome(batch, i), numbers);
    }
    return digest;
}

static uint64_t digest_of_run(const struct lab_environment *kind, size_t copies, size_t watched, uint64_t seed,
                              size_t steps)
{
    struct lab_environments *const batch = create(kind, copies, seed);
    uint64_t digest = digest_of(LAB_DIGEST_EMPTY, batch, 0, watched);
    for (size_t step = 0; step < steps; ++step) {
        step_at_random(batch, seed, step);
        digest = digest_of(digest, batch, 0, watched);
    }
    lab_environments_destroy(batch);
    return digest;
}

static void ten_thousand_random_steps_have_the_bits_that_they_had(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t digest;
    } expected[] = {
        {"catch", 0xcf3c68652816dc15},
        {"cartpole", 0xab3c4241369b1664},
        {"acrobot", 0x6ee021093479257a},
        {"breakout", 0x93cacafe17df4829},
    };
    assert_int_equal(lab_environment_kind_count, COUNT_OF(expected));
    for (size_t i = 0; i < COUNT_OF(expected); ++i) {
        const struct lab_environment *const kind = lab_environment_find(expected[i].name);
        assert_non_null(kind);
        const uint64_t digest = digest_of_run(kind, 10, 10, 1, 1000);
        if (digest != expected[i].digest)
            fail_msg("%s: 0x%016llx", kind->name, (unsigned long long)digest);
    }
}

static void copies_do_not_depend_on_how_many_others_there_are(void **state)
{
    (void)state;
    for (size_t k = 0; k < lab_environment_kind_count; ++k) {
        const struct lab_environment *const kind = lab_environment_kinds[k];
        const uint64_t alone = digest_of_run(kind, 1, 1, 3, 150);
        assert_true(alone == digest_of_run(kind, COPIES_MAX, 1, 3, 150));
        const uint64_t few = digest_of_run(kind, 13, 13, 3, 150);
        assert_true(few == digest_of_run(kind, COPIES_MAX, 13, 3, 150));
        assert_true(few != alone);
    }
}

/* The same from the beginning, after any life before; other seeds, other lives. */
static void a_reset_begins_the_same_life_again(void **state)
{
    (void)state;
    for (size_t k = 0; k < lab_environment_kind_count; ++k) {
        const struct lab_environment *const kind = lab_environment_kinds[k];
        const uint64_t expected = digest_of_run(kind, 8, 8, 5, 60);
        assert_true(expected != digest_of_run(kind, 8, 8, 6, 60));
        struct lab_environments *const batch = create(kind, 8, 77);
        for (size_t step = 0; step < 41; ++step)
            step_at_random(batch, 2, step);
        lab_environments_reset(batch, 5);
        assert_int_equal(batch->terminated[0] + batch->truncated[0], 0);
        uint64_t digest = digest_of(LAB_DIGEST_EMPTY, batch, 0, 8);
        for (size_t step = 0; step < 60; ++step) {
            step_at_random(batch, 5, step);
            digest = digest_of(digest, batch, 0, 8);
        }
        assert_true(digest == expected);
        lab_environments_destroy(batch);
    }
}

/* The books of one copy, kept beside the batch's. */
struct book {
    double sum;
    size_t steps;
};

static void keep_book(const struct lab_environments *batch, size_t copy, struct book *book, size_t *ends)
{
    book->sum += (double)batch->rewards[copy];
    ++book->steps;
    assert_int_equal(batch->truncated[copy], book->steps == batch->steps_max);
    if (lab_environments_ended(batch, copy)) {
        assert_true(batch->episode_returns[copy] == book->sum);
        assert_true(book->sum >= batch->kind->least_return);
        assert_int_equal(batch->episode_lengths[copy], book->steps);
        *book = (struct book){0};
        ++*ends;
    }
}

static void returns_and_lengths_are_those_of_each_episode(void **state)
{
    (void)state;
    enum { COPIES = 9, STEPS = 1100 };
    for (size_t k = 0; k < lab_environment_kind_count; ++k) {
        struct lab_environments *const batch = create(lab_environment_kinds[k], COPIES, 4);
        struct book books[COPIES] = {{0}};
        size_t ends = 0, counted = 0;
        for (size_t step = 0; step < STEPS; ++step) {
            step_at_random(batch, 4, step);
            for (size_t copy = 0; copy < COPIES; ++copy)
                keep_book(batch, copy, &books[copy], &ends);
        }
        for (size_t copy = 0; copy < COPIES; ++copy)
            counted += batch->episodes[copy];
        assert_true(ends >= COPIES);
        assert_int_equal(counted, ends);
        lab_environments_destroy(batch);
    }
}

/* Catch lasts nine steps: the limit comes before, at the same time, or behind. */
static void time_that_is_up_truncates_and_an_end_terminates(void **state)
{
    (void)state;
    static const struct {
        size_t limit, length;
        uint8_t terminated, truncated;
    } cases[] = {{4, 4, 0, 1}, {9, 9, 1, 1}, {10, 9, 1, 0}, {0, 9, 1, 0}};
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        struct lab_environments *const batch = create(&lab_environment_catch, 3, 8);
        batch->steps_max = cases[i].limit;
        for (size_t step = 1; step <= cases[i].length; ++step) {
            assert_int_equal(batch->steps[2], step - 1);
            step_at_random(batch, 1, step);
            assert_int_equal(lab_environments_ended(batch, 2), step == cases[i].length);
        }
        assert_int_equal(batch->terminated[2], cases[i].terminated);
        assert_int_equal(batch->truncated[2], cases[i].truncated);
        assert_int_equal(batch->episode_lengths[2], cases[i].length);
        lab_environments_destroy(batch);
    }
}

/* In Catch the ball shows in which row an observation was made. */
static void after_an_end_there_are_its_last_observation_and_the_next_episodes_first(void **state)
{
    (void)state;
    enum { ROW = 5, CELLS = 50 };
    struct lab_environments *const batch = create(&lab_environment_catch, 1, 8);
    float top, bottom;
    for (size_t step = 1; step <= 27; ++step) {
        step_at_random(batch, 1, step);
        top = bottom = 0.0F;
        for (size_t i = 0; i < ROW; ++i) {
            top += batch->observations[i];
            bottom += lab_environments_outcome(batch, 0)[CELLS - ROW + i];
        }
        const bool ended = step % 9 == 0;
        assert_int_equal(lab_environments_ended(batch, 0), ended);
        assert_true(lab_environments_outcome(batch, 0) == (ended ? batch->final_observations : batch->observations));
        assert_true(top == (ended ? 1.0F : 0.0F));
        assert_true(!ended || bottom == (batch->rewards[0] > 0.0F ? 1.0F : 2.0F)); /* caught: one cell holds both */
    }
    lab_environments_destroy(batch);
}

/* How often the last action came again instead of the one given, for copies whose actions alternate. */
static double share_repeated(double sticky)
{
    const struct lab_physics physics = {.force = 1.0, .length = 1.0, .sticky = sticky};
    struct lab_environments *const batch = lab_environments_create(&lab_environment_acrobot, COPIES_MAX, 9, &physics);
    assert_non_null(batch);
    size_t repeated = 0;
    enum { STEPS = 200 };
    for (size_t step = 0; step < STEPS; ++step) {
        uint8_t actions[COPIES_MAX];
        for (size_t copy = 0; copy < COPIES_MAX; ++copy)
            actions[copy] = (uint8_t)((batch->last_actions[copy] + 1) % 3);
        lab_environments_step(batch, actions);
        for (size_t copy = 0; copy < COPIES_MAX; ++copy)
            repeated += batch->last_actions[copy] != actions[copy];
    }
    lab_environments_destroy(batch);
    return (double)repeated / (STEPS * COPIES_MAX);
}

/* Of 12,800 draws, within four standard deviations. */
static void sticky_actions_repeat_the_last_one_as_often_as_they_should(void **state)
{
    (void)state;
    assert_true(share_repeated(0.0) == 0.0);
    assert_true(share_repeated(1.0) == 1.0);
    assert_true(fabs(share_repeated(0.1) - 0.1) < 4.0 * sqrt(0.1 * 0.9 / 12800.0));
    assert_true(lab_environment_breakout.physics.sticky == 0.1);
}

static void inverted_controls_do_what_the_opposite_action_did(void **state)
{
    (void)state;
    for (size_t k = 0; k < lab_environment_kind_count; ++k) {
        const struct lab_environment *const kind = lab_environment_kinds[k];
        struct lab_environments *const straight = create(kind, 8, 2), *const inverted = create(kind, 8, 2);
        struct lab_physics physics = kind->physics;
        physics.inverted = true;
        lab_environments_set_physics(inverted, &physics);
        for (size_t step = 0; step < 40; ++step) {
            uint8_t actions[8], opposite[8];
            lab_environments_random_actions(straight, 6, step, actions);
            for (size_t i = 0; i < COUNT_OF(actions); ++i) {
                opposite[i] = kind->opposite[actions[i]];
                assert_int_equal(kind->opposite[opposite[i]], actions[i]);
            }
            lab_environments_step(straight, actions);
            lab_environments_step(inverted, opposite);
            assert_true(digest_of(LAB_DIGEST_EMPTY, straight, 0, 8) == digest_of(LAB_DIGEST_EMPTY, inverted, 0, 8));
        }
        assert_true(kind->opposite[0] != 0 || kind->opposite[1] != 1);
        lab_environments_destroy(straight);
        lab_environments_destroy(inverted);
    }
}

/* Pearson's statistic has a mean of choices - 1 and twice that as its variance. */
static void random_actions_are_met_equally_often(void **state)
{
    (void)state;
    for (size_t k = 0; k < lab_environment_kind_count; ++k) {
        struct lab_environments *const batch = create(lab_environment_kinds[k], COPIES_MAX - 3, 1);
        const size_t choices = batch->kind->action_count;
        size_t counts[LAB_ACTIONS_MAX] = {0};
        enum { STEPS = 500 };
        for (size_t step = 0; step < STEPS; ++step) {
            uint8_t actions[COPIES_MAX];
            lab_environments_random_actions(batch, 12, step, actions);
            for (size_t copy = 0; copy < batch->copies; ++copy) {
                assert_true(actions[copy] < choices);
                ++counts[actions[copy]];
            }
        }
        const double expected = (double)(STEPS * batch->copies) / (double)choices;
        double statistic = 0.0;
        for (size_t i = 0; i < choices; ++i)
            statistic += ((double)counts[i] - expected) * ((double)counts[i] - expected) / expected;
        assert_true(statistic < (double)(choices - 1) + 4.0 * sqrt(2.0 * (double)(choices - 1)) + 4.0);
        lab_environments_destroy(batch);
    }
}

static void steps_and_resets_allocate_nothing(void **state)
{
    (void)state;
    skip_unless_counting();
    for (size_t k = 0; k < lab_environment_kind_count; ++k) {
        const size_t at_first = heap_calls;
        struct lab_environments *const batch = create(lab_environment_kinds[k], COPIES_MAX, 1);
        const size_t before = heap_calls;
        assert_true(before > at_first);
        for (size_t step = 0; step < 600; ++step)
            step_at_random(batch, 1, step);
        lab_environments_set_physics(batch, &batch->kind->physics);
        lab_environments_reset(batch, 2);
        assert_int_equal(heap_calls, before);
        lab_environments_destroy(batch);
    }
}

static void what_memory_cannot_hold_is_refused(void **state)
{
    (void)state;
    for (size_t k = 0; k < lab_environment_kind_count; ++k) {
        assert_null(lab_environments_create(lab_environment_kinds[k], 0, 1, NULL));
        assert_null(lab_environments_create(lab_environment_kinds[k], SIZE_MAX, 1, NULL));
        assert_null(lab_environments_create(lab_environment_kinds[k], SIZE_MAX / 64 + 1, 1, NULL));
    }
    assert_null(lab_environment_find("catch "));
    lab_environments_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_random_steps_have_the_bits_that_they_had),
        cmocka_unit_test(copies_do_not_depend_on_how_many_others_there_are),
        cmocka_unit_test(a_reset_begins_the_same_life_again),
        cmocka_unit_test(returns_and_lengths_are_those_of_each_episode),
        cmocka_unit_test(time_that_is_up_truncates_and_an_end_terminates),
        cmocka_unit_test(after_an_end_there_are_its_last_observation_and_the_next_episodes_first),
        cmocka_unit_test(sticky_actions_repeat_the_last_one_as_often_as_they_should),
        cmocka_unit_test(inverted_controls_do_what_the_opposite_action_did),
        cmocka_unit_test(random_actions_are_met_equally_often),
        cmocka_unit_test(steps_and_resets_allocate_nothing),
        cmocka_unit_test(what_memory_cannot_hold_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
