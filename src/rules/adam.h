/* Adam: momentum on the gradient, RMSProp's division, both corrected for starting at zero.
 * Kingma and Ba, "Adam: a method for stochastic optimization", 2015. AMSGrad: Reddi, Kale and Kumar, "On
 * the convergence of Adam and beyond", 2018. AdamW: Loshchilov and Hutter, "Decoupled weight decay
 * regularization", 2019. */
#ifndef RULES_ADAM_H
#define RULES_ADAM_H

#include "rules/rule.h"

struct adam_coefficients {
    struct gradient_coefficients gradient;
    real mean_decay;
    real one_minus_mean_decay;
    real decay;
    real one_minus_decay;
    real bias_correction; /* of v; the mean's is in lr */
    real eps_inside;
    real eps;
    real lr;
    real keep;
};

static inline struct adam_coefficients adam_coefficients(const rms_options *options, uint64_t step, double clip_factor)
{
    return (struct adam_coefficients){
        .gradient = gradient_coefficients(options, clip_factor),
        .mean_decay = (real)options->beta1,
        .one_minus_mean_decay = (real)(1.0 - options->beta1),
        .decay = (real)options->beta2,
        .one_minus_decay = (real)(1.0 - options->beta2),
        .bias_correction = (real)bias_correction(options, options->beta2, step),
        .eps_inside = (real)options->eps_inside,
        .eps = (real)options->eps,
        .lr = (real)(options->lr * bias_correction(options, options->beta1, step)),
        .keep = kept_share(options, options->lr),
    };
}

static inline real adam_root(const struct adam_coefficients *c, real v)
{
    return root_of(v * c->bias_correction + c->eps_inside) + c->eps;
}

static inline real adam_rate(const struct adam_coefficients *c, const real *mean, const real *v, const real *v_max)
{
    (void)mean;
    return c->lr / adam_root(c, v_max ? *v_max : *v);
}

static inline void adam_update(const struct adam_coefficients *c, real gradient, real *restrict parameter,
                               real *restrict mean, real *restrict v, real *restrict v_max)
{
    const real g = prepared_gradient(&c->gradient, gradient, *parameter);
    *mean = c->mean_decay * *mean + c->one_minus_mean_decay * g;
    *v = c->decay * *v + c->one_minus_decay * (g * g);
    real largest = *v;
    if (v_max) {
        largest = *v_max > *v ? *v_max : *v;
        *v_max = largest;
    }
    *parameter = *parameter * c->keep - c->lr * (*mean / adam_root(c, largest));
}

#endif
