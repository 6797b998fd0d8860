/* State and step counts as a checkpoint needs them, and the effective learning rate against the oracle. */
#include "oracle.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 200 };
static float param[N], grad[N], rate[N], expected[N];

/* Room for numbers of any dtype, and the dtypes that take all options. */
static double any_param[N], any_grad[N], any_again[N];
static const rms_dtype dtypes[] = {RMS_F32, RMS_F64, RMS_BF16};

static rms_optimizer *build_of(rms_dtype dtype, const rms_options *options, void *p, const void *g, uint64_t seed)
{
    rms_optimizer *optimizer = create_optimizer(options);
    fill_parameters_of(dtype, p, N, seed);
    const rms_tensor tensor = {.name = "p", .count = N, .param = p, .grad = g, .dtype = dtype};
    assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
    return optimizer;
}

static rms_optimizer *build(const rms_options *options, float *p, const float *g, uint64_t seed)
{
    return build_of(RMS_F32, options, p, g, seed);
}

static void step_once_of(rms_dtype dtype, rms_optimizer *optimizer, void *g, uint64_t seed, uint64_t step)
{
    fill_gradients_of(dtype, g, N, seed, step);
    const rms_status status = rms_step(optimizer, NULL);
    assert_true(status == RMS_OK || status == RMS_SKIPPED_NONFINITE);
}

static void step_once(rms_optimizer *optimizer, float *g, uint64_t seed, uint64_t step)
{
    step_once_of(RMS_F32, optimizer, g, seed, step);
}

static void state_starts_where_the_options_say(void **state)
{
    (void)state;
    uint64_t seed = 11;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
        for (size_t repetition = 0; repetition < 10; ++repetition) {
            const rms_options options = random_options(&seed, rule);
            rms_optimizer *optimizer = build(&options, param, grad, seed);
            const unsigned kept = rms_slots_kept(&options, RMS_F32);
            for (size_t s = 0; s < rms_slot_count(rule); ++s) {
                const float *slot = rms_state(optimizer, 0, rms_slot_name(rule, s));
                assert_int_equal(slot != NULL, kept >> s & 1);
                for (size_t i = 0; slot && i < N; ++i)
                    assert_true(same_bits(slot[i], (float)slot_start(&options, s)));
                assert_int_equal((uintptr_t)slot % 64, 0);
            }
            assert_null(rms_state(optimizer, 0, "bogus"));
            rms_free(optimizer);
        }
}

/* The last step's coefficients and the state after it; before the first step, the initial state. */
static void effective_rates_are_the_oracles_after_every_step(void **state)
{
    (void)state;
    static const uint64_t taken_before[] = {0, 1, 2, 1000, 1000000, UINT64_C(1) << 40};
    uint64_t seed = 12;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
        for (size_t repetition = 0; repetition < effort(60); ++repetition) {
            const rms_options options = random_options(&seed, rule);
            const rms_dtype dtype = dtypes[random_below(&seed, COUNT_OF(dtypes))];
            rms_optimizer *optimizer = build_of(dtype, &options, any_param, any_grad, seed);
            assert_ok(rms_set_steps(optimizer, 0, taken_before[repetition % COUNT_OF(taken_before)]), "set_steps");
            for (uint64_t step = 0; step < 4; ++step) {
                struct oracle_tensor x = {.options = &options, .dtype = dtype, .count = N};
                for (size_t s = 0; s < rms_slot_count(rule); ++s)
                    x.slots[s] = rms_state(optimizer, 0, rms_slot_name(rule, s));
                assert_ok(rms_get_steps(optimizer, 0, &x.step), rms_message(optimizer));
                oracle_rate(&x, expected);
                assert_ok(rms_effective_lr(optimizer, 0, rate), rms_message(optimizer));
                assert_same_floats(rate, expected, N, "effective rate", &options);
                step_once_of(dtype, optimizer, any_grad, seed, step);
            }
            rms_free(optimizer);
        }
    report_comparisons("effective rates");
}

/* The rate of RMSProp by the formula that every book has, to within float's precision. */
static void the_effective_rate_of_rmsprop_is_lr_over_root_v_plus_eps(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_RMSPROP);
    rms_optimizer *optimizer = build(&options, param, grad, 1);
    float *v = rms_state(optimizer, 0, "v");
    const float values[] = {0, 1e-12F, 0.25F, 1, 4, 1e6F};
    for (size_t i = 0; i < COUNT_OF(values); ++i)
        v[i] = values[i];
    assert_ok(rms_effective_lr(optimizer, 0, rate), rms_message(optimizer));
    for (size_t i = 0; i < COUNT_OF(values); ++i) {
        const double wanted = 0.01 / (sqrt((double)values[i]) + 1e-8);
        assert_true(fabs((double)rate[i] / wanted - 1) < 3 * 0x1p-23);
    }
    rms_free(optimizer);
}

/* Every decay meets the step at which its power stops mattering: no implementation of the correction may
 * show there. The oracle multiplies on. */
static void bias_correction_is_the_oracles_at_every_step_number(void **state)
{
    (void)state;
    static const double decays[] = {0, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999, 0x1.fffffep-1};
    rms_options options = rms_options_for(RMS_RMSPROP);
    options.bias_correction = true;
    for (size_t d = 0; d < COUNT_OF(decays); ++d) {
        options.rho = decays[d];
        rms_optimizer *optimizer = build(&options, param, grad, d);
        float *v = rms_state(optimizer, 0, "v");
        for (size_t i = 0; i < N; ++i)
            v[i] = 1.0F + (float)i;
        struct oracle_tensor x = {.options = &options, .count = 3, .param = param, .grad = grad, .slots = {v}};
        const double horizon = 1.0 / (1.0 - decays[d]);
        for (unsigned quarter = 0; quarter < 240; ++quarter) {
            x.step = (uint64_t)(quarter * 0.25 * horizon);
            assert_ok(rms_set_steps(optimizer, 0, x.step), rms_message(optimizer));
            assert_ok(rms_effective_lr(optimizer, 0, rate), rms_message(optimizer));
            oracle_rate(&x, expected);
            assert_same_floats(rate, expected, x.count, "bias correction", &options);
        }
        rms_free(optimizer);
    }
    report_comparisons("bias correction");
}

/* A new object with the parameters, step count and state of another. */
static rms_optimizer *copied(rms_optimizer *original, const rms_options *options, rms_dtype dtype)
{
    rms_optimizer *copy = create_optimizer(options);
    memcpy(any_again, any_param, sizeof any_again);
    const rms_tensor tensor = {.name = "p", .count = N, .param = any_again, .grad = any_grad, .dtype = dtype};
    assert_ok(rms_add(copy, &tensor), rms_message(copy));
    uint64_t steps;
    assert_ok(rms_get_steps(original, 0, &steps), rms_message(original));
    assert_ok(rms_set_steps(copy, 0, steps), rms_message(copy));
    for (size_t s = 0; s < RMS_SLOTS_MAX; ++s) {
        const char *name = rms_slot_name(options->rule, s);
        if (name && rms_state(original, 0, name))
            memcpy(rms_state(copy, 0, name), rms_state(original, 0, name), rms_state_size(original, 0, name));
    }
    return copy;
}

/* Steps, then state and step counts into a new object, then the rest: the bits of one uninterrupted run. */
static void state_and_step_counts_are_all_that_a_checkpoint_needs(void **state)
{
    (void)state;
    uint64_t seed = 13;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
        for (size_t repetition = 0; repetition < effort(40); ++repetition) {
            const rms_options options = random_options(&seed, rule);
            const rms_dtype dtype = dtypes[random_below(&seed, COUNT_OF(dtypes))];
            rms_optimizer *whole = build_of(dtype, &options, any_param, any_grad, seed);
            for (uint64_t step = 1; step <= 5; ++step)
                step_once_of(dtype, whole, any_grad, seed, step);
            rms_optimizer *resumed = copied(whole, &options, dtype);
            for (uint64_t step = 6; step <= 10; ++step) {
                step_once_of(dtype, whole, any_grad, seed, step);
                step_once_of(dtype, resumed, any_grad, seed, step);
            }
            assert_same_numbers(dtype, any_again, any_param, N, "resumed", &options);
            rms_free(whole);
            rms_free(resumed);
        }
    report_comparisons("resumed");
}

static void reset_starts_the_state_from_the_options_as_they_are_now(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_ADAGRAD);
    rms_optimizer *optimizer = build(&options, param, grad, 1);
    step_once(optimizer, grad, 1, 1);
    assert_ok(rms_set(optimizer, 0, "initial_accumulator", 0.5), rms_message(optimizer));
    assert_ok(rms_reset(optimizer), rms_message(optimizer));
    const float *sum = rms_state(optimizer, 0, "sum");
    uint64_t steps;
    assert_ok(rms_get_steps(optimizer, 0, &steps), rms_message(optimizer));
    assert_int_equal(steps, 0);
    for (size_t i = 0; i < N; ++i)
        assert_true(sum[i] == 0.5F);
    rms_free(optimizer);
}

static void a_tensor_counts_its_own_steps_from_when_it_was_added(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_ADAM);
    rms_optimizer *optimizer = build(&options, param, grad, 1);
    static float late[1], late_grad[1] = {1};
    uint64_t steps;
    step_once(optimizer, grad, 1, 1);
    step_once(optimizer, grad, 1, 2);
    add_tensor(optimizer, "late", late, late_grad, 1);
    step_once(optimizer, grad, 1, 3);
    assert_ok(rms_get_steps(optimizer, 0, &steps), rms_message(optimizer));
    assert_int_equal(steps, 3);
    assert_ok(rms_get_steps(optimizer, 1, &steps), rms_message(optimizer));
    assert_int_equal(steps, 1);
    /* Adam's first step is the learning rate, whatever the gradient: the late tensor took its first. */
    assert_true(fabs((double)late[0] + 1e-3) < 1e-9);
    rms_free(optimizer);
}

static void step_counts_stay_within_their_bound(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_ADAM);
    rms_optimizer *optimizer = build(&options, param, grad, 1);
    uint64_t steps;
    assert_ok(rms_set_steps(optimizer, 0, RMS_STEPS_MAX), rms_message(optimizer));
    assert_status(RMS_ERROR_RANGE, rms_set_steps(optimizer, 0, (uint64_t)RMS_STEPS_MAX + 1), rms_message(optimizer));
    assert_status(RMS_ERROR_RANGE, rms_set_steps(optimizer, 0, UINT64_MAX), rms_message(optimizer));
    assert_contains(rms_message(optimizer), "steps");
    assert_ok(rms_get_steps(optimizer, 0, &steps), rms_message(optimizer));
    assert_int_equal(steps, RMS_STEPS_MAX);
    step_once(optimizer, grad, 1, 1);
    assert_ok(rms_get_steps(optimizer, 0, &steps), rms_message(optimizer));
    assert_int_equal(steps, RMS_STEPS_MAX); /* and stays there */
    rms_free(optimizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_starts_where_the_options_say),
        cmocka_unit_test(effective_rates_are_the_oracles_after_every_step),
        cmocka_unit_test(the_effective_rate_of_rmsprop_is_lr_over_root_v_plus_eps),
        cmocka_unit_test(bias_correction_is_the_oracles_at_every_step_number),
        cmocka_unit_test(state_and_step_counts_are_all_that_a_checkpoint_needs),
        cmocka_unit_test(reset_starts_the_state_from_the_options_as_they_are_now),
        cmocka_unit_test(a_tensor_counts_its_own_steps_from_when_it_was_added),
        cmocka_unit_test(step_counts_stay_within_their_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
