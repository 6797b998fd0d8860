/* The table of problems: one row each. */
#include "problem.h"

#include <string.h>

/* One row each, which the formatter would pack. */
/* clang-format off */
static const struct lab_problem *const problems[] = {
    &lab_problem_digits,
    &lab_problem_fashion,
    &lab_problem_mnist1d,
    &lab_problem_text,
    &lab_problem_data,
    &lab_problem_switching,
    &lab_problem_scale_jump,
    &lab_problem_quadratic,
    &lab_problem_rosenbrock,
    &lab_problem_beale,
    &lab_problem_himmelblau,
    &lab_problem_rastrigin,
    &lab_problem_ackley,
    &lab_problem_saddle,
    &lab_problem_plateau,
    &lab_problem_two_wells,
    &lab_problem_function,
    &lab_problem_cartpole,
    &lab_problem_acrobot,
    &lab_problem_catch,
    &lab_problem_breakout,
    &lab_problem_cartpole_dqn,
    &lab_problem_catch_dqn,
};
/* clang-format on */

size_t lab_problem_count(void)
{
    return sizeof problems / sizeof problems[0];
}

const struct lab_problem *lab_problem_at(size_t index)
{
    return index < lab_problem_count() ? problems[index] : NULL;
}

const struct lab_problem *lab_problem_find(const char *name)
{
    for (size_t i = 0; name && i < lab_problem_count(); ++i)
        if (strcmp(problems[i]->name, name) == 0)
            return problems[i];
    return NULL;
}
