/* (x - 2)^2 (3 x^2 + 8 x + 8) / 16 + y^2: along x the polynomial (3 x^4 - 4 x^3 - 12 x^2 + 32) / 16, whose slope is
 * 12 (x + 1) x (x - 2) / 16. The start lies above the well at -1, whose floor is at 27/16; beyond the pass at 0, of
 * height 2, is the one at 2, whose floor is at 0. A ball without friction, let go at the start, would roll over. */
#include "surface.h"

static double surface(const struct lab_instance *instance, const double *point, double *gradient)
{
    (void)instance;
    const double x = point[0], y = point[1];
    if (gradient) {
        gradient[0] = 0.75 * (x + 1.0) * x * (x - 2.0);
        gradient[1] = 2.0 * y;
    }
    return (x - 2.0) * (x - 2.0) * ((3.0 * x + 8.0) * x + 8.0) / 16.0 + y * y;
}

static const struct lab_setting settings[] = {LAB_SURFACE_SETTINGS(0.2)};

LAB_SURFACE_FUNCTIONS(-2.0, 1.0)

const struct lab_problem lab_problem_two_wells = {
    LAB_SURFACE_MEMBERS_ABOVE_MINIMUM,
    .name = "two-wells",
    .title = "Two wells, the worse one on the way",
    .summary = "a bad minimum on the way, and a better one behind a pass",
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .steps = 400,
    .quick_steps = 200,
    .score_every = 10,
    .target = 1e-3,
    .view = {.low = {-3.0, -2.5}, .high = {3.5, 2.5}, .minima = {{2.0, 0.0}, {-1.0, 0.0}}, .minimum_count = 2},
};
