/* SGD: with Polyak's heavy-ball momentum ("Some methods of speeding up the convergence of iteration
 * methods", 1964) or Nesterov's, in the form of Sutskever et al., "On the importance of initialization and
 * momentum in deep learning", 2013, as PyTorch states it. */
#ifndef RULES_SGD_H
#define RULES_SGD_H

#include "rules/rule.h"

struct sgd_coefficients {
    struct gradient_coefficients gradient;
    struct momentum_coefficients momentum;
    real keep;
};

/* PyTorch starts the buffer with the whole first gradient: dampening applies from the second step on. */
static inline struct sgd_coefficients sgd_coefficients(const rms_options *options, uint64_t step, double clip_factor)
{
    return (struct sgd_coefficients){
        .gradient = gradient_coefficients(options, clip_factor),
        .momentum = momentum_coefficients(options, step > 1 ? options->dampening : 0.0, 1.0),
        .keep = kept_share(options, options->lr),
    };
}

static inline real sgd_rate(const struct sgd_coefficients *c, const real *momentum)
{
    (void)momentum;
    return momentum_rate(&c->momentum);
}

static inline void sgd_update(const struct sgd_coefficients *c, real gradient, real *restrict parameter,
                              real *restrict momentum)
{
    const real g = prepared_gradient(&c->gradient, gradient, *parameter);
    *parameter = *parameter * c->keep - momentum_move(&c->momentum, g, momentum);
}

#endif
