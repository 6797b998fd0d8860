/* RMSProp: each parameter's step is divided by a running root mean square of its own gradients.
 * Hinton, "Neural Networks for Machine Learning", lecture 6e, 2012. Centered: Graves, "Generating sequences
 * with recurrent neural networks", 2013. */
#ifndef RULES_RMSPROP_H
#define RULES_RMSPROP_H

#include "rules/rule.h"

struct rmsprop_coefficients {
    struct gradient_coefficients gradient;
    real decay;
    real one_minus_decay;
    real bias_correction;
    real eps_inside;
    real eps;
    struct momentum_coefficients momentum;
    real keep;
};

/* LaProp (Ziyin, Wang and Ueda, "LaProp: separating momentum and adaptivity in Adam", 2020) averages the
 * normalised gradients where heavy-ball momentum sums them up. */
static inline struct momentum_coefficients rmsprop_momentum(const rms_options *options, uint64_t step)
{
    if (!options->momentum_average)
        return momentum_coefficients(options, 0.0, 1.0);
    return momentum_coefficients(options, options->momentum, bias_correction(options, options->momentum, step));
}

static inline struct rmsprop_coefficients rmsprop_coefficients(const rms_options *options, uint64_t step,
                                                               double clip_factor)
{
    return (struct rmsprop_coefficients){
        .gradient = gradient_coefficients(options, clip_factor),
        .decay = (real)options->rho,
        .one_minus_decay = (real)(1.0 - options->rho),
        .bias_correction = (real)bias_correction(options, options->rho, step),
        .eps_inside = (real)options->eps_inside,
        .eps = (real)options->eps,
        .momentum = rmsprop_momentum(options, step),
        .keep = kept_share(options, options->lr),
    };
}

/* v - mean^2 is a variance, but rounding makes it negative when the gradient hardly changes: PyTorch then
 * takes the root of a negative number and writes NaN. Here it stops at 0; docs/math.md shows the case. Gradients whose
 * square overflows make both infinite: of the two only v may be, so that the parameter stands still instead. */
static inline real rmsprop_root(const struct rmsprop_coefficients *c, real v, const real *mean)
{
    real power = v * c->bias_correction;
    if (mean) {
        const real corrected = *mean * c->bias_correction;
        const real square = corrected * corrected;
        const real variance = power - (square > LARGEST_REAL ? LARGEST_REAL : square);
        power = variance < 0 ? 0 : variance;
    }
    return root_of(power + c->eps_inside) + c->eps;
}

static inline real rmsprop_rate(const struct rmsprop_coefficients *c, const real *v, const real *mean,
                                const real *momentum)
{
    (void)momentum;
    return momentum_rate(&c->momentum) / rmsprop_root(c, *v, mean);
}

static inline void rmsprop_update(const struct rmsprop_coefficients *c, real gradient, real *restrict parameter,
                                  real *restrict v, real *restrict mean, real *restrict momentum)
{
    const real g = prepared_gradient(&c->gradient, gradient, *parameter);
    *v = c->decay * *v + c->one_minus_decay * (g * g);
    if (mean)
        *mean = c->decay * *mean + c->one_minus_decay * g;

    const real update = g / rmsprop_root(c, *v, mean);
    *parameter = *parameter * c->keep - momentum_move(&c->momentum, update, momentum);
}

#endif
