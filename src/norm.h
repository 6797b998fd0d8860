/* The global gradient norm, in an order that neither threads nor instruction sets change. */
#ifndef NORM_H
#define NORM_H

#include "step.h"

/* L2 norm of all gradients times grad_scale. NaN or infinite exactly when one of those products is. */
double gradient_norm_of(const struct step *step, const struct workers *workers);

/* Finds the first product grad * grad_scale that is not finite; false if there is none. */
bool find_nonfinite(const struct step *step, size_t *tensor, size_t *element);

#endif
