/* x^2 - y^2 + y^4 / 2 + 1/2 = x^2 + (1 - y^2)^2 / 2: the saddle x^2 - y^2, bounded from below so that there is something to
 * arrive at, (0, 1) and (0, -1). The start lies on the ridge but for `spread`: along it goes what follows the gradient,
 * which leaves it the more slowly the nearer it was. */
#include "surface.h"

static double surface(const struct lab_instance *instance, const double *point, double *gradient)
{
    (void)instance;
    const double x = point[0], y = point[1];
    const double rest = 1.0 - y * y;
    if (gradient) {
        gradient[0] = 2.0 * x;
        gradient[1] = -2.0 * y * rest;
    }
    return x * x + 0.5 * (rest * rest);
}

static const struct lab_setting settings[] = {LAB_SURFACE_SETTINGS(1e-3)};

LAB_SURFACE_FUNCTIONS(1.5, 0.0)

const struct lab_problem lab_problem_saddle = {
    LAB_SURFACE_MEMBERS_ABOVE_MINIMUM,
    .name = "saddle",
    .title = "A saddle between two minima",
    .summary = "a start within a thousandth of the ridge that leads to a saddle point",
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .steps = 200,
    .quick_steps = 100,
    .score_every = 5,
    .target = 1e-3,
    .view = {.low = {-2.0, -2.0}, .high = {2.0, 2.0}, .minima = {{0.0, 1.0}, {0.0, -1.0}}, .minimum_count = 2},
};
