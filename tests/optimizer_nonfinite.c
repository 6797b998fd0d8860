/* Gradients that are not finite: found wherever they hide, the step skipped, nothing changed, the tensor
 * named; or, on request, left to IEEE arithmetic. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TENSORS = 3, SLOTS = 3 };
static const size_t lengths[TENSORS] = {5, 70000, 33};
static const char *const names[TENSORS] = {"bias", "embedding", "head"};

struct fixture {
    rms_optimizer *optimizer;
    float *param[TENSORS], *grad[TENSORS];
    float *saved[TENSORS], *saved_state[TENSORS][SLOTS]; /* what must not change */
};

static const char *slot(size_t s)
{
    return rms_slot_name(RMS_RMSPROP, s);
}

static struct fixture build(const rms_options *options)
{
    struct fixture f = {.optimizer = create_optimizer(options)};
    for (size_t t = 0; t < TENSORS; ++t) {
        f.param[t] = floats_create(lengths[t]);
        f.grad[t] = floats_create(lengths[t]);
        f.saved[t] = floats_create(lengths[t]);
        for (size_t s = 0; s < SLOTS; ++s)
            f.saved_state[t][s] = floats_create(lengths[t]);
        fill_parameters(f.param[t], lengths[t], t);
        for (size_t i = 0; i < lengths[t]; ++i)
            f.grad[t][i] = 0.5F;
        add_tensor(f.optimizer, names[t], f.param[t], f.grad[t], lengths[t]);
    }
    assert_ok(rms_step(f.optimizer, NULL), rms_message(f.optimizer));
    for (size_t t = 0; t < TENSORS; ++t) {
        memcpy(f.saved[t], f.param[t], lengths[t] * sizeof(float));
        for (size_t s = 0; s < SLOTS; ++s)
            memcpy(f.saved_state[t][s], rms_state(f.optimizer, t, slot(s)), lengths[t] * sizeof(float));
    }
    return f;
}

static void destroy(struct fixture *f)
{
    rms_free(f->optimizer);
    for (size_t t = 0; t < TENSORS; ++t) {
        free(f->param[t]);
        free(f->grad[t]);
        free(f->saved[t]);
        for (size_t s = 0; s < SLOTS; ++s)
            free(f->saved_state[t][s]);
    }
}

static void assert_untouched(struct fixture *f)
{
    for (size_t t = 0; t < TENSORS; ++t) {
        uint64_t steps;
        assert_ok(rms_get_steps(f->optimizer, t, &steps), names[t]);
        assert_int_equal(steps, 1);
        assert_memory_equal(f->saved[t], f->param[t], lengths[t] * sizeof(float));
        for (size_t s = 0; s < SLOTS; ++s)
            assert_memory_equal(f->saved_state[t][s], rms_state(f->optimizer, t, slot(s)), lengths[t] * sizeof(float));
    }
}

static rms_options all_slots(void)
{
    rms_options options = rms_options_for(RMS_RMSPROP);
    set_options(&options, "centered=true momentum=0.9");
    return options;
}

static void assert_skipped(struct fixture *f, const char *tensor)
{
    rms_report report;
    assert_status(RMS_SKIPPED_NONFINITE, rms_step(f->optimizer, &report), rms_message(f->optimizer));
    assert_contains(rms_message(f->optimizer), tensor);
    assert_true(report.skipped);
    assert_true(!isfinite(report.gradient_norm));
    assert_true(report.clip_factor > 0 && report.clip_factor <= 1);
    assert_int_equal(report.steps, 1);
    assert_untouched(f);
}

/* NaN and both infinities, in the first, a middle and the last element of every tensor. */
static void one_bad_gradient_anywhere_skips_the_whole_step(void **state)
{
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY, -NAN};
    const rms_options options = all_slots();
    struct fixture f = build(&options);
    for (size_t t = 0; t < TENSORS; ++t)
        for (size_t b = 0; b < COUNT_OF(bad); ++b) {
            const size_t places[] = {0, lengths[t] / 2, lengths[t] - 1};
            for (size_t k = 0; k < COUNT_OF(places); ++k) {
                const float good = f.grad[t][places[k]];
                f.grad[t][places[k]] = bad[b];
                assert_skipped(&f, names[t]);
                f.grad[t][places[k]] = good;
            }
        }
    rms_report report;
    assert_ok(rms_step(f.optimizer, &report), rms_message(f.optimizer));
    assert_int_equal(report.steps, 2);
    assert_string_equal(rms_message(f.optimizer), "");
    destroy(&f);
}

/* The sentence says where and what; NaN without its sign, which is a payload. */
static void the_message_names_element_and_value(void **state)
{
    (void)state;
    const rms_options options = all_slots();
    struct fixture f = build(&options);
    f.grad[1][1234] = -NAN;
    assert_skipped(&f, "element 1234 is NaN");
    f.grad[1][77] = -INFINITY;
    assert_skipped(&f, "element 77 is -inf");
    destroy(&f);
}

static void opposite_infinities_do_not_cancel(void **state)
{
    (void)state;
    const rms_options options = all_slots();
    struct fixture f = build(&options);
    f.grad[0][0] = INFINITY;
    f.grad[2][0] = -INFINITY;
    assert_skipped(&f, names[0]);
    destroy(&f);
}

/* The gradient is finite, its product with grad_scale is not. */
static void overflow_by_unscaling_skips_the_step(void **state)
{
    (void)state;
    rms_options options = all_slots();
    options.grad_scale = 4;
    struct fixture f = build(&options);
    f.grad[1][69999] = 0x1p126F;
    assert_skipped(&f, names[1]);
    assert_skipped(&f, "overflows by grad_scale");
    f.grad[1][69999] = 0x1.fp125F; /* times 4: just below the largest float */
    assert_ok(rms_step(f.optimizer, NULL), rms_message(f.optimizer));
    destroy(&f);
}

/* The squares overflow float, the sum stays finite: these are gradients like any other. */
static void gradients_whose_squares_overflow_are_finite(void **state)
{
    (void)state;
    rms_options options = rms_options_for(RMS_SGD);
    options.lr = 1;
    static float param[3], grad[3] = {0x1.fffffep127F, -0x1.fffffep127F, 0};
    rms_optimizer *optimizer = create_optimizer(&options);
    add_tensor(optimizer, "huge", param, grad, 3);
    rms_report report;
    assert_ok(rms_step(optimizer, &report), rms_message(optimizer));
    assert_true(report.gradient_norm == sqrt(2.0) * 0x1.fffffep127 ||
                fabs(report.gradient_norm / (sqrt(2.0) * 0x1.fffffep127) - 1) < 1e-15);
    assert_true(param[0] == -0x1.fffffep127F);
    rms_free(optimizer);
}

static void propagate_does_not_look_and_does_not_clip_by_a_norm_that_is_not_finite(void **state)
{
    (void)state;
    rms_options options = rms_options_for(RMS_SGD);
    set_options(&options, "lr=1 nonfinite=propagate clip_norm=0.5");
    static float param[3] = {1, 1, 1}, grad[3] = {NAN, 0.25F, INFINITY};
    rms_optimizer *optimizer = create_optimizer(&options);
    add_tensor(optimizer, "x", param, grad, 3);
    rms_report report;
    assert_ok(rms_step(optimizer, &report), rms_message(optimizer));
    assert_false(report.skipped);
    assert_true(report.clip_factor == 1);
    assert_true(isnan(report.gradient_norm));
    assert_int_equal(report.steps, 1);
    assert_true(isnan(param[0]) && param[1] == 0.75F && param[2] == -INFINITY);
    rms_free(optimizer);
}

/* clip_norm / infinity would turn every other gradient into 0. */
static void an_infinite_norm_clips_nothing_under_propagate(void **state)
{
    (void)state;
    rms_options options = rms_options_for(RMS_SGD);
    set_options(&options, "lr=1 nonfinite=propagate clip_norm=0.5");
    float param[2] = {1, 1}, grad[2] = {0.25F, INFINITY};
    rms_report report;
    rms_error error;
    assert_ok(rms_apply(&options, RMS_F32, 1, 2, param, grad, NULL, &report, &error), error.message);
    assert_true(report.clip_factor == 1 && isinf(report.gradient_norm));
    assert_true(param[0] == 0.75F && param[1] == -INFINITY);
}

static void the_lower_door_skips_as_well(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_RMSPROP);
    float param[2] = {1, 2}, grad[2] = {1, INFINITY}, v[2] = {0.25F, 0.5F};
    void *slots[] = {v};
    rms_report report;
    rms_error error;
    assert_status(RMS_SKIPPED_NONFINITE, rms_apply(&options, RMS_F32, 7, 2, param, grad, slots, &report, &error),
                  error.message);
    assert_contains(error.message, "grad: the gradient of element 1 is inf");
    assert_true(report.skipped);
    assert_int_equal(report.steps, 6);
    assert_true(param[0] == 1 && param[1] == 2 && v[0] == 0.25F && v[1] == 0.5F);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_bad_gradient_anywhere_skips_the_whole_step),
        cmocka_unit_test(the_message_names_element_and_value),
        cmocka_unit_test(opposite_infinities_do_not_cancel),
        cmocka_unit_test(overflow_by_unscaling_skips_the_step),
        cmocka_unit_test(gradients_whose_squares_overflow_are_finite),
        cmocka_unit_test(propagate_does_not_look_and_does_not_clip_by_a_norm_that_is_not_finite),
        cmocka_unit_test(an_infinite_norm_clips_nothing_under_propagate),
        cmocka_unit_test(the_lower_door_skips_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
