/* (x^2 + condition y^2) / 2: the bowl that theory begins with. The larger the condition, the ratio of its curvatures, the
 * shorter the steps that the steep axis allows, and the longer the way along the other. */
#include "surface.h"

enum { CONDITION = 2 };

static double surface(const struct lab_instance *instance, const double *point, double *gradient)
{
    const double x = point[0], y = point[1], condition = instance->settings[CONDITION];
    if (gradient) {
        gradient[0] = x;
        gradient[1] = condition * y;
    }
    return 0.5 * (x * x + condition * (y * y));
}

static const struct lab_setting settings[] = {
    LAB_SURFACE_SETTINGS(0.5),
    [CONDITION] = {"condition", "ratio of the curvatures of y and x", 100.0, 1.0, 1e6, false},
};

LAB_SURFACE_FUNCTIONS(-3.0, 1.0)

const struct lab_problem lab_problem_quadratic = {
    LAB_SURFACE_MEMBERS_ABOVE_MINIMUM,
    .name = "quadratic",
    .title = "Quadratic bowl",
    .summary = "a bowl that is a hundred times as steep in y as in x",
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .steps = 500,
    .quick_steps = 250,
    .score_every = 10,
    .target = 1e-3,
    .view = {.low = {-4.0, -2.0}, .high = {4.0, 2.0}, .minima = {{0.0, 0.0}}, .minimum_count = 1},
};
