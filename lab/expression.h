/* Functions that the user writes, such as x^2 + 10*sin(y): read once, then evaluated with their exact gradient.
 *
 *     sum      = term { ("+" | "-") term }
 *     term     = factor { ("*" | "/") factor }
 *     factor   = ("-" | "+") factor | primary [ "^" factor ]
 *     primary  = number | name | name "(" sum { "," sum } ")" | "(" sum ")"
 *
 * So -x^2 is -(x^2), x^y^z is x^(y^z), and 2^-x needs no parentheses. Functions: sin cos tan exp log sqrt abs tanh of one
 * argument, min max pow of two. pi and e are numbers; all other names are variables. */
#ifndef LAB_EXPRESSION_H
#define LAB_EXPRESSION_H

#include <rmsprop.h>

#define LAB_EXPRESSION_VARIABLES_MAX 64
#define LAB_EXPRESSION_OPERATIONS_MAX 1000 /* numbers, variables and operations together */
#define LAB_EXPRESSION_DEPTH_MAX 200       /* of parentheses, powers and signs in each other */

struct lab_expression;

/* Reads a text with at least one variable. RMS_ERROR_ARGUMENT for one that is no expression, RMS_ERROR_RANGE beyond the
 * bounds above, RMS_ERROR_MEMORY; then *expression is NULL and a sentence tells the character, from 1, and what was
 * expected there. */
rms_status lab_expression_read(struct lab_expression **expression, const char *text, rms_error *error);
void lab_expression_free(struct lab_expression *expression);

/* Variables in the order in which they first appear. */
size_t lab_expression_variable_count(const struct lab_expression *expression);
const char *lab_expression_variable(const struct lab_expression *expression, size_t index);

/* The value at a point, and its gradient unless that is NULL: exact but for rounding, by one sweep from the result back
 * to the variables. Any number of threads may use one expression at a time; nothing is allocated.
 *
 * Where there is no derivative, the one taken is a subgradient if there is one: abs at 0 has 0, min and max of equals
 * have that of the first. An infinite one is 0, too, so that the cone sqrt(x^2 + y^2) rests at its tip: sqrt at 0, and
 * x^y at x = 0 < y < 1. x^y with x <= 0 has none in the direction of y: 0. */
double lab_expression_evaluate(const struct lab_expression *expression, const double *point, double *gradient);

#endif
