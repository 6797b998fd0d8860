/* The oracle's rules, for oracle.c alone: one parameter at one step. */
#ifndef TESTS_ORACLE_RULES_H
#define TESTS_ORACLE_RULES_H

#include "oracle.h"

/* One parameter of a tensor. Numbers are kept in double, which holds those of either precision. */
struct oracle_element {
    const rms_options *options;
    bool wide;      /* computed in double */
    uint64_t step;  /* number of this step */
    double p;       /* the parameter */
    double slot[3]; /* the rule's state */
};

/* Rounded to the precision of the computation. A double that holds one operation on floats, rounded once to float,
 * is that operation in float: 53 bits are more than twice 24 and 2, so that rounding twice rounds alike (Figueroa,
 * "When is double rounding innocuous?", 1995); where floats are subnormal, sums and products are exact in double, and
 * no quotient of floats lies within 2^-48 of a midpoint. */
double oracle_rounded(const struct oracle_element *e, double value);

/* Operations of the rule of e's options; g is the prepared gradient. */
void oracle_apply_rule(struct oracle_element *e, double g);

/* Its effective rate after so many steps as e's step says, at least 1. */
double oracle_rate_of_rule(const struct oracle_element *e);

#endif
