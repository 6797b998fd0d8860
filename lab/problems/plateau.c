/* tanh(x^2 + y^2): a plain, the flatter the farther out, and a steep descent to a round basin. A step that is large enough
 * for the plain is too large for the slope, and thrown out to where the ground is flatter still. */
#include "elementary.h"
#include "surface.h"

/* 1 - tanh^2 = 4 e^-2s / (1 + e^-2s)^2, without the cancellation. */
static double surface(const struct lab_instance *instance, const double *point, double *gradient)
{
    (void)instance;
    const double square = point[0] * point[0] + point[1] * point[1];
    if (gradient) {
        const double decay = lab_exp(-2.0 * square);
        const double slope = 4.0 * decay / ((1.0 + decay) * (1.0 + decay));
        gradient[0] = slope * (2.0 * point[0]);
        gradient[1] = slope * (2.0 * point[1]);
    }
    return lab_tanh(square);
}

static const struct lab_setting settings[] = {LAB_SURFACE_SETTINGS(0.2)};

LAB_SURFACE_FUNCTIONS(-1.8, 1.2)

const struct lab_problem lab_problem_plateau = {
    LAB_SURFACE_MEMBERS_ABOVE_MINIMUM,
    .name = "plateau",
    .title = "A plateau around a basin",
    .summary = "a plain with hardly a slope, then a cliff down to a basin",
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .steps = 400,
    .quick_steps = 200,
    .score_every = 10,
    .target = 1e-3,
    .view = {.low = {-3.0, -3.0}, .high = {3.0, 3.0}, .minima = {{0.0, 0.0}}, .minimum_count = 1},
};
