/* zero_grad: gradients are 0 after the step that has read them, skipped or not, and nothing else is different. */
#include "storage_reference.h"

#include "oracle_codec.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TENSORS = 4, STEPS = 3 };

struct shape {
    rms_dtype dtype;
    size_t count;
};

/* Ends within blocks of every kind; the large ones are cut by threads. */
static const struct shape small_shapes[TENSORS] = {{RMS_F32, 2500}, {RMS_F64, 513}, {RMS_BF16, 2049}, {RMS_F16, 65}};
static const struct shape large_shapes[TENSORS] = {
    {RMS_F32, 140001}, {RMS_F64, 70001}, {RMS_BF16, 90001}, {RMS_F16, 70001}};

struct model {
    rms_options options;
    const struct shape *shapes;
    rms_optimizer *optimizer;
    bool has[TENSORS];
    struct numbers param[TENSORS], grad[TENSORS];
};

static struct model model_create(const rms_options *options, const struct shape *shapes)
{
    struct model model = {.options = *options, .shapes = shapes, .optimizer = create_optimizer(options)};
    for (size_t t = 0; t < TENSORS; ++t) {
        static const char *const names[TENSORS] = {"a", "b", "c", "d"};
        const struct shape shape = shapes[t];
        model.has[t] = rms_state_bytes(options, shape.dtype, 1) != SIZE_MAX;
        model.param[t] = numbers_create(shape.dtype, shape.count, t);
        model.grad[t] = numbers_create(shape.dtype, shape.count, 2 * t + 1);
        fill_parameters_of(shape.dtype, model.param[t].at, shape.count, t);
        const rms_tensor tensor = {.name = names[t],
                                   .count = shape.count,
                                   .param = model.param[t].at,
                                   .grad = model.grad[t].at,
                                   .dtype = shape.dtype};
        if (model.has[t])
            assert_ok(rms_add(model.optimizer, &tensor), rms_message(model.optimizer));
    }
    return model;
}

static void model_destroy(struct model *model)
{
    rms_free(model->optimizer);
    for (size_t t = 0; t < TENSORS; ++t) {
        numbers_destroy(&model->param[t]);
        numbers_destroy(&model->grad[t]);
    }
}

static void draw_gradients(struct model *model, uint64_t seed, uint64_t step)
{
    for (size_t t = 0; t < TENSORS; ++t)
        fill_gradients_of(model->shapes[t].dtype, model->grad[t].at, model->shapes[t].count, (seed + t) | 1, step);
}

static size_t grad_bytes(const struct model *model, size_t t)
{
    return model->shapes[t].count * rms_dtype_size(model->shapes[t].dtype);
}

static void assert_zero(const struct model *model, const char *when)
{
    for (size_t t = 0; t < TENSORS; ++t)
        for (size_t i = 0; model->has[t] && i < grad_bytes(model, t); ++i)
            if (((const unsigned char *)model->grad[t].at)[i] != 0)
                fail_msg("%s: byte %zu of gradient %zu is not 0; options: %s", when, i, t,
                         describe_options(&model->options));
}

static void assert_same_state(const struct model *a, const struct model *b, const char *context)
{
    size_t number = 0;
    for (size_t t = 0; t < TENSORS; ++t) {
        if (!a->has[t])
            continue;
        assert_same_numbers(a->shapes[t].dtype, a->param[t].at, b->param[t].at, a->shapes[t].count, context,
                            &a->options);
        for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot) {
            const char *const name = rms_slot_name(a->options.rule, slot);
            const size_t bytes = name ? rms_state_size(a->optimizer, number, name) : 0;
            if (bytes > 0 &&
                memcmp(rms_state(a->optimizer, number, name), rms_state(b->optimizer, number, name), bytes) != 0)
                fail_msg("%s: %s of tensor %zu differs; options: %s", context, name, t, describe_options(&a->options));
        }
        ++number;
    }
}

static void check_steps(const rms_options *options, const struct shape *shapes, uint64_t seed)
{
    rms_options with = *options, without = *options;
    with.zero_grad = true;
    without.zero_grad = false;
    without.threads = 1;
    struct model a = model_create(&with, shapes), b = model_create(&without, shapes);
    for (uint64_t step = 0; step < STEPS; ++step) {
        rms_report of_a = {0}, of_b = {0};
        draw_gradients(&a, seed, step);
        draw_gradients(&b, seed, step);
        const rms_status status = rms_step(a.optimizer, step % 2 == 0 ? &of_a : NULL);
        assert_status(status, rms_step(b.optimizer, step % 2 == 0 ? &of_b : NULL), rms_message(b.optimizer));
        assert_true(bits_of_double(of_a.gradient_norm) == bits_of_double(of_b.gradient_norm) ||
                    (isnan(of_a.gradient_norm) && isnan(of_b.gradient_norm)));
        assert_true(bits_of_double(of_a.clip_factor) == bits_of_double(of_b.clip_factor));
        assert_zero(&a, "after a step");
        assert_same_state(&a, &b, "with zero_grad, and without");
    }
    model_destroy(&a);
    model_destroy(&b);
}

static void steps_are_the_same_and_leave_gradients_of_0(void **state)
{
    const rms_isa isa = isa_of_test(state);
    uint64_t seed = 81;
    for (size_t repetition = 0; repetition < effort(6); ++repetition)
        for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule) {
            const rms_state_format format = draw_state_format(&seed, rule);
            rms_options options = shortened_options(&seed, rule, (rms_master)random_below(&seed, 3),
                                                    random_below(&seed, 2) == 0 ? 0 : 0.9, format);
            options.isa = isa;
            options.clip_value = 1000; /* no infinities, whose NaNs have bits of their own */
            options.threads = 1;
            check_steps(&options, small_shapes, seed);
            options.threads = 2 + (int)random_below(&seed, 7);
            if (rule % 3 == repetition % 3)
                check_steps(&options, large_shapes, seed);
        }
    report_comparisons(rms_isa_name(isa));
}

static void set_last_infinite(struct model *model)
{
    ((uint16_t *)model->grad[2].at)[model->shapes[2].count - 1] = oracle_infinity(RMS_BF16);
}

/* What is found in the last tensor leaves the gradients of the first 0, too. */
static void check_skipped(int threads, const struct shape *shapes)
{
    rms_options options = rms_options_for(RMS_RMSPROP);
    options.threads = threads;
    struct model untouched = model_create(&options, shapes);
    options.zero_grad = true;
    struct model model = model_create(&options, shapes);
    draw_gradients(&model, 5, 1);
    set_last_infinite(&model);
    rms_report report;
    assert_status(RMS_SKIPPED_NONFINITE, rms_step(model.optimizer, &report), rms_message(model.optimizer));
    assert_contains(rms_message(model.optimizer), "\"c\": the gradient of element");
    assert_true(report.skipped && report.steps == 0);
    assert_zero(&model, "skipped");
    assert_same_state(&model, &untouched, "skipped");
    uint64_t steps;
    assert_ok(rms_get_steps(model.optimizer, 0, &steps), rms_message(model.optimizer));
    assert_int_equal(steps, 0);
    model_destroy(&model);
    model_destroy(&untouched);
}

static void a_skipped_step_leaves_gradients_of_0_and_nothing_else(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 4; ++threads) {
        check_skipped(threads, small_shapes);
        check_skipped(threads, large_shapes);
    }
    report_comparisons("skipped");
}

/* The sum of their squares overflows and must be taken again before the gradients are gone. */
static void the_norm_of_huge_doubles_is_right_although_they_are_gone(void **state)
{
    (void)state;
    double param[2] = {1, 1}, grad[2] = {3e200, -4e200};
    rms_options options = rms_options_for(RMS_SGD);
    options.zero_grad = true;
    options.nonfinite = RMS_NONFINITE_PROPAGATE;
    rms_optimizer *optimizer = create_optimizer(&options);
    const rms_tensor tensor = {.name = "w", .count = 2, .param = param, .grad = grad, .dtype = RMS_F64};
    assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
    rms_report report;
    assert_ok(rms_step(optimizer, &report), rms_message(optimizer));
    assert_true(fabs(report.gradient_norm / 5e200 - 1) < 4 * DBL_EPSILON);
    assert_true(grad[0] == 0 && grad[1] == 0 && !signbit(grad[1]));
    rms_free(optimizer);
}

/* Rows stay as they are, and so does an ordinary gradient that they stand in for. */
static void rows_stay_as_they_are(void **state)
{
    (void)state;
    for (rms_rows_mode mode = RMS_ROWS_LAZY; mode <= RMS_ROWS_DENSE; ++mode) {
        float param[2][8] = {{0}}, grad[2][8], values[4] = {1, 2, 3, 4};
        const int64_t indices[2] = {3, 0};
        rms_options options = rms_options_for(RMS_RMSPROP);
        options.zero_grad = true;
        rms_optimizer *optimizer = create_optimizer(&options);
        for (size_t i = 0; i < 8; ++i)
            grad[0][i] = grad[1][i] = 5;
        add_tensor(optimizer, "table", param[0], grad[0], 8);
        add_tensor(optimizer, "dense", param[1], grad[1], 8);
        const rms_rows rows = {0, 2, 2, indices, values, mode, {0}};
        assert_ok(rms_step_rows(optimizer, &rows, 1, NULL), rms_message(optimizer));
        for (size_t i = 0; i < 8; ++i)
            assert_true(grad[0][i] == 5 && grad[1][i] == 0);
        for (size_t i = 0; i < 4; ++i)
            assert_true(values[i] == (float)(i + 1));
        values[3] = NAN;
        grad[1][7] = 6;
        assert_status(RMS_SKIPPED_NONFINITE, rms_step_rows(optimizer, &rows, 1, NULL), rms_message(optimizer));
        assert_true(grad[0][7] == 5 && grad[1][7] == 0 && values[0] == 1 && isnan(values[3]));
        rms_free(optimizer);
    }
}

static void it_may_be_set_at_any_time(void **state)
{
    (void)state;
    float param = 0, grad = 1;
    const rms_options options = rms_options_for(RMS_SGD);
    rms_optimizer *optimizer = create_optimizer(&options);
    add_tensor(optimizer, "w", &param, &grad, 1);
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    assert_true(grad == 1);
    assert_ok(rms_set(optimizer, 0, "zero_grad", 1), rms_message(optimizer));
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    assert_true(grad == 0);
    rms_free(optimizer);
}

static void rms_apply_refuses_it(void **state)
{
    (void)state;
    float param = 0;
    const float grad = 1;
    rms_options options = rms_options_for(RMS_SGD);
    options.zero_grad = true;
    rms_error error;
    assert_status(RMS_ERROR_UNSUPPORTED, rms_apply(&options, RMS_F32, 1, 1, &param, &grad, NULL, NULL, &error),
                  error.message);
    assert_contains(error.message, "zero_grad: rms_apply only reads gradients");
    assert_true(param == 0);
}

static void gradients_in_common_are_refused(void **state)
{
    (void)state;
    float first[8] = {0}, second[8] = {0}, grad[12] = {0};
    rms_options options = rms_options_for(RMS_RMSPROP);
    for (int early = 0; early < 2; ++early) {
        options.zero_grad = early;
        rms_optimizer *optimizer = create_optimizer(&options);
        const rms_tensor one = {.name = "one", .count = 8, .param = first, .grad = grad};
        const rms_tensor two = {.name = "two", .count = 8, .param = second, .grad = grad + 4};
        assert_ok(rms_add(optimizer, &one), rms_message(optimizer));
        const rms_status status = rms_add(optimizer, &two);
        assert_status(early ? RMS_ERROR_ARGUMENT : RMS_OK, status, rms_message(optimizer));
        if (!early)
            assert_status(RMS_ERROR_ARGUMENT, rms_set(optimizer, 0, "zero_grad", 1), rms_message(optimizer));
        assert_contains(rms_message(optimizer), "zero_grad");
        rms_free(optimizer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PER_ISA(steps_are_the_same_and_leave_gradients_of_0),
        cmocka_unit_test(a_skipped_step_leaves_gradients_of_0_and_nothing_else),
        cmocka_unit_test(the_norm_of_huge_doubles_is_right_although_they_are_gone),
        cmocka_unit_test(rows_stay_as_they_are),
        cmocka_unit_test(it_may_be_set_at_any_time),
        cmocka_unit_test(rms_apply_refuses_it),
        cmocka_unit_test(gradients_in_common_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
