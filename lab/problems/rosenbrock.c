/* (1 - x)^2 + 100 (y - x^2)^2: a bent valley with steep walls and a nearly flat floor. Rosenbrock, "An automatic method
 * for finding the greatest or least value of a function", The Computer Journal 3, 1960, with its start. */
#include "surface.h"

static double surface(const struct lab_instance *instance, const double *point, double *gradient)
{
    (void)instance;
    const double x = point[0], y = point[1];
    const double along = 1.0 - x;
    const double across = y - x * x;
    if (gradient) {
        gradient[0] = -2.0 * along - 400.0 * x * across;
        gradient[1] = 200.0 * across;
    }
    return along * along + 100.0 * (across * across);
}

static const struct lab_setting settings[] = {LAB_SURFACE_SETTINGS(0.2)};

LAB_SURFACE_FUNCTIONS(-1.2, 1.0)

const struct lab_problem lab_problem_rosenbrock = {
    LAB_SURFACE_MEMBERS_ABOVE_MINIMUM,
    .name = "rosenbrock",
    .title = "Rosenbrock's valley",
    .summary = "a bent valley with steep walls and a nearly flat floor",
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .steps = 2000,
    .quick_steps = 1000,
    .score_every = 50,
    .target = 0.1,
    .view = {.low = {-2.0, -1.0}, .high = {2.0, 3.0}, .minima = {{1.0, 1.0}}, .minimum_count = 1},
};
