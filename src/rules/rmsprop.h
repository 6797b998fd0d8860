/* RMSProp: each parameter's step is divided by a running root mean square of its own gradients.
 * Hinton, "Neural Networks for Machine Learning", lecture 6e, 2012. Centered: Graves, "Generating sequences
 * with recurrent neural networks", 2013. */
#ifndef RULES_RMSPROP_H
#define RULES_RMSPROP_H

#include "rules/rule.h"

struct rmsprop_coefficients {
    struct gradient_coefficients gradient;
    float decay;
    float one_minus_decay;
    float bias_correction;
    float eps_inside;
    float eps;
    struct momentum_coefficients momentum;
    float keep;
};

static inline struct rmsprop_coefficients rmsprop_coefficients(const rms_options *options, uint64_t step,
                                                               double clip_factor)
{
    return (struct rmsprop_coefficients){
        .gradient = gradient_coefficients(options, clip_factor),
        .decay = (float)options->rho,
        .one_minus_decay = (float)(1.0 - options->rho),
        .bias_correction = (float)bias_correction(options, options->rho, step),
        .eps_inside = (float)options->eps_inside,
        .eps = (float)options->eps,
        .momentum = momentum_coefficients(options, 0.0),
        .keep = kept_share(options, options->lr),
    };
}

/* v - mean^2 is a variance, but rounding makes it negative when the gradient hardly changes: PyTorch then
 * takes the root of a negative number and writes NaN. Here it stops at 0; docs/math.md shows the case. */
static inline float rmsprop_root(const struct rmsprop_coefficients *c, float v, const float *mean)
{
    float power = v * c->bias_correction;
    if (mean) {
        const float corrected = *mean * c->bias_correction;
        const float variance = power - corrected * corrected;
        power = variance < 0.0F ? 0.0F : variance;
    }
    return sqrtf(power + c->eps_inside) + c->eps;
}

static inline float rmsprop_rate(const struct rmsprop_coefficients *c, const float *v, const float *mean,
                                 const float *momentum)
{
    (void)momentum;
    return momentum_rate(&c->momentum) / rmsprop_root(c, *v, mean);
}

static inline void rmsprop_update(const struct rmsprop_coefficients *c, float gradient, float *restrict parameter,
                                  float *restrict v, float *restrict mean, float *restrict momentum)
{
    const float g = prepared_gradient(&c->gradient, gradient, *parameter);
    *v = c->decay * *v + c->one_minus_decay * (g * g);
    if (mean)
        *mean = c->decay * *mean + c->one_minus_decay * g;

    const float update = g / rmsprop_root(c, *v, mean);
    *parameter = *parameter * c->keep - momentum_move(&c->momentum, update, momentum);
}

#endif
