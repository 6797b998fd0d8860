/* Adamax: Adam whose divisor is the largest gradient of late instead of a root mean square.
 * Kingma and Ba, "Adam: a method for stochastic optimization", 2015, section 7.1; eps as in PyTorch. */
#ifndef RULES_ADAMAX_H
#define RULES_ADAMAX_H

#include "rules/rule.h"

struct adamax_coefficients {
    struct gradient_coefficients gradient;
    real mean_decay;
    real one_minus_mean_decay;
    real decay;
    real eps;
    real lr;
    real keep;
};

static inline struct adamax_coefficients adamax_coefficients(const rms_options *options, uint64_t step,
                                                             double clip_factor)
{
    return (struct adamax_coefficients){
        .gradient = gradient_coefficients(options, clip_factor),
        .mean_decay = (real)options->beta1,
        .one_minus_mean_decay = (real)(1.0 - options->beta1),
        .decay = (real)options->beta2,
        .eps = (real)options->eps,
        .lr = (real)(options->lr * bias_correction(options, options->beta1, step)),
        .keep = kept_share(options, options->lr),
    };
}

/* Before the first step nothing has been seen: eps is the least that the divisor will be. */
static inline real adamax_rate(const struct adamax_coefficients *c, const real *mean, const real *largest)
{
    (void)mean;
    return c->lr / (*largest > c->eps ? *largest : c->eps);
}

static inline void adamax_update(const struct adamax_coefficients *c, real gradient, real *restrict parameter,
                                 real *restrict mean, real *restrict largest)
{
    const real g = prepared_gradient(&c->gradient, gradient, *parameter);
    const real magnitude = (g < 0 ? -g : g) + c->eps;
    const real faded = c->decay * *largest;
    *mean = c->mean_decay * *mean + c->one_minus_mean_decay * g;
    *largest = faded > magnitude ? faded : magnitude;
    *parameter = *parameter * c->keep - c->lr * (*mean / *largest);
}

#endif
