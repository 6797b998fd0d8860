/* Rprop: a step size per parameter, which grows while the gradient keeps its sign and shrinks when the sign flips;
 * the gradient's size plays no part. Riedmiller and Braun, "A direct adaptive method for faster backpropagation
 * learning", 1993, in the form without weight backtracking (Igel and Huesken, 2000: iRprop-), as PyTorch. */
#ifndef RULES_RPROP_H
#define RULES_RPROP_H

#include "rules/rule.h"

struct rprop_coefficients {
    struct gradient_coefficients gradient;
    real eta_minus;
    real eta_plus;
    real step_size_min;
    real step_size_max;
    real keep;
};

static inline struct rprop_coefficients rprop_coefficients(const rms_options *options, uint64_t step,
                                                           double clip_factor)
{
    (void)step; /* nothing here depends on it */
    return (struct rprop_coefficients){
        .gradient = gradient_coefficients(options, clip_factor),
        .eta_minus = (real)options->eta_minus,
        .eta_plus = (real)options->eta_plus,
        .step_size_min = (real)options->step_size_min,
        .step_size_max = (real)options->step_size_max,
        .keep = kept_share(options, options->lr),
    };
}

/* The step size at which the parameter itself moves. */
static inline real rprop_rate(const struct rprop_coefficients *c, const real *previous, const real *step_size)
{
    (void)c;
    (void)previous;
    return *step_size;
}

/* Whether the sign has flipped is asked of the product, as PyTorch does: gradients so small that it vanishes keep
 * their step size. After a flip the gradient counts as 0, so that the next step neither grows nor shrinks. */
static inline void rprop_update(const struct rprop_coefficients *c, real gradient, real *restrict parameter,
                                real *restrict previous, real *restrict step_size)
{
    const real g = prepared_gradient(&c->gradient, gradient, *parameter);
    const real agreement = g * *previous;
    const real grown = agreement > 0 ? c->eta_plus : 1;
    const real size = *step_size * (agreement < 0 ? c->eta_minus : grown);
    const real floored = size < c->step_size_min ? c->step_size_min : size;
    *step_size = floored > c->step_size_max ? c->step_size_max : floored;
    *previous = agreement < 0 ? 0 : g;
    *parameter = *parameter * c->keep - sign_of(*previous) * *step_size;
}

#endif
