/* The object's life: create, groups, tensors, steps, options changed on the way, rebinding, reset, and what
 * can be read at each point. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

enum { N = 40 };
static float param[N], grad[N], other_param[N], other_grad[N];

static void fill_all(uint64_t seed)
{
    fill_parameters(param, N, seed);
    fill_gradients(grad, N, seed, 1);
    fill_parameters(other_param, N, seed + 1);
    fill_gradients(other_grad, N, seed + 1, 1);
}

static void an_empty_object_steps_and_counts(void **state)
{
    (void)state;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule) {
        const rms_options options = rms_options_for(rule);
        rms_optimizer *optimizer = create_optimizer(&options);
        rms_report report;
        for (uint64_t step = 1; step <= 3; ++step) {
            assert_ok(rms_step(optimizer, &report), rms_message(optimizer));
            assert_int_equal(report.steps, step);
            assert_true(bits_of_double(report.gradient_norm) == 0 && report.clip_factor == 1 && !report.skipped);
        }
        assert_int_equal(rms_tensor_count(optimizer), 0);
        rms_free(optimizer);
    }
}

static void an_empty_tensor_needs_no_memory(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_ADAM);
    rms_optimizer *optimizer = create_optimizer(&options);
    const size_t t = add_tensor(optimizer, "empty", NULL, NULL, 0);
    add_tensor(optimizer, "full", param, grad, N);
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    assert_null(rms_state(optimizer, t, "v"));
    uint64_t steps;
    assert_ok(rms_get_steps(optimizer, t, &steps), rms_message(optimizer));
    assert_int_equal(steps, 1);
    assert_ok(rms_effective_lr(optimizer, t, other_param), rms_message(optimizer));
    rms_free(optimizer);
}

static void tensors_are_found_by_number_and_by_name(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_SGD);
    rms_optimizer *optimizer = create_optimizer(&options);
    size_t group, number;
    assert_ok(rms_add_group(optimizer, &group), rms_message(optimizer));
    add_tensor(optimizer, "a", param, grad, N);
    const rms_tensor tensor = {.name = "b", .count = 7, .param = other_param, .grad = other_grad, .group = group};
    assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
    assert_ok(rms_find(optimizer, "b", &number), rms_message(optimizer));
    assert_int_equal(number, 1);
    rms_tensor found;
    memset(&found, 0xAA, sizeof found);
    assert_ok(rms_tensor_at(optimizer, number, &found), rms_message(optimizer));
    assert_string_equal(found.name, "b");
    assert_int_equal(found.count, 7);
    assert_ptr_equal(found.param, other_param);
    assert_ptr_equal(found.grad, other_grad);
    assert_int_equal(found.group, 1);
    assert_int_equal(found.dtype, RMS_F32);
    for (size_t i = 0; i < COUNT_OF(found.reserved); ++i)
        assert_int_equal(found.reserved[i], 0);
    rms_free(optimizer);
}

/* FNV-1a of 64 bits, by which the library looks first. */
static uint64_t hash_of(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325U;
    for (; *name != '\0'; ++name)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3U;
    return hash;
}

static void names_with_the_same_hash_are_two_names(void **state)
{
    (void)state;
    static const char *const names[] = {"8yn0iYCKYHlIj4-BwPqk", "GReLUrM4wMqfg9yzV3KQ"};
    assert_true(hash_of(names[0]) == hash_of(names[1]));
    const rms_options options = rms_options_for(RMS_SGD);
    rms_optimizer *optimizer = create_optimizer(&options);
    size_t number = 77;
    add_tensor(optimizer, names[0], param, grad, N);
    assert_status(RMS_ERROR_NAME, rms_find(optimizer, names[1], &number), rms_message(optimizer));
    add_tensor(optimizer, names[1], other_param, other_grad, N);
    for (size_t i = 0; i < COUNT_OF(names); ++i) {
        assert_ok(rms_find(optimizer, names[i], &number), rms_message(optimizer));
        assert_int_equal(number, i);
    }
    rms_free(optimizer);
}

/* The options are copied: what the caller does to his own afterwards is his own affair. */
static void the_object_keeps_its_own_copy_of_the_options(void **state)
{
    (void)state;
    rms_options options = rms_options_for(RMS_SGD);
    options.lr = 0.5;
    rms_optimizer *optimizer = create_optimizer(&options);
    memset(&options, 0xFF, sizeof options);
    double lr;
    assert_ok(rms_get(optimizer, 0, "lr", &lr), rms_message(optimizer));
    assert_true(lr == 0.5);
    rms_free(optimizer);
}

static void a_group_starts_with_the_options_of_group_0_as_they_are_now(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_RMSPROP);
    rms_optimizer *optimizer = create_optimizer(&options);
    size_t group;
    double value;
    assert_ok(rms_set(optimizer, 0, "lr", 0.25), rms_message(optimizer));
    assert_ok(rms_add_group(optimizer, &group), rms_message(optimizer));
    assert_ok(rms_get(optimizer, group, "lr", &value), rms_message(optimizer));
    assert_true(value == 0.25);
    assert_ok(rms_set(optimizer, group, "lr", 0.125), rms_message(optimizer));
    assert_ok(rms_get(optimizer, 0, "lr", &value), rms_message(optimizer));
    assert_true(value == 0.25);
    rms_free(optimizer);
}

static void a_group_moves_its_tensors_at_its_own_rate(void **state)
{
    (void)state;
    rms_options options = rms_options_for(RMS_SGD);
    options.lr = 1;
    rms_optimizer *optimizer = create_optimizer(&options);
    size_t group;
    assert_ok(rms_add_group(optimizer, &group), rms_message(optimizer));
    assert_ok(rms_set(optimizer, group, "lr", 0.5), rms_message(optimizer));
    float p[2] = {8, 8}, g[2] = {2, 2};
    add_tensor(optimizer, "a", &p[0], &g[0], 1);
    const rms_tensor tensor = {.name = "b", .count = 1, .param = &p[1], .grad = &g[1], .group = group};
    assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    assert_true(p[0] == 6 && p[1] == 7);
    rms_free(optimizer);
}

static void a_schedule_sets_the_rate_between_steps(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_SGD);
    rms_optimizer *optimizer = create_optimizer(&options);
    float p = 0, g = -1;
    add_tensor(optimizer, "p", &p, &g, 1);
    const double rates[] = {1, 0.5, 0.25, 0};
    float sum = 0;
    for (size_t i = 0; i < COUNT_OF(rates); ++i) {
        assert_ok(rms_set(optimizer, 0, "lr", rates[i]), rms_message(optimizer));
        assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
        sum += (float)rates[i];
        assert_true(p == sum);
    }
    rms_free(optimizer);
}

/* Options of the step belong to group 0; the other groups follow it. */
static void options_of_the_step_are_set_by_group_0_for_all(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_RMSPROP);
    rms_optimizer *optimizer = create_optimizer(&options);
    size_t group;
    assert_ok(rms_add_group(optimizer, &group), rms_message(optimizer));
    size_t of_step = 0;
    rms_option_info info;
    for (size_t i = 0; rms_option_at(RMS_RMSPROP, i, &info); ++i) {
        if (info.per_group || strcmp(info.key, "isa") == 0)
            continue;
        double value;
        assert_status(RMS_ERROR_ARGUMENT, rms_set(optimizer, group, info.key, info.maximum), info.key);
        assert_contains(rms_message(optimizer), info.key);
        assert_ok(rms_set(optimizer, 0, info.key, info.maximum), rms_message(optimizer));
        assert_ok(rms_get(optimizer, group, info.key, &value), rms_message(optimizer));
        assert_true(value == info.maximum);
        ++of_step;
    }
    assert_int_equal(of_step, 7); /* grad_scale, clip_norm, clip_value, nonfinite, zero_grad, seed, threads */
    rms_free(optimizer);
}

static void changes_that_would_add_or_remove_state_are_refused_once_there_are_tensors(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_RMSPROP);
    rms_optimizer *optimizer = create_optimizer(&options);
    double value;
    assert_ok(rms_set(optimizer, 0, "momentum", 0.5), rms_message(optimizer));
    assert_ok(rms_set(optimizer, 0, "momentum", 0), rms_message(optimizer));
    add_tensor(optimizer, "p", param, grad, N);
    assert_status(RMS_ERROR_ARGUMENT, rms_set(optimizer, 0, "momentum", 0.5), rms_message(optimizer));
    assert_contains(rms_message(optimizer), "momentum");
    assert_status(RMS_ERROR_ARGUMENT, rms_set(optimizer, 0, "centered", 1), rms_message(optimizer));
    assert_ok(rms_get(optimizer, 0, "momentum", &value), rms_message(optimizer));
    assert_true(value == 0);
    size_t group;
    assert_ok(rms_add_group(optimizer, &group), rms_message(optimizer));
    assert_ok(rms_set(optimizer, group, "momentum", 0.5), rms_message(optimizer));
    assert_ok(rms_set(optimizer, 0, "rho", 0.5), rms_message(optimizer));
    rms_free(optimizer);
}

/* The buffer holds updates in one unit or the other: what it has gathered cannot be reinterpreted. */
static void the_unit_of_a_momentum_buffer_is_fixed_once_there_are_tensors(void **state)
{
    (void)state;
    static const char *const keys[] = {"lr_in_momentum", "momentum_average"};
    for (size_t i = 0; i < COUNT_OF(keys); ++i)
        for (int fixed = 0; fixed < 2; ++fixed) {
            rms_options options = rms_options_for(RMS_RMSPROP);
            options.momentum = 0.5;
            rms_optimizer *optimizer = create_optimizer(&options);
            assert_ok(rms_set(optimizer, 0, keys[i], 1 - fixed), rms_message(optimizer));
            assert_ok(rms_set(optimizer, 0, keys[i], fixed), rms_message(optimizer));
            add_tensor(optimizer, "p", param, grad, N);
            assert_status(RMS_ERROR_ARGUMENT, rms_set(optimizer, 0, keys[i], 1 - fixed), rms_message(optimizer));
            assert_contains(rms_message(optimizer), keys[i]);
            assert_contains(rms_message(optimizer), "unit of the momentum");
            double value;
            assert_ok(rms_get(optimizer, 0, keys[i], &value), rms_message(optimizer));
            assert_true(value == fixed);
            assert_ok(rms_set(optimizer, 0, "momentum", 0.9), rms_message(optimizer));
            rms_free(optimizer);
        }
}

static void rule_isa_and_unknown_keys_cannot_be_set(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_RMSPROP);
    rms_optimizer *optimizer = create_optimizer(&options);
    const rms_isa chosen = rms_chosen_isa(optimizer);
    assert_true(chosen != RMS_ISA_AUTO && rms_isa_supported(chosen));
    const double other = chosen == RMS_ISA_BASELINE ? RMS_ISA_AUTO : RMS_ISA_BASELINE;
    assert_true(rms_set(optimizer, 0, "isa", other) != RMS_OK);
    assert_contains(rms_message(optimizer), "isa");
    assert_status(RMS_ERROR_NAME, rms_set(optimizer, 0, "rule", RMS_SGD), rms_message(optimizer));
    assert_status(RMS_ERROR_NAME, rms_set(optimizer, 0, "beta1", 0.5), rms_message(optimizer));
    assert_status(RMS_ERROR_RANGE, rms_set(optimizer, 0, "lr", -1), rms_message(optimizer));
    assert_status(RMS_ERROR_RANGE, rms_set(optimizer, 0, "eps", 0), rms_message(optimizer));
    assert_int_equal(rms_chosen_isa(optimizer), chosen);
    double value;
    assert_ok(rms_get(optimizer, 0, "eps", &value), rms_message(optimizer));
    assert_true(value == 1e-8);
    assert_string_equal(rms_message(optimizer), "");
    rms_free(optimizer);
}

static void rebinding_moves_a_tensor_and_keeps_its_state(void **state)
{
    (void)state;
    fill_all(1);
    const rms_options options = rms_options_for(RMS_RMSPROP);
    rms_optimizer *moved = create_optimizer(&options), *stayed = create_optimizer(&options);
    float copy[N], copy_grad[N];
    memcpy(copy, param, sizeof copy);
    memcpy(copy_grad, grad, sizeof copy_grad);
    add_tensor(moved, "p", param, grad, N);
    add_tensor(stayed, "p", copy, copy_grad, N);
    assert_ok(rms_step(moved, NULL), rms_message(moved));
    assert_ok(rms_step(stayed, NULL), rms_message(stayed));
    memcpy(other_param, param, sizeof param);
    memcpy(other_grad, grad, sizeof grad);
    assert_ok(rms_rebind(moved, 0, other_param, other_grad), rms_message(moved));
    memset(param, 0, sizeof param);
    assert_ok(rms_step(moved, NULL), rms_message(moved));
    assert_ok(rms_step(stayed, NULL), rms_message(stayed));
    assert_same_floats(other_param, copy, N, "rebound", &options);
    for (size_t i = 0; i < N; ++i)
        assert_true(bits_of(param[i]) == 0);
    rms_free(moved);
    rms_free(stayed);
}

static void rebinding_follows_the_rules_of_adding(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_SGD);
    rms_optimizer *optimizer = create_optimizer(&options);
    add_tensor(optimizer, "a", param, grad, N);
    add_tensor(optimizer, "b", other_param, other_grad, N);
    static float third[N];
    assert_status(RMS_ERROR_DUPLICATE, rms_rebind(optimizer, 0, other_param, grad), rms_message(optimizer));
    assert_status(RMS_ERROR_ARGUMENT, rms_rebind(optimizer, 0, third, third), rms_message(optimizer));
    assert_status(RMS_ERROR_ARGUMENT, rms_rebind(optimizer, 0, third, other_param), rms_message(optimizer));
    rms_tensor tensor;
    assert_ok(rms_tensor_at(optimizer, 0, &tensor), rms_message(optimizer));
    assert_ptr_equal(tensor.param, param);
    assert_ptr_equal(tensor.grad, grad);
    assert_ok(rms_rebind(optimizer, 0, param, grad), rms_message(optimizer)); /* to where it is */
    assert_ok(rms_rebind(optimizer, 0, third, grad), rms_message(optimizer));
    rms_free(optimizer);
}

/* After reset the same data gives the same bits as after creation. */
static void reset_puts_the_object_back_to_its_first_step(void **state)
{
    (void)state;
    uint64_t seed = 9;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
        for (size_t repetition = 0; repetition < 20; ++repetition) {
            rms_options options = random_options(&seed, rule);
            options.nonfinite = RMS_NONFINITE_PROPAGATE;
            rms_optimizer *optimizer = create_optimizer(&options);
            add_tensor(optimizer, "p", param, grad, N);
            float first[N];
            for (size_t run = 0; run < 2; ++run) {
                fill_parameters(param, N, seed);
                rms_report report;
                for (size_t step = 1; step <= 5; ++step) {
                    fill_gradients(grad, N, seed, step);
                    assert_ok(rms_step(optimizer, &report), rms_message(optimizer));
                    assert_int_equal(report.steps, step);
                }
                if (run == 0)
                    memcpy(first, param, sizeof first);
                assert_ok(rms_reset(optimizer), rms_message(optimizer));
            }
            assert_same_floats(param, first, N, "after reset", &options);
            rms_free(optimizer);
        }
}

static void two_thousand_tensors_are_each_updated_once(void **state)
{
    (void)state;
    enum { MANY = 2000 };
    rms_options options = rms_options_for(RMS_SGD);
    options.lr = 1;
    options.momentum = 0.5;
    rms_optimizer *optimizer = create_optimizer(&options);
    float *p = floats_create(MANY * 3), *g = floats_create(MANY * 3);
    for (size_t i = 0; i < MANY * 3; ++i) {
        p[i] = (float)i;
        g[i] = 1;
    }
    char name[32];
    for (size_t t = 0; t < MANY; ++t) {
        snprintf(name, sizeof name, "tensor.%zu", t);
        assert_int_equal(add_tensor(optimizer, name, p + 3 * t, g + 3 * t, 3), t);
    }
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    for (size_t i = 0; i < MANY * 3; ++i)
        assert_true(p[i] == (float)i - 1);
    for (size_t t = 0; t < MANY; ++t) {
        size_t number;
        snprintf(name, sizeof name, "tensor.%zu", t);
        assert_ok(rms_find(optimizer, name, &number), rms_message(optimizer));
        assert_int_equal(number, t);
        assert_true((uintptr_t)rms_state(optimizer, t, "momentum") % 64 == 0);
    }
    rms_free(optimizer);
    free(p);
    free(g);
}

static void the_environment_chooses_the_isa_where_the_options_do_not(void **state)
{
    (void)state;
    rms_options options = rms_options_for(RMS_SGD);
    rms_error error;
    rms_optimizer *optimizer;
    assert_int_equal(setenv("RMSPROP_ISA", "baseline", 1), 0);
    optimizer = create_optimizer(&options);
    assert_int_equal(rms_chosen_isa(optimizer), RMS_ISA_BASELINE);
    rms_free(optimizer);
    assert_int_equal(setenv("RMSPROP_ISA", "vax", 1), 0);
    assert_status(RMS_ERROR_UNSUPPORTED, rms_create(&optimizer, &options, &error), error.message);
    assert_null(optimizer);
    assert_contains(error.message, "RMSPROP_ISA=vax");
    assert_contains(error.message, "baseline");
    options.isa = RMS_ISA_BASELINE; /* an explicit choice does not even look */
    optimizer = create_optimizer(&options);
    rms_free(optimizer);
    assert_int_equal(unsetenv("RMSPROP_ISA"), 0);
    for (size_t i = 0; i < isa_count; ++i)
        if (rms_isa_supported(isas[i])) {
            options.isa = isas[i];
            optimizer = create_optimizer(&options);
            assert_int_equal(rms_chosen_isa(optimizer), isas[i]);
            rms_free(optimizer);
        }
}

/* The norm, the factor and the count of steps against numbers worked out by hand. */
static void the_report_tells_norm_factor_and_steps(void **state)
{
    (void)state;
    rms_options options = rms_options_for(RMS_SGD);
    set_options(&options, "lr=1 clip_norm=2.5 grad_scale=0.5");
    rms_optimizer *optimizer = create_optimizer(&options);
    float p[2] = {0, 0}, g[2] = {6, 8};
    add_tensor(optimizer, "a", &p[0], &g[0], 1);
    add_tensor(optimizer, "b", &p[1], &g[1], 1);
    rms_report report;
    memset(&report, 0xAA, sizeof report);
    assert_ok(rms_step(optimizer, &report), rms_message(optimizer));
    assert_true(report.gradient_norm == 5 && report.clip_factor == 0.5 && !report.skipped);
    assert_int_equal(report.steps, 1);
    for (size_t i = 0; i < COUNT_OF(report.reserved); ++i)
        assert_int_equal(report.reserved[i], 0);
    assert_true(p[0] == -1.5F && p[1] == -2);
    assert_ok(rms_set(optimizer, 0, "clip_norm", 5), rms_message(optimizer)); /* the norm itself: no clipping */
    assert_ok(rms_step(optimizer, &report), rms_message(optimizer));
    assert_true(report.clip_factor == 1);
    assert_int_equal(report.steps, 2);
    rms_free(optimizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_object_steps_and_counts),
        cmocka_unit_test(an_empty_tensor_needs_no_memory),
        cmocka_unit_test(tensors_are_found_by_number_and_by_name),
        cmocka_unit_test(names_with_the_same_hash_are_two_names),
        cmocka_unit_test(the_object_keeps_its_own_copy_of_the_options),
        cmocka_unit_test(a_group_starts_with_the_options_of_group_0_as_they_are_now),
        cmocka_unit_test(a_group_moves_its_tensors_at_its_own_rate),
        cmocka_unit_test(a_schedule_sets_the_rate_between_steps),
        cmocka_unit_test(options_of_the_step_are_set_by_group_0_for_all),
        cmocka_unit_test(changes_that_would_add_or_remove_state_are_refused_once_there_are_tensors),
        cmocka_unit_test(the_unit_of_a_momentum_buffer_is_fixed_once_there_are_tensors),
        cmocka_unit_test(rule_isa_and_unknown_keys_cannot_be_set),
        cmocka_unit_test(rebinding_moves_a_tensor_and_keeps_its_state),
        cmocka_unit_test(rebinding_follows_the_rules_of_adding),
        cmocka_unit_test(reset_puts_the_object_back_to_its_first_step),
        cmocka_unit_test(two_thousand_tensors_are_each_updated_once),
        cmocka_unit_test(the_environment_chooses_the_isa_where_the_options_do_not),
        cmocka_unit_test(the_report_tells_norm_factor_and_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
