/* Lion: every parameter moves by the learning rate, against the sign of a mean that weighs the newest gradient
 * more than the one it keeps. Chen et al., "Symbolic discovery of optimization algorithms", 2023. */
#ifndef RULES_LION_H
#define RULES_LION_H

#include "rules/rule.h"

struct lion_coefficients {
    struct gradient_coefficients gradient;
    real look_decay;
    real one_minus_look_decay;
    real mean_decay;
    real one_minus_mean_decay;
    real lr;
    real keep;
};

static inline struct lion_coefficients lion_coefficients(const rms_options *options, uint64_t step, double clip_factor)
{
    (void)step; /* nothing here depends on it */
    return (struct lion_coefficients){
        .gradient = gradient_coefficients(options, clip_factor),
        .look_decay = (real)options->beta1,
        .one_minus_look_decay = (real)(1.0 - options->beta1),
        .mean_decay = (real)options->beta2,
        .one_minus_mean_decay = (real)(1.0 - options->beta2),
        .lr = (real)options->lr,
        .keep = kept_share(options, options->lr),
    };
}

/* The rate at which the parameter itself moves. */
static inline real lion_rate(const struct lion_coefficients *c, const real *mean)
{
    (void)mean;
    return c->lr;
}

static inline void lion_update(const struct lion_coefficients *c, real gradient, real *restrict parameter,
                               real *restrict mean)
{
    const real g = prepared_gradient(&c->gradient, gradient, *parameter);
    const real look = c->look_decay * *mean + c->one_minus_look_decay * g;
    *parameter = *parameter * c->keep - c->lr * sign_of(look);
    *mean = c->mean_decay * *mean + c->one_minus_mean_decay * g;
}

#endif
