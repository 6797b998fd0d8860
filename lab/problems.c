/* The table of problems: one row each. */
#include "problem.h"

#include <string.h>

static const struct lab_problem *const problems[] = {
    &lab_problem_digits,
    &lab_problem_fashion,
};

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
