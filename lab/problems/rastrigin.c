/* x^2 + y^2 + 20 - 10 cos(2 pi x) - 10 cos(2 pi y): a minimum near every pair of whole numbers, the best at the origin.
 * Rastrigin, "Systems of Extremal Control", 1974, after Torn and Zilinskas, "Global Optimization", 1989. Written as
 * x^2 + 20 sin^2(pi x) for each axis, which is the same, never negative, and exact near 0. */
#include "elementary.h"
#include "surface.h"

#define PI 3.14159265358979323846

static double surface(const struct lab_instance *instance, const double *point, double *gradient)
{
    (void)instance;
    double sum = 0.0;
    for (int i = 0; i < 2; ++i) {
        const double sine = lab_sin(PI * point[i]);
        sum += point[i] * point[i] + 20.0 * (sine * sine);
        if (gradient)
            gradient[i] = 2.0 * point[i] + 40.0 * PI * sine * lab_cos(PI * point[i]);
    }
    return sum;
}

static const struct lab_setting settings[] = {LAB_SURFACE_SETTINGS(0.3)};

LAB_SURFACE_FUNCTIONS(2.5, -1.5)

const struct lab_problem lab_problem_rastrigin = {
    LAB_SURFACE_MEMBERS_ABOVE_MINIMUM,
    .name = "rastrigin",
    .title = "Rastrigin's function",
    .summary = "a bowl full of dents, of which the middle one is the deepest",
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .steps = 400,
    .quick_steps = 200,
    .score_every = 10,
    .target = 0.1,
    .view = {.low = {-3.5, -3.5}, .high = {3.5, 3.5}, .minima = {{0.0, 0.0}}, .minimum_count = 1},
};
