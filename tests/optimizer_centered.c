/* Gradients that hardly change: rounding makes the centered variance negative, where others take the root of
 * it and write NaN. docs/math.md tells the story. */
#include "support.h"

#include <math.h>

/* The same sums as the library's, to show that the case is real: the step at which v - mean^2 < 0. */
static size_t first_negative_variance(float g, double rho, size_t steps)
{
    volatile float v = 0, mean = 0, square, variance; /* volatile: no contraction, no excess precision */
    const float decay = (float)rho, rest = (float)(1.0 - rho);
    for (size_t step = 1; step <= steps; ++step) {
        square = g * g;
        v = decay * v;
        v = v + rest * square;
        mean = decay * mean;
        mean = mean + rest * g;
        square = mean * mean;
        variance = v - square;
        if (variance < 0)
            return step;
    }
    return 0;
}

static const struct {
    float gradient;
    double rho;
    size_t step;
} cases[] = {{0.009F, 0.9, 134}, {0.007F, 0.99, 1235}};

static void the_cases_of_the_manual_do_make_the_variance_negative(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); ++i)
        assert_int_equal(first_negative_variance(cases[i].gradient, cases[i].rho, 3000), cases[i].step);
}

static void a_constant_gradient_never_makes_a_centered_parameter_nan(void **state)
{
    const rms_isa isa = isa_of_test(state);
    enum { N = 999, STEPS = 3000 };
    static float param[N], grad[N];
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        rms_options options = rms_options_for(RMS_RMSPROP);
        options.centered = true;
        options.rho = cases[i].rho;
        options.isa = isa;
        rms_optimizer *optimizer = create_optimizer(&options);
        for (size_t k = 0; k < N; ++k) {
            param[k] = 0;
            grad[k] = (float)(k + 1) * 0.001F;
        }
        add_tensor(optimizer, "p", param, grad, N);
        for (size_t step = 0; step < STEPS; ++step)
            assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
        for (size_t k = 0; k < N; ++k)
            if (!isfinite(param[k]) || !(param[k] < 0))
                fail_msg("rho = %g, gradient %g: the parameter is %g after %d steps", options.rho, (double)grad[k],
                         (double)param[k], STEPS);
        rms_free(optimizer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cases_of_the_manual_do_make_the_variance_negative),
        PER_ISA(a_constant_gradient_never_makes_a_centered_parameter_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
