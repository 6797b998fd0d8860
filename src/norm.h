/* The global gradient norm, in an order that neither threads nor instruction sets change. */
#ifndef NORM_H
#define NORM_H

#include "step.h"

/* Stores the L2 norm of all gradients times grad_scale in result->gradient_norm. When one of those products is not
 * finite, the norm is not either, result->skipped is true, and the first of them is described there. */
void gradient_norm_of(const struct step *step, const struct workers *workers, struct step_result *result);

#endif
