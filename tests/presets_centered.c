/* Whatever preset one starts from, centered or not: a gradient that never changes leaves a finite parameter. Elsewhere
 * the variance, which is rounding error then, falls below 0, and its root is NaN. */
#include "support.h"

#include <math.h>

enum { ELEMENTS = 16, GRADIENTS = 32, STEPS = 3000 };

/* Gradients of which golden files and docs/math.md show that they make the variance negative, in one order of
 * operations or another; and extremes. */
static const double known[] = {0.009, 0.011, 0.003, 0.099, 0.007, 0.288, 0.576,  0.216, 0.592, 0.176, 0.336,
                               3.07,  110.0, 0.0,   1.0,   -1.0,  1e-30, -1e-10, 1e10,  -1e18, 1e30};

static void make_gradients(double *grad)
{
    uint64_t draws = 20121106;
    for (size_t i = 0; i < GRADIENTS; ++i) {
        const double draw = (double)random_float(&draws);
        grad[i] = i < COUNT_OF(known) ? known[i] : ldexp(draw, (int)random_below(&draws, 40) - 20);
    }
}

static rms_options centered_preset(const char *name)
{
    rms_options options;
    rms_error error;
    assert_ok(rms_options_preset(&options, name, &error), error.message);
    if (options.rule == RMS_RMSPROP)
        options.centered = true;
    return options;
}

/* An object for each gradient: the norm by which some presets clip is of all that an object holds. */
static void take_steps(const char *preset, rms_dtype dtype, void *param, const void *grad, size_t steps)
{
    const rms_options options = centered_preset(preset);
    rms_optimizer *optimizer = create_optimizer(&options);
    const rms_tensor tensor = {.name = "p", .count = ELEMENTS, .param = param, .grad = grad, .dtype = dtype};
    assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
    for (size_t step = 0; step < steps; ++step)
        assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    rms_free(optimizer);
}

static void assert_finite(double param, double grad, const char *preset, rms_dtype dtype)
{
    ++numbers_compared;
    if (!isfinite(param))
        fail_msg("preset %s, %s, gradient %g at every step: the parameter is %g", preset, rms_dtype_name(dtype), grad,
                 param);
}

static void run(const char *preset, double gradient, size_t steps)
{
    float param[ELEMENTS] = {0}, grad[ELEMENTS];
    double param_f64[ELEMENTS] = {0}, grad_f64[ELEMENTS];
    for (size_t i = 0; i < ELEMENTS; ++i) {
        grad[i] = (float)gradient;
        grad_f64[i] = gradient;
    }
    take_steps(preset, RMS_F32, param, grad, steps);
    take_steps(preset, RMS_F64, param_f64, grad_f64, steps);
    for (size_t i = 0; i < ELEMENTS; ++i) {
        assert_finite((double)param[i], gradient, preset, RMS_F32);
        assert_finite(param_f64[i], gradient, preset, RMS_F64);
    }
}

static void a_constant_gradient_leaves_the_parameter_finite_for_every_preset(void **state)
{
    (void)state;
    double grad[GRADIENTS];
    make_gradients(grad);
    rms_preset preset;
    size_t count = 0;
    for (; rms_preset_at(count, &preset); ++count)
        for (size_t i = 0; i < GRADIENTS; ++i)
            run(preset.name, grad[i], effort(STEPS));
    assert_int_equal(count, rms_preset_count());
    assert_true(count > 0);
    report_comparisons("presets");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_constant_gradient_leaves_the_parameter_finite_for_every_preset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
