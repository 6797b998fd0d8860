/* RAdam: Adam that divides by the root only once enough gradients have been seen for its variance to be small.
 * Liu et al., "On the variance of the adaptive learning rate and beyond", 2020, with PyTorch's bound of 5. */
#ifndef RULES_RADAM_H
#define RULES_RADAM_H

#include "rules/rule.h"

struct radam_coefficients {
    struct gradient_coefficients gradient;
    real mean_decay;
    real one_minus_mean_decay;
    real decay;
    real one_minus_decay;
    real eps_inside;
    real eps;
    real largest_root; /* infinity; or 1, with eps 1: then every root counts as 1, NaN too, and is left out */
    real lr;
    real keep;
};

/* The length of the average, rho in the paper, up to the step and in the limit, and the factor that makes the
 * rectified rate's variance what it is in the limit; 0 while the length is 5 or less. */
static inline double radam_rectification(double beta2, uint64_t step)
{
    const double limit = 2.0 / (1.0 - beta2) - 1.0;
    const double faded = power(beta2, step);
    const double length = limit - 2.0 * (double)step * faded / (1.0 - faded);
    if (!(length > 5.0))
        return 0.0;
    return sqrt((length - 4.0) * (length - 2.0) * limit / ((limit - 4.0) * (limit - 2.0) * length));
}

static inline struct radam_coefficients radam_coefficients(const rms_options *options, uint64_t step,
                                                           double clip_factor)
{
    const uint64_t number = step > 0 ? step : 1;
    const double rectification = radam_rectification(options->beta2, number);
    const bool adaptive = rectification > 0.0;
    const double v_correction = sqrt(1.0 - power(options->beta2, number));
    const double rate = options->lr / (1.0 - power(options->beta1, number));
    return (struct radam_coefficients){
        .gradient = gradient_coefficients(options, clip_factor),
        .mean_decay = (real)options->beta1,
        .one_minus_mean_decay = (real)(1.0 - options->beta1),
        .decay = (real)options->beta2,
        .one_minus_decay = (real)(1.0 - options->beta2),
        .eps_inside = (real)options->eps_inside,
        .eps = adaptive ? (real)options->eps : 1,
        .largest_root = adaptive ? (real)INFINITY : 1,
        .lr = (real)(adaptive ? rate * rectification * v_correction : rate),
        .keep = kept_share(options, options->lr),
    };
}

static inline real radam_root(const struct radam_coefficients *c, real v)
{
    const real root = root_of(v + c->eps_inside) + c->eps;
    return root < c->largest_root ? root : c->largest_root;
}

static inline real radam_rate(const struct radam_coefficients *c, const real *mean, const real *v)
{
    (void)mean;
    return c->lr / radam_root(c, *v);
}

static inline void radam_update(const struct radam_coefficients *c, real gradient, real *restrict parameter,
                                real *restrict mean, real *restrict v)
{
    const real g = prepared_gradient(&c->gradient, gradient, *parameter);
    *mean = c->mean_decay * *mean + c->one_minus_mean_decay * g;
    *v = c->decay * *v + c->one_minus_decay * (g * g);
    *parameter = *parameter * c->keep - c->lr * (*mean / radam_root(c, *v));
}

#endif
