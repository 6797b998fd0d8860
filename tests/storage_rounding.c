/* What 16 bits cannot hold, by its meaning: a remainder makes the parameter the master again, and rounding at random is
 * right on average, loses nothing that need not be lost, and can be repeated. */
#include "storage_reference.h"

#include "oracle_codec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* SGD that subtracts lr times the gradient, rounding at random. */
static rms_options at_random(double lr)
{
    rms_options options = rms_options_for(RMS_SGD);
    options.lr = lr;
    options.master = RMS_MASTER_NONE;
    options.threads = 1;
    return options;
}

static uint16_t encoded(rms_dtype dtype, double number)
{
    const uint16_t code = oracle_encode(dtype, (float)number);
    assert_true(oracle_decode(dtype, code) == number);
    return code;
}

static uint16_t *filled(rms_dtype dtype, size_t count, double number)
{
    uint16_t *array = bytes_create(count * sizeof *array);
    for (size_t i = 0; i < count; ++i)
        array[i] = encoded(dtype, number);
    return array;
}

static size_t add_short(rms_optimizer *optimizer, const char *name, rms_dtype dtype, size_t count, uint16_t *param,
                        const uint16_t *grad)
{
    const rms_tensor tensor = {.name = name, .count = count, .param = param, .grad = grad, .dtype = dtype};
    assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
    return rms_tensor_count(optimizer) - 1;
}

/* ---- Remainders */

enum { COUNT = 3000 };

struct twin {
    uint16_t param[COUNT];
    rms_optimizer *optimizer;
};

static void twin_create(struct twin *twin, const rms_options *options, rms_master master, const uint16_t *grad,
                        uint64_t seed)
{
    rms_options own = *options;
    own.master = master;
    fill_parameters_of(RMS_BF16, twin->param, COUNT, seed);
    twin->optimizer = create_optimizer(&own);
    add_short(twin->optimizer, "w", RMS_BF16, COUNT, twin->param, grad);
}

/* Ties, and they alone, are rounded differently: to even beside a master, away from zero beside a remainder. */
static void assert_same_master(const struct twin *with_master, const struct twin *with_remainder)
{
    const float *master = rms_state(with_master->optimizer, 0, "master");
    const uint16_t *remainder = rms_state(with_remainder->optimizer, 0, "remainder");
    for (size_t i = 0; i < COUNT; ++i) {
        const float joined = oracle_join(with_remainder->param[i], remainder[i]);
        const bool is_tie = bits_of(master[i]) % 0x10000 == 0x8000;
        if (!same_bits(master[i], joined))
            fail_msg("element %zu: master %a, joined %a", i, (double)master[i], (double)joined);
        if (!isnan(joined) && !is_tie)
            assert_int_equal(with_master->param[i], with_remainder->param[i]);
    }
    numbers_compared += COUNT;
}

static void a_parameter_and_its_remainder_are_the_master_bit_for_bit(void **state)
{
    (void)state;
    static struct twin a, b;
    static uint16_t grad[COUNT];
    uint64_t seed = 21;
    for (size_t repetition = 0; repetition < effort(8); ++repetition)
        for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule) {
            const rms_options options = storage_options(&seed, rule, RMS_MASTER_F32, 0.99);
            const uint64_t data = random_bits(&seed);
            twin_create(&a, &options, RMS_MASTER_F32, grad, data);
            twin_create(&b, &options, RMS_MASTER_REMAINDER, grad, data);
            for (uint64_t step = 0; step < 30; ++step) {
                fill_gradients_of(RMS_BF16, grad, COUNT, data, step);
                const rms_status status = rms_step(a.optimizer, NULL);
                assert_status(status, rms_step(b.optimizer, NULL), rms_message(b.optimizer));
                assert_same_master(&a, &b);
            }
            assert_same_floats(rms_state(b.optimizer, 0, "average"), rms_state(a.optimizer, 0, "average"), COUNT,
                               "average", &options);
            rms_free(a.optimizer);
            rms_free(b.optimizer);
        }
    report_comparisons("masters");
}

static void a_tie_is_rounded_to_even_beside_a_master_and_away_beside_a_remainder(void **state)
{
    (void)state;
    uint16_t grad = encoded(RMS_BF16, -0x1p-8);
    for (rms_master master = RMS_MASTER_F32; master <= RMS_MASTER_REMAINDER; ++master) {
        uint16_t param = encoded(RMS_BF16, 1);
        rms_options options = at_random(1);
        options.master = master;
        rms_optimizer *optimizer = create_optimizer(&options);
        add_short(optimizer, "w", RMS_BF16, 1, &param, &grad);
        assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
        assert_int_equal(param, encoded(RMS_BF16, master == RMS_MASTER_F32 ? 1 : 1 + 0x1p-7));
        rms_free(optimizer);
    }
}

/* ---- At random: what can be kept is kept */

/* An infinite parameter becomes NaN in any dtype: its L2 decay, 0 times infinity, is. */
static void a_step_of_nothing_keeps_every_number(void **state)
{
    (void)state;
    for (rms_dtype dtype = RMS_F16; dtype <= RMS_BF16; ++dtype) {
        const rms_options options = at_random(0);
        uint16_t *const grad = filled(dtype, 0x10000, 1);
        uint16_t *const param = bytes_create(0x10000 * sizeof *param);
        for (size_t code = 0; code < 0x10000; ++code)
            param[code] = (uint16_t)code;
        rms_optimizer *optimizer = create_optimizer(&options);
        add_short(optimizer, "w", dtype, 0x10000, param, grad);
        for (int step = 0; step < 20; ++step)
            assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
        for (size_t code = 0; code < 0x10000; ++code)
            if (code % 0x8000 >= oracle_infinity(dtype) ? !oracle_is_nan(dtype, param[code]) : param[code] != code)
                fail_msg("%s: 0x%04zx became 0x%04x", rms_dtype_name(dtype), code, (unsigned)param[code]);
        rms_free(optimizer);
        free(param);
        free(grad);
    }
}

static void a_result_that_16_bits_hold_is_never_moved(void **state)
{
    (void)state;
    enum { MANY = 10000 };
    for (rms_dtype dtype = RMS_F16; dtype <= RMS_BF16; ++dtype) {
        uint16_t *const param = filled(dtype, MANY, 3);
        uint16_t *const grad = filled(dtype, MANY, 0.25);
        const rms_options options = at_random(1);
        rms_optimizer *optimizer = create_optimizer(&options);
        add_short(optimizer, "w", dtype, MANY, param, grad);
        for (int step = 1; step <= 20; ++step) {
            assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
            for (size_t i = 0; i < MANY; ++i)
                assert_int_equal(param[i], encoded(dtype, 3 - 0.25 * step));
        }
        rms_free(optimizer);
        free(param);
        free(grad);
    }
}

/* ---- At random: right on average. The draws are fixed by the seed, so that a test passes always or never; the bounds
 * are five standard deviations, which a right library would miss for one seed in two million. */

struct draw {
    rms_dtype dtype;
    double number; /* its neighbour away from zero is one step farther */
    double step;
};

static const struct draw draws[] = {
    {RMS_BF16, 1, 0x1p-7},        {RMS_BF16, -1, 0x1p-7}, {RMS_BF16, 0x1.fep0, 0x1p-7}, {RMS_BF16, 0x1p-130, 0x1p-133},
    {RMS_BF16, -0x1p100, 0x1p93}, {RMS_F16, 1, 0x1p-10},  {RMS_F16, -1, 0x1p-10},       {RMS_F16, 0x1p-15, 0x1p-24},
    {RMS_F16, -0x1p-24, 0x1p-24}, {RMS_F16, 60000, 32},
};

/* Where the parameters moved away from zero after a step that should move each of them by share of a step. */
static void round_many(const struct draw *draw, double share, size_t count, bool *away)
{
    const double sign = draw->number < 0 ? -1 : 1;
    rms_options options = at_random(share * draw->step);
    uint16_t *const param = filled(draw->dtype, count, draw->number);
    uint16_t *const grad = filled(draw->dtype, count, -sign);
    const uint16_t before = param[0];
    rms_optimizer *optimizer = create_optimizer(&options);
    add_short(optimizer, "w", draw->dtype, count, param, grad);
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    for (size_t i = 0; i < count; ++i) {
        away[i] = param[i] != before;
        if (away[i])
            assert_int_equal(param[i], before + 1);
    }
    rms_free(optimizer);
    free(param);
    free(grad);
}

static void assert_near(double found, double expected, double deviation, const struct draw *draw, const char *what)
{
    if (!(fabs(found - expected) <= 5 * deviation))
        fail_msg("%s, %g: %s is %g, expected %g, with a standard deviation of %g", rms_dtype_name(draw->dtype),
                 draw->number, what, found, expected, deviation);
}

static void rounding_at_random_is_right_on_average(void **state)
{
    (void)state;
    enum { MANY = 1 << 18 };
    static const double shares[] = {0x1p-6, 0.25, 0.5, 0.8125};
    bool *const away = bytes_create(MANY);
    for (size_t d = 0; d < COUNT_OF(draws); ++d)
        for (size_t s = 0; s < COUNT_OF(shares); ++s) {
            const double p = shares[s];
            round_many(&draws[d], p, MANY, away);
            double moved = 0;
            for (size_t i = 0; i < MANY; ++i)
                moved += away[i];
            assert_near(moved / MANY, p, sqrt(p * (1 - p) / MANY), &draws[d], "the share that moved");
        }
    free(away);
}

/* Neighbours, and elements that lie as far apart as groups, counters' blocks and blocks do, know nothing of each
 * other. */
static void elements_are_rounded_independently(void **state)
{
    (void)state;
    enum { MANY = 1 << 18 };
    static const size_t distances[] = {1, 2, 3, 4, 7, 8, 9, 16, 32, 64, 512, 1024, 4096, 65536};
    const struct draw draw = {RMS_BF16, 1, 0x1p-7};
    bool *const away = bytes_create(MANY);
    round_many(&draw, 0.5, MANY, away);
    for (size_t k = 0; k < COUNT_OF(distances); ++k) {
        const size_t pairs = MANY - distances[k];
        double equal = 0;
        for (size_t i = 0; i < pairs; ++i)
            equal += away[i] == away[i + distances[k]];
        assert_near(equal / (double)pairs, 0.5, 0.5 / sqrt((double)pairs), &draw, "the share of equal pairs");
    }
    free(away);
}

/* A thousand updates of a hundredth of a step, each of which nearest rounding would lose: each element walks at
 * random, with a variance of p (1 - p) a step, and all together move by ten steps. */
static void updates_too_small_to_see_are_not_lost(void **state)
{
    (void)state;
    enum { MANY = 20000, STEPS = 1000 };
    const double p = 0.01;
    for (rms_dtype dtype = RMS_F16; dtype <= RMS_BF16; ++dtype) {
        const struct draw draw = {dtype, 1, dtype == RMS_BF16 ? 0x1p-7 : 0x1p-10};
        const rms_options options = at_random(p * draw.step);
        uint16_t *const param = filled(dtype, MANY, 1);
        uint16_t *const grad = filled(dtype, MANY, -1);
        rms_optimizer *optimizer = create_optimizer(&options);
        add_short(optimizer, "w", dtype, MANY, param, grad);
        for (int step = 0; step < STEPS; ++step)
            assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
        double moved = 0;
        for (size_t i = 0; i < MANY; ++i)
            moved += (oracle_decode(dtype, param[i]) - 1) / draw.step;
        /* The rate is rounded to float: by a relative 2^-24, far below the deviation. */
        assert_near(moved / MANY, p * STEPS, sqrt(p * (1 - p) * STEPS / MANY), &draw, "the mean walk");
        rms_free(optimizer);
        free(param);
        free(grad);
    }
}

/* ---- At random, but repeatable */

enum { PAIR = 4096 };

struct run {
    const char *name;
    int seed;
    uint64_t steps;         /* taken before */
    size_t elements_before; /* in another tensor */
};

static void run_once(const struct run *run, uint16_t *param)
{
    rms_options options = at_random(0x1p-8);
    options.seed = run->seed;
    uint16_t *const fresh = filled(RMS_BF16, PAIR, 1);
    uint16_t *const grad = filled(RMS_BF16, PAIR, -1);
    uint16_t *const other = filled(RMS_BF16, PAIR, 1);
    memcpy(param, fresh, PAIR * sizeof *param);
    rms_optimizer *optimizer = create_optimizer(&options);
    add_short(optimizer, "other", RMS_BF16, run->elements_before, other, grad);
    const size_t tensor = add_short(optimizer, run->name, RMS_BF16, PAIR, param, grad);
    assert_ok(rms_set_steps(optimizer, tensor, run->steps), rms_message(optimizer));
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    rms_free(optimizer);
    free(fresh);
    free(grad);
    free(other);
}

/* Of two independent runs, half of the elements agree. */
static size_t equal_elements(const struct run *a, const struct run *b)
{
    static uint16_t of_a[PAIR], of_b[PAIR];
    run_once(a, of_a);
    run_once(b, of_b);
    size_t equal = 0;
    for (size_t i = 0; i < PAIR; ++i)
        equal += of_a[i] == of_b[i];
    return equal;
}

static void the_random_bits_follow_from_seed_name_step_and_element(void **state)
{
    (void)state;
    const struct run base = {.name = "w", .seed = 1, .steps = 3};
    const struct run moved = {.name = "w", .seed = 1, .steps = 3, .elements_before = 1001};
    assert_int_equal(equal_elements(&base, &base), PAIR);
    assert_int_equal(equal_elements(&base, &moved), PAIR);
    const struct run others[] = {
        {.name = "w", .seed = 2, .steps = 3},         {.name = "v", .seed = 1, .steps = 3},
        {.name = "w", .seed = 1, .steps = 4},         {.name = "w", .seed = 1, .steps = 3 + (UINT64_C(1) << 32)},
        {.name = "w", .seed = INT32_MAX, .steps = 3}, {.name = "ww", .seed = 1, .steps = 3},
    };
    for (size_t i = 0; i < COUNT_OF(others); ++i) {
        const double equal = (double)equal_elements(&base, &others[i]);
        if (fabs(equal - PAIR / 2.0) > 5 * sqrt(PAIR / 4.0))
            fail_msg("variation %zu: %g of %d elements agree", i, equal, PAIR);
    }
}

/* Three steps, then another object that is given parameters, state and steps, against six steps at a stretch. A step
 * that is skipped on the way leaves no trace. */
static void a_run_that_is_taken_up_again_draws_the_same_bits(void **state)
{
    (void)state;
    static uint16_t param[2][PAIR], grad[PAIR];
    rms_options options = rms_options_for(RMS_RMSPROP);
    options.master = RMS_MASTER_NONE;
    options.average_decay = 0.9;
    options.seed = 77;
    rms_optimizer *at_a_stretch = create_optimizer(&options);
    rms_optimizer *first = create_optimizer(&options);
    rms_optimizer *second = create_optimizer(&options);
    for (size_t i = 0; i < 2; ++i)
        fill_parameters_of(RMS_BF16, param[i], PAIR, 5);
    add_short(at_a_stretch, "w", RMS_BF16, PAIR, param[0], grad);
    add_short(first, "w", RMS_BF16, PAIR, param[1], grad);
    add_short(second, "w", RMS_BF16, PAIR, param[1], grad);
    for (uint64_t step = 0; step < 6; ++step) {
        fill_gradients_of(RMS_BF16, grad, PAIR, 5, step);
        rms_optimizer *const continued = step < 3 ? first : second;
        assert_ok(rms_step(at_a_stretch, NULL), rms_message(at_a_stretch));
        const uint16_t finite = grad[7];
        grad[7] = oracle_infinity(RMS_BF16);
        assert_status(RMS_SKIPPED_NONFINITE, rms_step(continued, NULL), rms_message(continued));
        grad[7] = finite;
        assert_ok(rms_step(continued, NULL), rms_message(continued));
        if (step != 2)
            continue;
        memcpy(rms_state(second, 0, "v"), rms_state(first, 0, "v"), PAIR * sizeof(float));
        memcpy(rms_state(second, 0, "average"), rms_state(first, 0, "average"), PAIR * sizeof(float));
        assert_ok(rms_set_steps(second, 0, 3), rms_message(second));
    }
    assert_same_numbers(RMS_BF16, param[1], param[0], PAIR, "continued", &options);
    assert_same_floats(rms_state(second, 0, "average"), rms_state(at_a_stretch, 0, "average"), PAIR, "average",
                       &options);
    rms_free(at_a_stretch);
    rms_free(first);
    rms_free(second);
    report_comparisons("a run taken up again");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_parameter_and_its_remainder_are_the_master_bit_for_bit),
        cmocka_unit_test(a_tie_is_rounded_to_even_beside_a_master_and_away_beside_a_remainder),
        cmocka_unit_test(a_step_of_nothing_keeps_every_number),
        cmocka_unit_test(a_result_that_16_bits_hold_is_never_moved),
        cmocka_unit_test(rounding_at_random_is_right_on_average),
        cmocka_unit_test(elements_are_rounded_independently),
        cmocka_unit_test(updates_too_small_to_see_are_not_lost),
        cmocka_unit_test(the_random_bits_follow_from_seed_name_step_and_element),
        cmocka_unit_test(a_run_that_is_taken_up_again_draws_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
