/* NAdam: Adam that looks one step ahead along its mean, as Nesterov's momentum does.
 * Dozat, "Incorporating Nesterov momentum into Adam", 2016; the momentum's schedule as in PyTorch. */
#ifndef RULES_NADAM_H
#define RULES_NADAM_H

#include "rules/elementary.h"
#include "rules/rule.h"

struct nadam_coefficients {
    struct gradient_coefficients gradient;
    real mean_decay;
    real one_minus_mean_decay;
    real decay;
    real one_minus_decay;
    real bias_correction; /* of v */
    real eps_inside;
    real eps;
    real gradient_lr;
    real mean_lr;
    real keep;
};

/* The momentum of step t is beta1 * (1 - 0.5 * 0.96^(t * momentum_decay)). The product of all momenta so far is
 * worked out anew at each step, not stored: state that follows from t cannot be lost. Once it is below 2^-60 it
 * no longer changes 1 - product; once 0.96^... is, every further momentum is beta1. */
struct nadam_momentum {
    double now;
    double next;
    double product; /* up to now */
};

static inline struct nadam_momentum nadam_momentum(const rms_options *options, uint64_t step)
{
    const double fade_per_step = elementary_power(0.96, options->momentum_decay);
    const double fade = power(fade_per_step, step);
    struct nadam_momentum momentum = {
        .now = options->beta1 * (1.0 - 0.5 * fade),
        .next = options->beta1 * (1.0 - 0.5 * (fade * fade_per_step)),
        .product = 1.0,
    };
    double fade_then = 1.0;
    for (uint64_t t = 1; t <= step && momentum.product > 0x1p-60; ++t) {
        if (fade_then < 0x1p-60) {
            momentum.product *= power(options->beta1, step - t + 1);
            break;
        }
        fade_then *= fade_per_step;
        momentum.product *= options->beta1 * (1.0 - 0.5 * fade_then);
    }
    return momentum;
}

static inline struct nadam_coefficients nadam_coefficients(const rms_options *options, uint64_t step,
                                                           double clip_factor)
{
    const struct nadam_momentum momentum = nadam_momentum(options, step > 0 ? step : 1);
    const double lr = options->lr;
    return (struct nadam_coefficients){
        .gradient = gradient_coefficients(options, clip_factor),
        .mean_decay = (real)options->beta1,
        .one_minus_mean_decay = (real)(1.0 - options->beta1),
        .decay = (real)options->beta2,
        .one_minus_decay = (real)(1.0 - options->beta2),
        .bias_correction = (real)start_correction(options->beta2, step),
        .eps_inside = (real)options->eps_inside,
        .eps = (real)options->eps,
        .gradient_lr = (real)(lr * (1.0 - momentum.now) / (1.0 - momentum.product)),
        .mean_lr = (real)(lr * momentum.next / (1.0 - momentum.product * momentum.next)),
        .keep = kept_share(options, lr),
    };
}

static inline real nadam_root(const struct nadam_coefficients *c, real v)
{
    return root_of(v * c->bias_correction + c->eps_inside) + c->eps;
}

/* What multiplies this step's gradient: its own share, and what reaches the parameter through the mean. */
static inline real nadam_rate(const struct nadam_coefficients *c, const real *mean, const real *v)
{
    (void)mean;
    return (c->gradient_lr + c->mean_lr * c->one_minus_mean_decay) / nadam_root(c, *v);
}

static inline void nadam_update(const struct nadam_coefficients *c, real gradient, real *restrict parameter,
                                real *restrict mean, real *restrict v)
{
    const real g = prepared_gradient(&c->gradient, gradient, *parameter);
    *mean = c->mean_decay * *mean + c->one_minus_mean_decay * g;
    *v = c->decay * *v + c->one_minus_decay * (g * g);
    *parameter = *parameter * c->keep - (c->gradient_lr * g + c->mean_lr * *mean) / nadam_root(c, *v);
}

#endif
