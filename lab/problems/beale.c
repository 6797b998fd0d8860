/* (1.5 - x + x y)^2 + (2.25 - x + x y^2)^2 + (2.625 - x + x y^3)^2: flat ground between steep walls. Beale's function, with
 * its start, after More, Garbow and Hillstrom, "Testing unconstrained optimization software", ACM TOMS 7, 1981, no. 5. */
#include "surface.h"

static double surface(const struct lab_instance *instance, const double *point, double *gradient)
{
    (void)instance;
    static const double constants[3] = {1.5, 2.25, 2.625};
    const double x = point[0], y = point[1];
    double sum = 0.0, by_x = 0.0, by_y = 0.0, power = 1.0; /* y^i */
    for (int i = 0; i < 3; ++i) {
        const double slope = (i + 1) * power;
        power *= y;
        const double residual = constants[i] - x * (1.0 - power);
        sum += residual * residual;
        by_x -= 2.0 * residual * (1.0 - power);
        by_y += 2.0 * residual * x * slope;
    }
    if (gradient) {
        gradient[0] = by_x;
        gradient[1] = by_y;
    }
    return sum;
}

static const struct lab_setting settings[] = {LAB_SURFACE_SETTINGS(0.2)};

LAB_SURFACE_FUNCTIONS(1.0, 1.0)

const struct lab_problem lab_problem_beale = {
    LAB_SURFACE_MEMBERS_ABOVE_MINIMUM,
    .name = "beale",
    .title = "Beale's function",
    .summary = "flat ground between steep walls",
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .steps = 1000,
    .quick_steps = 500,
    .score_every = 20,
    .target = 1e-3,
    .view = {.low = {-1.0, -1.5}, .high = {4.5, 2.0}, .minima = {{3.0, 0.5}}, .minimum_count = 1},
};
