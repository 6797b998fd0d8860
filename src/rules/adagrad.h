/* Adagrad: each parameter's step is divided by the root of the sum of its squared gradients.
 * Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic
 * optimization", 2011. */
#ifndef RULES_ADAGRAD_H
#define RULES_ADAGRAD_H

#include "rules/rule.h"

struct adagrad_coefficients {
    struct gradient_coefficients gradient;
    real eps_inside;
    real eps;
    real lr;
    real keep;
};

/* lr_decay as in torch7 and PyTorch; decoupled decay goes by the plain learning rate. */
static inline struct adagrad_coefficients adagrad_coefficients(const rms_options *options, uint64_t step,
                                                               double clip_factor)
{
    const double earlier_steps = step > 0 ? (double)(step - 1) : 0.0;
    return (struct adagrad_coefficients){
        .gradient = gradient_coefficients(options, clip_factor),
        .eps_inside = (real)options->eps_inside,
        .eps = (real)options->eps,
        .lr = (real)(options->lr / (1.0 + earlier_steps * options->lr_decay)),
        .keep = kept_share(options, options->lr),
    };
}

static inline real adagrad_root(const struct adagrad_coefficients *c, real sum)
{
    return root_of(sum + c->eps_inside) + c->eps;
}

static inline real adagrad_rate(const struct adagrad_coefficients *c, const real *sum)
{
    return c->lr / adagrad_root(c, *sum);
}

static inline void adagrad_update(const struct adagrad_coefficients *c, real gradient, real *restrict parameter,
                                  real *restrict sum)
{
    const real g = prepared_gradient(&c->gradient, gradient, *parameter);
    *sum = *sum + g * g;
    *parameter = *parameter * c->keep - c->lr * (g / adagrad_root(c, *sum));
}

#endif
