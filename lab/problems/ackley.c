/* 20 (1 - exp(-0.2 sqrt((x^2 + y^2) / 2))) + e - exp((cos(2 pi x) + cos(2 pi y)) / 2): a dented plain around a narrow funnel
 * with a point at its bottom. Ackley, "A Connectionist Machine for Genetic Hillclimbing", 1987. Because (cos(2 pi x) +
 * cos(2 pi y)) / 2 = 1 - sin^2(pi x) - sin^2(pi y), the rest is e (1 - exp(-sin^2(pi x) - sin^2(pi y))): never negative,
 * and 0 at the origin, where the gradient taken is 0. */
#include "elementary.h"
#include "surface.h"

#include <math.h>

#define PI 3.14159265358979323846
#define E 2.71828182845904523536

static double surface(const struct lab_instance *instance, const double *point, double *gradient)
{
    (void)instance;
    const double distance = sqrt(0.5 * (point[0] * point[0] + point[1] * point[1]));
    const double sines[2] = {lab_sin(PI * point[0]), lab_sin(PI * point[1])};
    const double funnel = lab_exp(-0.2 * distance);
    const double dents = lab_exp(-(sines[0] * sines[0] + sines[1] * sines[1]));
    for (int i = 0; gradient && i < 2; ++i)
        gradient[i] = (distance > 0.0 ? 2.0 * funnel * (point[i] / distance) : 0.0) +
                      2.0 * PI * E * dents * sines[i] * lab_cos(PI * point[i]);
    return 20.0 * (1.0 - funnel) + E * (1.0 - dents);
}

static const struct lab_setting settings[] = {LAB_SURFACE_SETTINGS(0.3)};

LAB_SURFACE_FUNCTIONS(-2.5, 1.5)

const struct lab_problem lab_problem_ackley = {
    LAB_SURFACE_MEMBERS_ABOVE_MINIMUM,
    .name = "ackley",
    .title = "Ackley's function",
    .summary = "a dented plain around a narrow funnel",
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .steps = 400,
    .quick_steps = 200,
    .score_every = 10,
    .target = 0.1,
    .view = {.low = {-4.0, -4.0}, .high = {4.0, 4.0}, .minima = {{0.0, 0.0}}, .minimum_count = 1},
};
