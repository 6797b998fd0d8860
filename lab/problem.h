/* The problems of the command, and the table of them; include/rmsprop_lab.h says what a problem is. One file in
 * problems/, a line below and a row in problems.c make a new one; docs/adding-a-problem.md walks through it. */
#ifndef LAB_PROBLEM_H
#define LAB_PROBLEM_H

#include <rmsprop_lab.h>

extern const struct lab_problem lab_problem_digits;
extern const struct lab_problem lab_problem_fashion;
extern const struct lab_problem lab_problem_data;
extern const struct lab_problem lab_problem_mnist1d;
extern const struct lab_problem lab_problem_text;
extern const struct lab_problem lab_problem_switching;
extern const struct lab_problem lab_problem_scale_jump;
extern const struct lab_problem lab_problem_quadratic;
extern const struct lab_problem lab_problem_rosenbrock;
extern const struct lab_problem lab_problem_beale;
extern const struct lab_problem lab_problem_himmelblau;
extern const struct lab_problem lab_problem_rastrigin;
extern const struct lab_problem lab_problem_ackley;
extern const struct lab_problem lab_problem_saddle;
extern const struct lab_problem lab_problem_plateau;
extern const struct lab_problem lab_problem_two_wells;
extern const struct lab_problem lab_problem_function;
extern const struct lab_problem lab_problem_cartpole;
extern const struct lab_problem lab_problem_acrobot;
extern const struct lab_problem lab_problem_catch;
extern const struct lab_problem lab_problem_breakout;
extern const struct lab_problem lab_problem_cartpole_dqn;
extern const struct lab_problem lab_problem_catch_dqn;

size_t lab_problem_count(void);
const struct lab_problem *lab_problem_at(size_t index);

/* NULL for an unknown name. */
const struct lab_problem *lab_problem_find(const char *name);

#endif
