/* exp, log and tanh of + - * / and bit operations alone: the C library's differ between machines in the
 * last bit, and a training run amplifies one bit to a different curve. */
#ifndef LAB_ELEMENTARY_H
#define LAB_ELEMENTARY_H

/* Each is within 2 units in the last place of the true value (elementary.c derives it; tests/lab_elementary.c
 * measures less than 1.5 against the C library's) and has the limits of the C standard's function: NaN for
 * NaN, and below. In the default rounding mode; no flags or errno are promised. */

/* exp(-inf) = 0, exp(inf) = inf; overflows to inf, underflows by way of subnormals to 0. */
double lab_exp(double x);

/* log(+-0) = -inf, log(inf) = inf, log(x < 0) = NaN. */
double lab_log(double x);

/* tanh(+-0) = +-0, tanh(+-inf) = +-1. */
double lab_tanh(double x);

#endif
