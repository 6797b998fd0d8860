/* Adadelta: RMSProp whose learning rate is a running root mean square of the parameter's own movements, so that
 * step and parameter have the same unit. Zeiler, "ADADELTA: an adaptive learning rate method", 2012. */
#ifndef RULES_ADADELTA_H
#define RULES_ADADELTA_H

#include "rules/rule.h"

struct adadelta_coefficients {
    struct gradient_coefficients gradient;
    real decay;
    real one_minus_decay;
    real eps_inside;
    real lr;
    real keep;
};

static inline struct adadelta_coefficients adadelta_coefficients(const rms_options *options, uint64_t step,
                                                                 double clip_factor)
{
    (void)step; /* nothing here depends on it */
    return (struct adadelta_coefficients){
        .gradient = gradient_coefficients(options, clip_factor),
        .decay = (real)options->rho,
        .one_minus_decay = (real)(1.0 - options->rho),
        .eps_inside = (real)options->eps_inside,
        .lr = (real)options->lr,
        .keep = kept_share(options, options->lr),
    };
}

/* What turns a gradient into a movement, before lr. */
static inline real adadelta_ratio(const struct adadelta_coefficients *c, real v, real delta)
{
    return root_of(delta + c->eps_inside) / root_of(v + c->eps_inside);
}

static inline real adadelta_rate(const struct adadelta_coefficients *c, const real *v, const real *delta)
{
    return c->lr * adadelta_ratio(c, *v, *delta);
}

static inline void adadelta_update(const struct adadelta_coefficients *c, real gradient, real *restrict parameter,
                                   real *restrict v, real *restrict delta)
{
    const real g = prepared_gradient(&c->gradient, gradient, *parameter);
    *v = c->decay * *v + c->one_minus_decay * (g * g);
    const real movement = adadelta_ratio(c, *v, *delta) * g;
    *delta = c->decay * *delta + c->one_minus_decay * (movement * movement);
    *parameter = *parameter * c->keep - c->lr * movement;
}

#endif
