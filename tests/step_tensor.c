/* rms_step_tensor: tensor by tensor, in any order, the same bits as all at once; each is checked, skipped and counted by
 * itself. */
#include "storage_reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TENSORS = 6, STEPS = 3 };

struct shape {
    rms_dtype dtype;
    size_t count;
};
static const struct shape shapes[TENSORS] = {{RMS_F32, 2500}, {RMS_F64, 513},   {RMS_BF16, 2049},
                                             {RMS_F32, 0},    {RMS_F16, 70001}, {RMS_F32, 140001}};

struct model {
    rms_options options;
    rms_optimizer *optimizer;
    size_t tensor_count;
    rms_dtype dtypes[TENSORS];
    size_t counts[TENSORS];
    struct numbers param[TENSORS], grad[TENSORS];
};

static struct model model_create(const rms_options *options)
{
    struct model model = {.options = *options, .optimizer = create_optimizer(options)};
    for (size_t i = 0; i < TENSORS; ++i) {
        const size_t t = model.tensor_count;
        const struct shape shape = shapes[i];
        char name[16];
        snprintf(name, sizeof name, "t%zu", i);
        if (rms_state_bytes(options, shape.dtype, 1) == SIZE_MAX)
            continue;
        model.dtypes[t] = shape.dtype;
        model.counts[t] = shape.count;
        model.param[t] = numbers_create(shape.dtype, shape.count, t);
        model.grad[t] = numbers_create(shape.dtype, shape.count, 2 * t + 1);
        fill_parameters_of(shape.dtype, model.param[t].at, shape.count, t);
        const rms_tensor tensor = {.name = name,
                                   .count = shape.count,
                                   .param = model.param[t].at,
                                   .grad = model.grad[t].at,
                                   .dtype = shape.dtype};
        assert_ok(rms_add(model.optimizer, &tensor), rms_message(model.optimizer));
        ++model.tensor_count;
    }
    return model;
}

static void model_destroy(struct model *model)
{
    rms_free(model->optimizer);
    for (size_t t = 0; t < model->tensor_count; ++t) {
        numbers_destroy(&model->param[t]);
        numbers_destroy(&model->grad[t]);
    }
}

static void draw_gradients(struct model *model, uint64_t step)
{
    for (size_t t = 0; t < model->tensor_count; ++t)
        fill_gradients_of(model->dtypes[t], model->grad[t].at, model->counts[t], 2 * t + 1, step);
}

static void assert_same_state(const struct model *a, const struct model *b)
{
    for (size_t t = 0; t < a->tensor_count; ++t) {
        assert_same_numbers(a->dtypes[t], a->param[t].at, b->param[t].at, a->counts[t], "rms_step_tensor, param",
                            &a->options);
        assert_same_numbers(a->dtypes[t], a->grad[t].at, b->grad[t].at, a->counts[t], "rms_step_tensor, grad",
                            &a->options);
        for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot) {
            const char *const name = rms_slot_name(a->options.rule, slot);
            const size_t bytes = name ? rms_state_size(a->optimizer, t, name) : 0;
            if (bytes > 0 && memcmp(rms_state(a->optimizer, t, name), rms_state(b->optimizer, t, name), bytes) != 0)
                fail_msg("%s of tensor %zu; options: %s", name, t, describe_options(&a->options));
        }
    }
}

static void step_one(struct model *model, size_t t, uint64_t number, bool with_report)
{
    rms_report report = {.steps = number};
    assert_ok(rms_step_tensor(model->optimizer, t, with_report ? &report : NULL), rms_message(model->optimizer));
    assert_false(report.skipped);
    assert_int_equal(report.steps, number);
    uint64_t steps;
    assert_ok(rms_get_steps(model->optimizer, t, &steps), rms_message(model->optimizer));
    assert_int_equal(steps, number);
}

static void check_orders(const rms_options *options, uint64_t *seed)
{
    struct model one_by_one = model_create(options), at_once = model_create(options);
    for (uint64_t step = 0; step < STEPS; ++step) {
        size_t order[TENSORS];
        draw_gradients(&one_by_one, step);
        draw_gradients(&at_once, step);
        assert_ok(rms_step(at_once.optimizer, NULL), rms_message(at_once.optimizer));
        for (size_t i = 0; i < one_by_one.tensor_count; ++i) {
            const size_t other = random_below(seed, i + 1);
            order[i] = order[other];
            order[other] = i;
        }
        for (size_t i = 0; i < one_by_one.tensor_count; ++i)
            step_one(&one_by_one, order[i], step + 1, random_below(seed, 2) == 0);
    }
    assert_same_state(&one_by_one, &at_once);
    model_destroy(&one_by_one);
    model_destroy(&at_once);
}

static void tensor_by_tensor_in_any_order_gives_the_bits_of_all_at_once(void **state)
{
    const rms_isa isa = isa_of_test(state);
    uint64_t seed = 91;
    for (size_t repetition = 0; repetition < effort(4); ++repetition)
        for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule) {
            const rms_state_format format = draw_state_format(&seed, rule);
            rms_options options = shortened_options(&seed, rule, (rms_master)random_below(&seed, 3),
                                                    random_below(&seed, 2) == 0 ? 0 : 0.9, format);
            options.isa = isa;
            options.clip_norm = 0;
            options.clip_value = 1000; /* no infinities, whose NaNs have bits of their own */
            options.zero_grad = random_below(&seed, 2) == 0;
            options.threads = 1 + (int)random_below(&seed, 8);
            check_orders(&options, &seed);
        }
    report_comparisons(rms_isa_name(isa));
}

/* ---- By itself */

struct small {
    rms_optimizer *optimizer;
    float param[3][4], grad[3][4];
};

static void small_create(struct small *small, const char *assignments)
{
    rms_options options = rms_options_for(RMS_RMSPROP);
    set_options(&options, assignments);
    small->optimizer = create_optimizer(&options);
    for (size_t t = 0; t < 3; ++t) {
        static const char *const names[3] = {"a", "b", "c"};
        for (size_t i = 0; i < 4; ++i) {
            small->param[t][i] = 1;
            small->grad[t][i] = (float)(t + 1);
        }
        add_tensor(small->optimizer, names[t], small->param[t], small->grad[t], 4);
    }
}

static void expect_steps(struct small *small, uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t expected[3] = {a, b, c};
    for (size_t t = 0; t < 3; ++t) {
        uint64_t steps;
        assert_ok(rms_get_steps(small->optimizer, t, &steps), rms_message(small->optimizer));
        assert_int_equal(steps, expected[t]);
    }
}

/* A gradient that is not finite in one tensor is no matter of the others, and the norm is the tensor's own. */
static void each_is_checked_skipped_and_counted_by_itself(void **state)
{
    (void)state;
    struct small small;
    small_create(&small, "zero_grad=true");
    small.grad[1][2] = NAN;
    rms_report report;
    assert_ok(rms_step_tensor(small.optimizer, 2, &report), rms_message(small.optimizer));
    assert_true(report.gradient_norm == 6 && report.clip_factor == 1 && report.steps == 1);
    assert_true(small.grad[2][0] == 0 && small.grad[0][0] == 1);
    assert_status(RMS_SKIPPED_NONFINITE, rms_step_tensor(small.optimizer, 1, &report), rms_message(small.optimizer));
    assert_contains(rms_message(small.optimizer), "tensor \"b\": the gradient of element 2 is NaN");
    assert_true(report.skipped && isnan(report.gradient_norm) && report.steps == 0);
    for (size_t i = 0; i < 4; ++i)
        assert_true(small.param[1][i] == 1 && small.grad[1][i] == 0);
    assert_ok(rms_step_tensor(small.optimizer, 0, NULL), rms_message(small.optimizer));
    expect_steps(&small, 1, 0, 1);
    small.grad[0][0] = 1;
    assert_ok(rms_step_tensor(small.optimizer, 0, &report), rms_message(small.optimizer));
    assert_int_equal(report.steps, 2);
    assert_ok(rms_step(small.optimizer, &report), rms_message(small.optimizer));
    assert_int_equal(report.steps, 1); /* of the object: rms_step_tensor does not count there */
    expect_steps(&small, 3, 1, 2);
    rms_free(small.optimizer);
}

static void a_norm_that_overflows_is_the_tensors(void **state)
{
    (void)state;
    double param[2][2] = {{0}}, grad[2][2] = {{3e200, 4e200}, {6e200, -8e200}};
    rms_options options = rms_options_for(RMS_SGD);
    rms_optimizer *optimizer = create_optimizer(&options);
    for (size_t t = 0; t < 2; ++t) {
        const rms_tensor tensor = {
            .name = t == 0 ? "a" : "b", .count = 2, .param = param[t], .grad = grad[t], .dtype = RMS_F64};
        assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
    }
    rms_report report;
    for (size_t t = 0; t < 2; ++t) {
        assert_ok(rms_step_tensor(optimizer, t, &report), rms_message(optimizer));
        assert_true(fabs(report.gradient_norm / (t == 0 ? 5e200 : 1e201) - 1) < 1e-15);
    }
    rms_free(optimizer);
}

static void assert_refused(struct small *small, size_t tensor, rms_status status, const char *part)
{
    float before[3][4];
    memcpy(before, small->param, sizeof before);
    rms_report report = {.steps = 77};
    assert_status(status, rms_step_tensor(small->optimizer, tensor, &report), rms_message(small->optimizer));
    assert_contains(rms_message(small->optimizer), part);
    assert_int_equal(report.steps, 77);
    assert_memory_equal(before, small->param, sizeof before);
}

static void what_needs_more_than_one_tensor_is_refused(void **state)
{
    (void)state;
    struct small small;
    small_create(&small, "average_decay=0.9 clip_norm=1");
    assert_refused(&small, 0, RMS_ERROR_ARGUMENT, "clip_norm = 1 needs the gradients of all tensors");
    assert_ok(rms_set(small.optimizer, 0, "clip_norm", 0), rms_message(small.optimizer));
    assert_refused(&small, 3, RMS_ERROR_RANGE, "tensor 3 does not exist");
    assert_ok(rms_step_tensor(small.optimizer, 0, NULL), rms_message(small.optimizer));
    assert_ok(rms_swap_averages(small.optimizer), rms_message(small.optimizer));
    assert_refused(&small, 0, RMS_ERROR_ARGUMENT, "while the averages are in the parameters' place");
    assert_ok(rms_swap_averages(small.optimizer), rms_message(small.optimizer));
    assert_ok(rms_rebind(small.optimizer, 1, small.param[1], NULL), rms_message(small.optimizer));
    assert_refused(&small, 1, RMS_ERROR_ARGUMENT, "tensor \"b\" has no gradient");
    assert_ok(rms_step_tensor(small.optimizer, 2, NULL), rms_message(small.optimizer)); /* no matter of the others */
    expect_steps(&small, 1, 0, 1);
    rms_free(small.optimizer);
    assert_status(RMS_ERROR_ARGUMENT, rms_step_tensor(NULL, 0, NULL), "NULL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PER_ISA(tensor_by_tensor_in_any_order_gives_the_bits_of_all_at_once),
        cmocka_unit_test(each_is_checked_skipped_and_counted_by_itself),
        cmocka_unit_test(a_norm_that_overflows_is_the_tensors),
        cmocka_unit_test(what_needs_more_than_one_tensor_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
