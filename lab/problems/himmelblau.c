/* (x^2 + y - 11)^2 + (x + y^2 - 7)^2: four minima, all of them 0. Himmelblau, "Applied Nonlinear Programming", 1972. The
 * start lies by the hill between them, so that the seed, and the optimizer, decide which is found. */
#include "surface.h"

static double surface(const struct lab_instance *instance, const double *point, double *gradient)
{
    (void)instance;
    const double x = point[0], y = point[1];
    const double first = x * x + y - 11.0;
    const double second = x + y * y - 7.0;
    if (gradient) {
        gradient[0] = 4.0 * x * first + 2.0 * second;
        gradient[1] = 2.0 * first + 4.0 * y * second;
    }
    return first * first + second * second;
}

static const struct lab_setting settings[] = {LAB_SURFACE_SETTINGS(1.0)};

LAB_SURFACE_FUNCTIONS(-0.25, -1.0)

const struct lab_problem lab_problem_himmelblau = {
    LAB_SURFACE_MEMBERS_ABOVE_MINIMUM,
    .name = "himmelblau",
    .title = "Himmelblau's function",
    .summary = "four equally good minima around a hill, near which it starts",
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .steps = 200,
    .quick_steps = 100,
    .score_every = 5,
    .target = 1e-3,
    .view = {.low = {-5.0, -5.0},
             .high = {5.0, 5.0},
             .minima = {{3.0, 2.0},
                        {-2.805118086952745, 3.131312518250573},
                        {-3.779310253377747, -3.283185991286170},
                        {3.584428340330492, -1.848126526964404}},
             .minimum_count = 4},
};
