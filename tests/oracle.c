/* docs/math.md, written out. The names and the order are the page's; where it says double, rounded once to
 * float, a double expression is cast to float here. */
#include "oracle.h"

#include <math.h>

enum { CHUNK = 65536, LANES = 32 };

static double chunk_sum(const float *grad, size_t count, float unscale)
{
    double lane[LANES];
    for (size_t j = 0; j < LANES; ++j) {
        lane[j] = 0.0;
        for (size_t i = j; i < count; i += LANES) {
            const float product = grad[i] * unscale;
            lane[j] = lane[j] + (double)product * (double)product;
        }
    }
    for (size_t width = 16; width >= 1; width /= 2)
        for (size_t j = 0; j < width; ++j)
            lane[j] = lane[j] + lane[j + width];
    return lane[0];
}

static double sum_of_squares(const struct oracle_tensor *tensors, size_t tensor_count)
{
    const float unscale = (float)tensors[0].options->grad_scale;
    double sum = 0.0;
    for (size_t k = 0; k < tensor_count; ++k)
        for (size_t begin = 0; begin < tensors[k].count; begin += CHUNK) {
            const size_t left = tensors[k].count - begin;
            sum = sum + chunk_sum(tensors[k].grad + begin, left < CHUNK ? left : CHUNK, unscale);
        }
    return sum;
}

static double raised(double beta, uint64_t t)
{
    double result = 1.0;
    double square = beta;
    while (t != 0) {
        if (t % 2 == 1)
            result = result * square;
        t = t / 2;
        square = square * square;
    }
    return result;
}

static double correction(const rms_options *o, double beta, uint64_t t)
{
    if (!o->bias_correction)
        return 1.0;
    return 1.0 / (1.0 - raised(beta, t));
}

static float prepared(const rms_options *o, double clip_factor, float g0, float p)
{
    double scale = o->grad_scale * clip_factor;
    if (o->maximize)
        scale = -scale;
    float x = g0 * (float)scale;
    if (o->clip_value > 0) {
        const float kappa = (float)o->clip_value;
        if (x > kappa)
            x = kappa;
        else if (x < -kappa)
            x = -kappa;
    }
    return x + (float)o->l2_decay * p;
}

/* The coefficients of the momentum table. */
struct momentum {
    float decay, intake, fresh, held, rate;
};

static struct momentum momentum_table(const rms_options *o, double tau)
{
    struct momentum m = {0, 1, 0, 1, (float)o->lr};
    if (!(o->momentum > 0))
        return m;
    m.decay = (float)o->momentum;
    m.intake = (float)(1.0 - tau);
    if (o->lr_in_momentum) {
        m.intake = (float)(o->lr * (1.0 - tau));
        m.rate = 1;
    }
    if (o->nesterov) {
        m.fresh = o->lr_in_momentum ? (float)o->lr : 1;
        m.held = (float)o->momentum;
    }
    return m;
}

/* b is NULL without momentum. */
static float moved(const struct momentum *m, float u, float *b)
{
    if (!b)
        return m->rate * u;
    *b = m->decay * *b + m->intake * u;
    return m->rate * (m->fresh * u + m->held * *b);
}

static double dampening_at(const rms_options *o, uint64_t t)
{
    return t <= 1 ? 0.0 : o->dampening;
}

static void sgd(const struct oracle_tensor *x, size_t i, float g, float keep)
{
    const struct momentum m = momentum_table(x->options, dampening_at(x->options, x->step));
    float *b = x->slots[0] ? &x->slots[0][i] : NULL;
    const float move = moved(&m, g, b);
    x->param[i] = x->param[i] * keep - move;
}

static float adagrad_rate(const rms_options *o, uint64_t t)
{
    const double earlier = t > 1 ? (double)(t - 1) : 0.0;
    return (float)(o->lr / (1.0 + earlier * o->lr_decay));
}

static float root_of(const rms_options *o, float w)
{
    const float inside = w + (float)o->eps_inside;
    return sqrtf(inside) + (float)o->eps;
}

static void adagrad(const struct oracle_tensor *x, size_t i, float g, float keep)
{
    float *s = &x->slots[0][i];
    *s = *s + g * g;
    const float quotient = g / root_of(x->options, *s);
    x->param[i] = x->param[i] * keep - adagrad_rate(x->options, x->step) * quotient;
}

static float rmsprop_root(const struct oracle_tensor *x, uint64_t t, size_t i)
{
    const float c = (float)correction(x->options, x->options->rho, t);
    float w = x->slots[0][i] * c;
    if (x->options->centered) {
        const float n = x->slots[1][i] * c;
        const float square = n * n;
        w = w - square;
        if (w < 0)
            w = 0;
    }
    return root_of(x->options, w);
}

static void rmsprop(const struct oracle_tensor *x, size_t i, float g, float keep)
{
    const float rho = (float)x->options->rho;
    const float rest = (float)(1.0 - x->options->rho);
    float *v = &x->slots[0][i];
    *v = rho * *v + rest * (g * g);
    if (x->options->centered)
        x->slots[1][i] = rho * x->slots[1][i] + rest * g;
    const float u = g / rmsprop_root(x, x->step, i);
    const struct momentum m = momentum_table(x->options, 0.0);
    const float move = moved(&m, u, x->slots[2] ? &x->slots[2][i] : NULL);
    x->param[i] = x->param[i] * keep - move;
}

static float adam_root(const struct oracle_tensor *x, uint64_t t, float w)
{
    const float c = (float)correction(x->options, x->options->beta2, t);
    return root_of(x->options, w * c);
}

static float adam_rate(const rms_options *o, uint64_t t)
{
    return (float)(o->lr * correction(o, o->beta1, t));
}

static void adam(const struct oracle_tensor *x, size_t i, float g, float keep)
{
    const rms_options *o = x->options;
    float *m = &x->slots[0][i];
    float *v = &x->slots[1][i];
    *m = (float)o->beta1 * *m + (float)(1.0 - o->beta1) * g;
    *v = (float)o->beta2 * *v + (float)(1.0 - o->beta2) * (g * g);
    float w = *v;
    if (o->amsgrad) {
        if (x->slots[2][i] > w)
            w = x->slots[2][i];
        x->slots[2][i] = w;
    }
    const float quotient = *m / adam_root(x, x->step, w);
    x->param[i] = x->param[i] * keep - adam_rate(o, x->step) * quotient;
}

static void step_of_one(const struct oracle_tensor *x, double clip_factor, const rms_options *of_step)
{
    rms_options options = *x->options;
    options.grad_scale = of_step->grad_scale;
    options.clip_value = of_step->clip_value;
    struct oracle_tensor y = *x;
    y.options = &options;
    const float keep = (float)(1.0 - options.lr * options.decoupled_decay);
    void (*const rules[RMS_RULE_COUNT])(const struct oracle_tensor *, size_t, float, float) = {sgd, adagrad, rmsprop,
                                                                                               adam};
    for (size_t i = 0; i < y.count; ++i)
        rules[options.rule](&y, i, prepared(&options, clip_factor, y.grad[i], y.param[i]), keep);
}

struct oracle_report oracle_step(const struct oracle_tensor *tensors, size_t tensor_count)
{
    struct oracle_report report = {0.0, 1.0, false};
    if (tensor_count == 0)
        return report;
    const rms_options *o = tensors[0].options;
    const double sum = sum_of_squares(tensors, tensor_count);
    report.norm = sqrt(sum);
    if (o->nonfinite == RMS_NONFINITE_SKIP && !isfinite(sum)) {
        report.skipped = true;
        return report;
    }
    if (o->clip_norm > 0 && isfinite(report.norm) && o->clip_norm < report.norm)
        report.clip_factor = o->clip_norm / report.norm;
    for (size_t k = 0; k < tensor_count; ++k)
        step_of_one(&tensors[k], report.clip_factor, o);
    return report;
}

/* The share of an update that reaches the parameter in the same step. */
static float at_once(const struct momentum *m)
{
    return m->rate * (m->fresh + m->held * m->intake);
}

static float rate_at(const struct oracle_tensor *x, uint64_t t, size_t i)
{
    const rms_options *o = x->options;
    struct momentum m;
    switch (o->rule) {
    case RMS_SGD:
        m = momentum_table(o, dampening_at(o, t));
        return at_once(&m);
    case RMS_ADAGRAD:
        return adagrad_rate(o, t) / root_of(o, x->slots[0][i]);
    case RMS_RMSPROP:
        m = momentum_table(o, 0.0);
        return at_once(&m) / rmsprop_root(x, t, i);
    case RMS_ADAM:
        return adam_rate(o, t) / adam_root(x, t, o->amsgrad ? x->slots[2][i] : x->slots[1][i]);
    }
    return NAN;
}

void oracle_rate(const struct oracle_tensor *tensor, float *out)
{
    for (size_t i = 0; i < tensor->count; ++i)
        out[i] = rate_at(tensor, tensor->step > 0 ? tensor->step : 1, i);
}
