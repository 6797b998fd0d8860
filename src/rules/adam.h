/* Adam: momentum on the gradient, RMSProp's division, both corrected for starting at zero.
 * Kingma and Ba, "Adam: a method for stochastic optimization", 2015. AMSGrad: Reddi, Kale and Kumar, "On
 * the convergence of Adam and beyond", 2018. AdamW: Loshchilov and Hutter, "Decoupled weight decay
 * regularization", 2019. */
#ifndef RULES_ADAM_H
#define RULES_ADAM_H

#include "rules/rule.h"

struct adam_coefficients {
    struct gradient_coefficients gradient;
    float mean_decay;
    float one_minus_mean_decay;
    float decay;
    float one_minus_decay;
    float bias_correction; /* of v; the mean's is in lr */
    float eps_inside;
    float eps;
    float lr;
    float keep;
};

static inline struct adam_coefficients adam_coefficients(const rms_options *options, uint64_t step, double clip_factor)
{
    return (struct adam_coefficients){
        .gradient = gradient_coefficients(options, clip_factor),
        .mean_decay = (float)options->beta1,
        .one_minus_mean_decay = (float)(1.0 - options->beta1),
        .decay = (float)options->beta2,
        .one_minus_decay = (float)(1.0 - options->beta2),
        .bias_correction = (float)bias_correction(options, options->beta2, step),
        .eps_inside = (float)options->eps_inside,
        .eps = (float)options->eps,
        .lr = (float)(options->lr * bias_correction(options, options->beta1, step)),
        .keep = kept_share(options, options->lr),
    };
}

static inline float adam_root(const struct adam_coefficients *c, float v)
{
    return sqrtf(v * c->bias_correction + c->eps_inside) + c->eps;
}

static inline float adam_rate(const struct adam_coefficients *c, const float *mean, const float *v, const float *v_max)
{
    (void)mean;
    return c->lr / adam_root(c, v_max ? *v_max : *v);
}

static inline void adam_update(const struct adam_coefficients *c, float gradient, float *restrict parameter,
                               float *restrict mean, float *restrict v, float *restrict v_max)
{
    const float g = prepared_gradient(&c->gradient, gradient, *parameter);
    *mean = c->mean_decay * *mean + c->one_minus_mean_decay * g;
    *v = c->decay * *v + c->one_minus_decay * (g * g);
    float largest = *v;
    if (v_max) {
        largest = *v_max > *v ? *v_max : *v;
        *v_max = largest;
    }
    *parameter = *parameter * c->keep - c->lr * (*mean / adam_root(c, largest));
}

#endif
