/* The rules of docs/math.md, written out. Names and order are the page's; where it says ⌊x⌉, a double expression is
 * rounded once, and every operation of the numbered lists is rounded by itself. */
#include "oracle_rules.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

double oracle_rounded(const struct oracle_element *e, double value)
{
    return e->wide ? value : (double)(float)value;
}

/* e is the element at hand wherever this stands. */
#define R(value) oracle_rounded(e, value)

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

static double sign(double x)
{
    return x > 0 ? 1.0 : x < 0 ? -1.0 : 0.0;
}

/* ⌊β⌉ × average + ⌊1 − β⌉ × value */
static double averaged(const struct oracle_element *e, double beta, double average, double value)
{
    const double kept = R(R(beta) * average);
    const double taken = R(R(1.0 - beta) * value);
    return R(kept + taken);
}

static double average_of_squares(const struct oracle_element *e, double beta, double average, double value)
{
    return averaged(e, beta, average, R(value * value));
}

/* √(w + ⌊ε'⌉) */
static double inner_root(const struct oracle_element *e, double w)
{
    return R(sqrt(R(w + R(e->options->eps_inside))));
}

static double root_of(const struct oracle_element *e, double w)
{
    return R(inner_root(e, w) + R(e->options->eps));
}

/* p × keep − move */
static void move_by(struct oracle_element *e, double move)
{
    const double keep = R(1.0 - e->options->lr * e->options->decoupled_decay);
    e->p = R(R(e->p * keep) - move);
}

/* ---- Momentum: the coefficients of the table. */

struct momentum {
    double decay, intake, fresh, held, rate;
};

static struct momentum momentum_table(const struct oracle_element *e, double tau, double held)
{
    const rms_options *o = e->options;
    struct momentum m = {0, 1, 0, 1, R(o->lr)};
    if (!(o->momentum > 0))
        return m;
    m.decay = R(o->momentum);
    m.intake = R(1.0 - tau);
    m.held = R(held);
    if (o->lr_in_momentum) {
        m.intake = R(o->lr * (1.0 - tau));
        m.rate = 1;
    }
    if (o->nesterov) {
        m.fresh = o->lr_in_momentum ? R(o->lr) : 1;
        m.held = R(o->momentum);
    }
    return m;
}

static double moved(const struct oracle_element *e, const struct momentum *m, double u, double *b)
{
    if (!(e->options->momentum > 0))
        return R(m->rate * u);
    const double kept = R(m->decay * *b);
    const double taken = R(m->intake * u);
    *b = R(kept + taken);
    const double fresh = R(m->fresh * u);
    const double held = R(m->held * *b);
    return R(m->rate * R(fresh + held));
}

/* The share of an update that reaches the parameter in the same step. */
static double at_once(const struct oracle_element *e, const struct momentum *m)
{
    return R(m->rate * R(m->fresh + R(m->held * m->intake)));
}

/* ---- SGD */

static struct momentum sgd_momentum(const struct oracle_element *e)
{
    return momentum_table(e, e->step <= 1 ? 0.0 : e->options->dampening, 1.0);
}

static void sgd(struct oracle_element *e, double g)
{
    const struct momentum m = sgd_momentum(e);
    move_by(e, moved(e, &m, g, &e->slot[0]));
}

static double sgd_rate(const struct oracle_element *e)
{
    const struct momentum m = sgd_momentum(e);
    return at_once(e, &m);
}

/* ---- Adagrad */

static double decayed_rate(const struct oracle_element *e)
{
    const double earlier = (double)(e->step - 1);
    return R(e->options->lr / (1.0 + earlier * e->options->lr_decay));
}

static void adagrad(struct oracle_element *e, double g)
{
    double *s = &e->slot[0];
    *s = R(*s + R(g * g));
    const double quotient = R(g / root_of(e, *s));
    move_by(e, R(decayed_rate(e) * quotient));
}

static double adagrad_rate(const struct oracle_element *e)
{
    return R(decayed_rate(e) / root_of(e, e->slot[0]));
}

/* ---- RMSProp */

static double rmsprop_root(const struct oracle_element *e)
{
    const double c = R(correction(e->options, e->options->rho, e->step));
    double w = R(e->slot[0] * c);
    if (e->options->centered) {
        const double n = R(e->slot[1] * c);
        const double largest = e->wide ? DBL_MAX : (double)FLT_MAX;
        const double square = R(n * n);
        const double d = R(w - (isinf(square) ? largest : square));
        w = d < 0 ? 0 : d;
    }
    return root_of(e, w);
}

static struct momentum rmsprop_momentum(const struct oracle_element *e)
{
    const rms_options *o = e->options;
    if (o->momentum_average)
        return momentum_table(e, o->momentum, correction(o, o->momentum, e->step));
    return momentum_table(e, 0.0, 1.0);
}

static void rmsprop(struct oracle_element *e, double g)
{
    e->slot[0] = average_of_squares(e, e->options->rho, e->slot[0], g);
    if (e->options->centered)
        e->slot[1] = averaged(e, e->options->rho, e->slot[1], g);
    const double u = R(g / rmsprop_root(e));
    const struct momentum m = rmsprop_momentum(e);
    move_by(e, moved(e, &m, u, &e->slot[2]));
}

static double rmsprop_rate(const struct oracle_element *e)
{
    const struct momentum m = rmsprop_momentum(e);
    return R(at_once(e, &m) / rmsprop_root(e));
}

/* ---- Adam */

static double corrected_rate(const struct oracle_element *e)
{
    return R(e->options->lr * correction(e->options, e->options->beta1, e->step));
}

static double adam_root(const struct oracle_element *e, double w)
{
    const double c = R(correction(e->options, e->options->beta2, e->step));
    return root_of(e, R(w * c));
}

static void adam(struct oracle_element *e, double g)
{
    const rms_options *o = e->options;
    e->slot[0] = averaged(e, o->beta1, e->slot[0], g);
    e->slot[1] = average_of_squares(e, o->beta2, e->slot[1], g);
    double w = e->slot[1];
    if (o->amsgrad) {
        if (e->slot[2] > w)
            w = e->slot[2];
        e->slot[2] = w;
    }
    const double quotient = R(e->slot[0] / adam_root(e, w));
    move_by(e, R(corrected_rate(e) * quotient));
}

static double adam_rate(const struct oracle_element *e)
{
    return R(corrected_rate(e) / adam_root(e, e->options->amsgrad ? e->slot[2] : e->slot[1]));
}

/* ---- Rprop */

static void rprop(struct oracle_element *e, double g)
{
    const rms_options *o = e->options;
    double *q = &e->slot[0];
    double *h = &e->slot[1];
    const double k = R(g * *q);
    double f = 1;
    if (k < 0)
        f = R(o->eta_minus);
    else if (k > 0)
        f = R(o->eta_plus);
    *h = R(*h * f);
    if (*h < R(o->step_size_min))
        *h = R(o->step_size_min);
    if (*h > R(o->step_size_max))
        *h = R(o->step_size_max);
    *q = k < 0 ? 0 : g;
    move_by(e, R(sign(*q) * *h));
}

static double rprop_rate(const struct oracle_element *e)
{
    return e->slot[1];
}

/* ---- Adadelta */

static double adadelta_ratio(const struct oracle_element *e)
{
    return R(inner_root(e, e->slot[1]) / inner_root(e, e->slot[0]));
}

static void adadelta(struct oracle_element *e, double g)
{
    e->slot[0] = average_of_squares(e, e->options->rho, e->slot[0], g);
    const double movement = R(adadelta_ratio(e) * g);
    e->slot[1] = average_of_squares(e, e->options->rho, e->slot[1], movement);
    move_by(e, R(R(e->options->lr) * movement));
}

static double adadelta_rate(const struct oracle_element *e)
{
    return R(R(e->options->lr) * adadelta_ratio(e));
}

/* ---- Adamax */

static void adamax(struct oracle_element *e, double g)
{
    const rms_options *o = e->options;
    const double magnitude = g < 0 ? -g : g;
    const double w = R(magnitude + R(o->eps));
    const double f = R(R(o->beta2) * e->slot[1]);
    e->slot[0] = averaged(e, o->beta1, e->slot[0], g);
    e->slot[1] = f > w ? f : w;
    const double quotient = R(e->slot[0] / e->slot[1]);
    move_by(e, R(corrected_rate(e) * quotient));
}

static double adamax_rate(const struct oracle_element *e)
{
    const double eps = R(e->options->eps);
    return R(corrected_rate(e) / (e->slot[1] > eps ? e->slot[1] : eps));
}

/* ---- NAdam */

/* The page's only number that IEEE 754 does not define to the last bit. Correctly rounded it is what the library has for
 * the values of momentum_decay that the tests draw; how near it is for others, schedule_elementary.c tests. */
static double fade_of(double psi)
{
    return (double)powl((long double)0.96, (long double)psi);
}

static double product_of_momenta(double beta1, double fade, uint64_t t)
{
    double product = 1;
    double then = 1;
    for (uint64_t i = 1; i <= t; ++i) {
        if (!(product > ldexp(1, -60)))
            break;
        if (then < ldexp(1, -60))
            return product * raised(beta1, t - i + 1);
        then = then * fade;
        product = product * (beta1 * (1.0 - 0.5 * then));
    }
    return product;
}

struct nadam {
    double fresh, held, c;
};

static struct nadam nadam_table(const struct oracle_element *e)
{
    const rms_options *o = e->options;
    const double fade = fade_of(o->momentum_decay);
    const double faded = raised(fade, e->step);
    const double now = o->beta1 * (1.0 - 0.5 * faded);
    const double next = o->beta1 * (1.0 - 0.5 * (faded * fade));
    const double product = product_of_momenta(o->beta1, fade, e->step);
    return (struct nadam){.fresh = R(o->lr * (1.0 - now) / (1.0 - product)),
                          .held = R(o->lr * next / (1.0 - product * next)),
                          .c = R(1.0 / (1.0 - raised(o->beta2, e->step)))};
}

static void nadam(struct oracle_element *e, double g)
{
    const struct nadam n = nadam_table(e);
    e->slot[0] = averaged(e, e->options->beta1, e->slot[0], g);
    e->slot[1] = average_of_squares(e, e->options->beta2, e->slot[1], g);
    const double root = root_of(e, R(e->slot[1] * n.c));
    const double fresh = R(n.fresh * g);
    const double held = R(n.held * e->slot[0]);
    move_by(e, R(R(fresh + held) / root));
}

static double nadam_rate(const struct oracle_element *e)
{
    const struct nadam n = nadam_table(e);
    const double through_mean = R(n.held * R(1.0 - e->options->beta1));
    return R(R(n.fresh + through_mean) / root_of(e, R(e->slot[1] * n.c)));
}

/* ---- RAdam */

/* The rate; *rectified says whether there is a root to divide by. */
static double radam_table(const struct oracle_element *e, bool *rectified)
{
    const double beta2 = e->options->beta2;
    const double t = (double)e->step;
    const double power = raised(beta2, e->step);
    const double limit = 2.0 / (1.0 - beta2) - 1.0;
    const double n = limit - 2.0 * t * power / (1.0 - power);
    const double base = e->options->lr / (1.0 - raised(e->options->beta1, e->step));
    *rectified = n > 5;
    if (!*rectified)
        return R(base);
    const double r = sqrt((n - 4.0) * (n - 2.0) * limit / ((limit - 4.0) * (limit - 2.0) * n));
    return R(base * r * sqrt(1.0 - power));
}

static void radam(struct oracle_element *e, double g)
{
    bool rectified;
    const double rate = radam_table(e, &rectified);
    e->slot[0] = averaged(e, e->options->beta1, e->slot[0], g);
    e->slot[1] = average_of_squares(e, e->options->beta2, e->slot[1], g);
    const double u = rectified ? R(e->slot[0] / root_of(e, e->slot[1])) : e->slot[0];
    move_by(e, R(rate * u));
}

static double radam_rate(const struct oracle_element *e)
{
    bool rectified;
    const double rate = radam_table(e, &rectified);
    return rectified ? R(rate / root_of(e, e->slot[1])) : rate;
}

/* ---- Lion */

static void lion(struct oracle_element *e, double g)
{
    const double look = averaged(e, e->options->beta1, e->slot[0], g);
    move_by(e, R(R(e->options->lr) * sign(look)));
    e->slot[0] = averaged(e, e->options->beta2, e->slot[0], g);
}

static double lion_rate(const struct oracle_element *e)
{
    return R(e->options->lr);
}

static const struct {
    void (*apply)(struct oracle_element *e, double g);
    double (*rate)(const struct oracle_element *e);
} rules[RMS_RULE_COUNT] = {
    [RMS_SGD] = {sgd, sgd_rate},
    [RMS_ADAGRAD] = {adagrad, adagrad_rate},
    [RMS_RMSPROP] = {rmsprop, rmsprop_rate},
    [RMS_ADAM] = {adam, adam_rate},
    [RMS_RPROP] = {rprop, rprop_rate},
    [RMS_ADADELTA] = {adadelta, adadelta_rate},
    [RMS_ADAMAX] = {adamax, adamax_rate},
    [RMS_NADAM] = {nadam, nadam_rate},
    [RMS_RADAM] = {radam, radam_rate},
    [RMS_LION] = {lion, lion_rate},
};

/* Says what a new rule lacks. */
static void need(rms_rule rule)
{
    if (rules[rule].apply && rules[rule].rate)
        return;
    (void)fprintf(stderr, "%s has no place in rules[] of tests/oracle_rules.c\n", rms_rule_name(rule));
    abort();
}

void oracle_apply_rule(struct oracle_element *e, double g)
{
    need(e->options->rule);
    rules[e->options->rule].apply(e, g);
}

double oracle_rate_of_rule(const struct oracle_element *e)
{
    need(e->options->rule);
    return rules[e->options->rule].rate(e);
}
