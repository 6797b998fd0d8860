/* The arithmetic with bounds, and each rule in it, in the order of operations of docs/math.md. */
#include "golden_bounds.h"

#include <float.h>
#include <math.h>
#include <stddef.h>

const struct word words[] = {
    {"lerp", WORD_LERP, NULL},
    {"increment", WORD_INCREMENT, NULL},
    {"powers", WORD_POWERS, "1 - decay^t cancels in its own precision"},
    {"complement", WORD_COMPLEMENT, "1 - decay cancels in its own precision"},
    {"rsqrt", WORD_RSQRT, "reciprocal root"},
    {"reciprocal", WORD_RECIPROCAL, NULL},
    {"flush", WORD_FLUSH, NULL},
    {"decay", WORD_DECAY, NULL},
    {"sums", WORD_SUMS, NULL},
    {"beside", WORD_BESIDE, "eps beside the uncorrected root"},
};
const size_t word_count = sizeof words / sizeof *words;

/* ---- The arithmetic. */

/* Half an ulp, with room for what long double rounds; below the least normal number half the least subnormal, or that
 * number itself where what is below it counts as 0; the largest finite number. */
struct format {
    long double relative, absolute, normal, largest;
};
static const struct format single = {0x1.01p-24L, 0x1p-150L, 0x1p-126L, (long double)FLT_MAX};
static const struct format single_flushed = {0x1.01p-24L, 0x1p-126L, 0x1p-126L, (long double)FLT_MAX};
static const struct format twice = {0x1.01p-53L, 0x1p-1075L, 0x1p-1022L, (long double)DBL_MAX};
static const struct format twice_flushed = {0x1.01p-53L, 0x1p-1022L, 0x1p-1022L, (long double)DBL_MAX};
_Static_assert(LDBL_MANT_DIG >= 64, "the roundings of long double must be small beside those of double");

/* What all operations below go by. State, so that formulas can be read. */
static struct {
    struct format format;
    rms_dtype dtype;
    unsigned words;
    bool overflowed;
} arithmetic;

static struct format format_of(rms_dtype dtype, unsigned in_words)
{
    if (dtype == RMS_F64)
        return in_words & WORD_FLUSH ? twice_flushed : twice;
    return in_words & WORD_FLUSH ? single_flushed : single;
}

static const struct bounded zero = {0.0L, 0.0L}, one = {1.0L, 0.0L}, unknown = {0.0L, (long double)INFINITY};

static bool is_exactly(struct bounded a, long double value)
{
    return a.value == value && a.error == 0.0L;
}

static bool is_finite(struct bounded a)
{
    return isfinite(a.value);
}

/* Nothing is known of the result of an operand of which nothing is known. */
static bool is_unknown(struct bounded a)
{
    return isinf(a.error);
}

static bool has_certain_sign(struct bounded a)
{
    return fabsl(a.value) > a.error || a.error == 0.0L;
}

static struct bounded overflown(long double value)
{
    arithmetic.overflowed = true;
    return (struct bounded){isnan(value) ? value : copysignl((long double)INFINITY, value), 0.0L};
}

static struct bounded rounded(long double value, long double error)
{
    if (value == 0.0L && error == 0.0L)
        return zero;
    if (isnan(value) || fabsl(value) - error > arithmetic.format.largest)
        return overflown(value);
    const long double magnitude = fabsl(value) + error;
    if (magnitude > arithmetic.format.largest)
        return unknown;
    const bool is_normal = fabsl(value) - error >= arithmetic.format.normal;
    const long double absolute = is_normal ? 0.0L : arithmetic.format.absolute;
    return (struct bounded){value, error + magnitude * arithmetic.format.relative + absolute};
}

/* x + 0 and x * 1 are not rounded. */
static struct bounded plus(struct bounded a, struct bounded b)
{
    if (is_unknown(a) || is_unknown(b))
        return unknown;
    if (!is_finite(a) || !is_finite(b))
        return overflown(a.value + b.value);
    if (is_exactly(a, 0.0L) || is_exactly(b, 0.0L))
        return (struct bounded){a.value + b.value, a.error + b.error};
    return rounded(a.value + b.value, a.error + b.error);
}

static struct bounded negative(struct bounded a)
{
    return (struct bounded){-a.value, a.error};
}

static struct bounded minus(struct bounded a, struct bounded b)
{
    return plus(a, negative(b));
}

static struct bounded times(struct bounded a, struct bounded b)
{
    if (is_unknown(a) || is_unknown(b))
        return unknown;
    if (!is_finite(a) || !is_finite(b))
        return has_certain_sign(a) && has_certain_sign(b) ? overflown(a.value * b.value) : unknown;
    if (is_exactly(a, 1.0L))
        return b;
    return rounded(a.value * b.value, fabsl(a.value) * b.error + fabsl(b.value) * a.error + a.error * b.error);
}

static struct bounded over(struct bounded a, struct bounded b)
{
    if (is_exactly(b, 1.0L))
        return a;
    if (is_unknown(a) || is_unknown(b) || !has_certain_sign(b))
        return unknown;
    if (isinf(b.value) && is_finite(a))
        return zero;
    if (!is_finite(a) || !is_finite(b) || b.value == 0.0L)
        return has_certain_sign(a) ? overflown(a.value / b.value) : unknown;
    const long double quotient = a.value / b.value;
    return rounded(quotient, (a.error + fabsl(quotient) * b.error) / (fabsl(b.value) - b.error));
}

static struct bounded at_most_largest(struct bounded a)
{
    return isinf(a.value) ? (struct bounded){arithmetic.format.largest, 0.0L} : a;
}

static struct bounded root_of(struct bounded a)
{
    if (is_unknown(a) || !is_finite(a))
        return a;
    const long double root = sqrtl(fmaxl(a.value, 0.0L));
    const long double below = root - sqrtl(fmaxl(a.value - a.error, 0.0L));
    const long double above = sqrtl(fmaxl(a.value + a.error, 0.0L)) - root;
    return rounded(root, fmaxl(below, above));
}

static struct bounded larger(struct bounded a, struct bounded b)
{
    return (struct bounded){a.value > b.value ? a.value : b.value, fmaxl(a.error, b.error)};
}

static struct bounded between(struct bounded a, long double least, long double most)
{
    if (a.value + a.error <= least)
        return (struct bounded){least, 0.0L};
    if (a.value - a.error >= most)
        return (struct bounded){most, 0.0L};
    return (struct bounded){fminl(fmaxl(a.value, least), most), a.error};
}

static struct bounded magnitude_of(struct bounded a)
{
    return (struct bounded){fabsl(a.value), a.error};
}

/* The library's number, and room for the framework's. Where the framework has left the numbers and the library has
 * not, or the other way round, the library's stands; that something overflowed is known by then. */
static struct bounded either(struct bounded library, struct bounded framework)
{
    if (!is_finite(library) || !is_finite(framework))
        return library;
    const long double reach = fabsl(library.value - framework.value) + framework.error;
    return (struct bounded){library.value, fmaxl(library.error, reach)};
}

static bool says(unsigned word)
{
    return (arithmetic.words & word) != 0;
}

/* ---- Coefficients. */

static long double in_dtype(long double value)
{
    return arithmetic.dtype == RMS_F64 ? (long double)(double)value : (long double)(float)value;
}

/* One that both round once. */
static struct bounded coefficient(double value)
{
    return (struct bounded){in_dtype((long double)value), 0.0L};
}

static struct bounded complement(double decay)
{
    const long double value = in_dtype((long double)(1.0 - decay));
    const long double theirs = in_dtype(1.0L - in_dtype((long double)decay));
    return (struct bounded){value, says(WORD_COMPLEMENT) ? fabsl(theirs - value) : 0.0L};
}

/* Coefficients that take more than one operation are worked out in double, or in the dtype where the framework says
 * so, and rounded once to the dtype. */
static struct format begin_coefficient(void)
{
    const struct format format = arithmetic.format;
    if (!says(WORD_POWERS))
        arithmetic.format = twice;
    return format;
}

static struct bounded end_coefficient(struct format format, struct bounded value)
{
    arithmetic.format = format;
    return rounded(value.value, value.error);
}

/* decay^step: by repeated squaring, at most step - 1 roundings; by pow, an ulp. In the dtype, by pow, 4 ulps, or by a
 * running product, which may round three times a step. */
static struct bounded power_of(double decay, int step)
{
    const long double value = powl((long double)decay, step);
    if (!says(WORD_POWERS)) {
        const long double roundings = step == 1 ? 0.0L : fmaxl((long double)step - 1.0L, 2.0L);
        return (struct bounded){value, value * roundings * arithmetic.format.relative};
    }
    const long double theirs = powl(in_dtype((long double)decay), step);
    const long double roundings = fmaxl(8.0L, 3.0L * (long double)step);
    return (struct bounded){value, fabsl(theirs - value) + theirs * roundings * arithmetic.format.relative};
}

/* 1 - decay^step. Some sum it up in the dtype as they go, s = decay s + (1 - decay): two roundings a step, and two of
 * coefficients; there is no cancellation then. */
static struct bounded gap(double decay, int step)
{
    const struct bounded difference = minus(one, power_of(decay, step));
    if (!says(WORD_SUMS))
        return difference;
    const long double rounded_decay = in_dtype((long double)decay);
    const long double theirs =
        (1.0L - (long double)decay) * (1.0L - powl(rounded_decay, step)) / (1.0L - rounded_decay);
    const long double roundings = 2.0L * (long double)step + 2.0L;
    return either(difference, (struct bounded){theirs, theirs * roundings * format_of(arithmetic.dtype, 0).relative});
}

/* factor / (1 - decay^step) */
static struct bounded corrected(double factor, double decay, int step)
{
    const struct format format = begin_coefficient();
    const struct bounded exact = {(long double)factor, 0.0L};
    return end_coefficient(format, times(exact, over(one, gap(decay, step))));
}

static struct bounded correction(const rms_options *options, double decay, int step)
{
    return options->bias_correction ? corrected(1.0, decay, step) : one;
}

/* ---- What rules share. */

static struct bounded prepared(const rms_options *options, double grad, struct bounded clip_factor,
                               struct bounded param)
{
    const struct bounded given = {(long double)grad, 0.0L};
    struct bounded g = times(times(coefficient(options->grad_scale), clip_factor), given);
    if (options->clip_value > 0) {
        const long double bound = coefficient(options->clip_value).value;
        g = between(g, -bound, bound);
    }
    if (options->maximize)
        g = negative(g);
    return options->l2_decay > 0 ? plus(g, times(coefficient(options->l2_decay), param)) : g;
}

/* An increment has the average in it twice; what the average is off by goes through once, times 1 - share. */
static struct bounded incremented(struct bounded mean, struct bounded share, struct bounded g)
{
    const struct bounded way = minus(g, (struct bounded){mean.value, 0.0L});
    const struct bounded kept = {mean.value, mean.error * (1.0L - share.value)};
    return plus(kept, times(share, way));
}

static struct bounded average(double decay, struct bounded mean, struct bounded g)
{
    const struct bounded share = complement(decay);
    const struct bounded sum = plus(times(coefficient(decay), mean), times(share, g));
    return says(WORD_LERP | WORD_INCREMENT) ? either(sum, incremented(mean, share, g)) : sum;
}

static struct bounded average_of_squares(double decay, struct bounded v, struct bounded g)
{
    const struct bounded share = complement(decay);
    const struct bounded square = times(g, g);
    const struct bounded past = times(coefficient(decay), v);
    const struct bounded sum = either(plus(past, times(share, square)), plus(past, times(times(share, g), g)));
    return says(WORD_INCREMENT) ? either(sum, incremented(v, share, square)) : sum;
}

static struct bounded divisor(const rms_options *options, struct bounded power)
{
    return plus(root_of(plus(power, coefficient(options->eps_inside))), coefficient(options->eps));
}

/* rate * (u / root), in all orders. */
static struct bounded scaled(struct bounded rate, struct bounded u, struct bounded root)
{
    struct bounded quotient = over(u, root);
    if (says(WORD_RSQRT | WORD_RECIPROCAL)) {
        struct bounded inverse = over(one, root);
        if (says(WORD_RSQRT)) /* 2 ulps are 4 roundings, one of which is there */
            inverse.error += 3.0L * fabsl(inverse.value) * arithmetic.format.relative;
        quotient = either(quotient, times(u, inverse));
        quotient = either(quotient, over(times(rate, times(u, inverse)), rate));
    }
    return either(times(rate, quotient), over(times(rate, u), root));
}

/* Ends every rule: p * keep - move. */
static void move_by(struct element *e, const rms_options *options, struct bounded move)
{
    const struct bounded keep = coefficient(1.0 - options->lr * options->decoupled_decay);
    const struct bounded p = e->param;
    e->param = minus(times(keep, p), move);
    if (says(WORD_DECAY) && options->decoupled_decay > 0) {
        const struct bounded lr = coefficient(options->lr);
        const struct bounded loss = times(lr, times(coefficient(options->decoupled_decay), p));
        e->param = either(e->param, minus(minus(p, loss), move));
        e->param = either(e->param, minus(p, plus(loss, move)));
    }
}

/* What momentum makes of u / root, and the parameter of that. */
static void move_with_momentum(struct element *e, const rms_options *options, double share, struct bounded held,
                               struct bounded u, struct bounded root)
{
    const struct bounded lr = coefficient(options->lr);
    if (!(options->momentum > 0)) {
        move_by(e, options, scaled(lr, u, root));
        return;
    }
    const bool inside = options->lr_in_momentum;
    const struct bounded decay = coefficient(options->momentum);
    struct bounded intake = coefficient(inside ? options->lr * share : share);
    if (options->momentum_average) /* or the product with lr */
        intake = rounded(intake.value, 0.0L);
    e->buffer = plus(times(decay, e->buffer), scaled(intake, u, root));
    const struct bounded ahead = plus(scaled(inside ? lr : one, u, root), times(decay, e->buffer));
    const struct bounded total = options->nesterov ? ahead : times(held, e->buffer);
    move_by(e, options, inside ? total : times(lr, total));
}

/* ---- The rules. */

static void sgd(struct element *e, const rms_options *options, int step, struct bounded g)
{
    move_with_momentum(e, options, step > 1 ? 1.0 - options->dampening : 1.0, one, g, one);
}

static void adagrad(struct element *e, const rms_options *options, int step, struct bounded g)
{
    e->v = plus(e->v, times(g, g));
    const struct bounded rate = coefficient(options->lr / (1.0 + (step - 1) * options->lr_decay));
    move_by(e, options, scaled(rate, g, divisor(options, e->v)));
}

static void rmsprop(struct element *e, const rms_options *options, int step, struct bounded g)
{
    const struct bounded factor = correction(options, options->rho, step);
    e->v = average_of_squares(options->rho, e->v, g);
    struct bounded power = times(factor, e->v);
    if (options->centered) {
        e->mean = average(options->rho, e->mean, g);
        const struct bounded mean = times(factor, e->mean);
        power = minus(power, at_most_largest(times(mean, mean)));
    }
    const double share = options->momentum_average ? 1.0 - options->momentum : 1.0;
    const struct bounded held = options->momentum_average ? correction(options, options->momentum, step) : one;
    move_with_momentum(e, options, share, held, g, divisor(options, power));
}

/* Adam's divisor: the correction within the root, or outside it, as PyTorch has it. */
static struct bounded adam_divisor(const rms_options *options, struct bounded v, int step)
{
    const struct bounded inside = divisor(options, times(correction(options, options->beta2, step), v));
    if (!options->bias_correction || options->eps_inside > 0)
        return inside;
    const struct format format = begin_coefficient();
    const struct bounded share = end_coefficient(format, root_of(gap(options->beta2, step)));
    struct bounded eps = coefficient(options->eps);
    if (says(WORD_BESIDE))
        eps = over(times(eps, (struct bounded){share.value, 0.0L}), share);
    return either(inside, plus(over(root_of(v), share), eps));
}

static void adam(struct element *e, const rms_options *options, int step, struct bounded g)
{
    e->mean = average(options->beta1, e->mean, g);
    e->v = average_of_squares(options->beta2, e->v, g);
    e->v_max = larger(e->v_max, e->v);
    const struct bounded rate =
        options->bias_correction ? corrected(options->lr, options->beta1, step) : coefficient(options->lr);
    const struct bounded root = adam_divisor(options, options->amsgrad ? e->v_max : e->v, step);
    move_by(e, options, scaled(rate, e->mean, root));
}

/* Gradients are exact here, but for weight decay; so is the decision, unless it hangs on the last bits. */
static void rprop(struct element *e, const rms_options *options, int step, struct bounded g)
{
    (void)step;
    const struct bounded product = times(g, e->previous);
    const long double agreement = in_dtype(product.value);
    const bool decided = has_certain_sign(g) && has_certain_sign(e->previous);
    const struct bounded eta = agreement < 0   ? coefficient(options->eta_minus)
                               : agreement > 0 ? coefficient(options->eta_plus)
                                               : one;
    const struct bounded size = decided ? times(eta, e->step_size) : unknown;
    e->step_size = between(size, coefficient(options->step_size_min).value, coefficient(options->step_size_max).value);
    e->previous = agreement < 0 ? zero : g;
    const struct bounded sign = {(long double)((e->previous.value > 0) - (e->previous.value < 0)), 0.0L};
    move_by(e, options, times(sign, e->step_size));
}

static void adadelta(struct element *e, const rms_options *options, int step, struct bounded g)
{
    (void)step;
    const struct bounded eps = coefficient(options->eps_inside);
    e->v = average_of_squares(options->rho, e->v, g);
    const struct bounded ratio = scaled(one, root_of(plus(e->buffer, eps)), root_of(plus(e->v, eps)));
    const struct bounded movement = times(ratio, g);
    e->buffer = average_of_squares(options->rho, e->buffer, movement);
    move_by(e, options, times(coefficient(options->lr), movement));
}

static void adamax(struct element *e, const rms_options *options, int step, struct bounded g)
{
    e->mean = average(options->beta1, e->mean, g);
    e->v = larger(times(coefficient(options->beta2), e->v), plus(magnitude_of(g), coefficient(options->eps)));
    const struct bounded rate =
        options->bias_correction ? corrected(options->lr, options->beta1, step) : coefficient(options->lr);
    move_by(e, options, scaled(rate, e->mean, e->v));
}

/* A momentum of NAdam's: beta1 (1 - 0.5 0.96^(t momentum_decay)). The power is taken at once, or step by step. */
static struct bounded nadam_momentum(const rms_options *options, int step)
{
    const long double fade = powl(0.96L, (long double)step * (long double)options->momentum_decay);
    const struct bounded faded = {fade, fade * (2.0L * (long double)step + 4.0L) * arithmetic.format.relative};
    const struct bounded half = {0.5L, 0.0L}, beta1 = {(long double)options->beta1, 0.0L};
    return times(beta1, minus(one, times(half, faded)));
}

/* The product of all momenta is kept in the dtype, or worked out anew. */
static void nadam(struct element *e, const rms_options *options, int step, struct bounded g)
{
    const struct format format = begin_coefficient();
    const struct bounded now = nadam_momentum(options, step), next = nadam_momentum(options, step + 1);
    arithmetic.format = format;
    e->momentum_product = times(e->momentum_product, rounded(now.value, now.error));
    begin_coefficient();
    const struct bounded lr = {(long double)options->lr, 0.0L};
    const struct bounded now_gap = minus(one, e->momentum_product);
    const struct bounded next_gap = minus(one, times(e->momentum_product, next));
    struct bounded gradient_rate = over(times(lr, minus(one, now)), now_gap);
    struct bounded mean_rate = over(times(lr, next), next_gap);
    gradient_rate = end_coefficient(format, gradient_rate);
    mean_rate = end_coefficient(format, mean_rate);

    e->mean = average(options->beta1, e->mean, g);
    e->v = average_of_squares(options->beta2, e->v, g);
    const struct bounded root = divisor(options, times(corrected(1.0, options->beta2, step), e->v));
    const struct bounded p = e->param;
    move_by(e, options, over(plus(times(gradient_rate, g), times(mean_rate, e->mean)), root));
    struct element apart = *e;
    apart.param = p;
    move_by(&apart, options, scaled(gradient_rate, g, root));
    apart.param = minus(apart.param, scaled(mean_rate, e->mean, root));
    e->param = either(e->param, apart.param);
}

/* What the variance of the first divisors is made up for by; 0 where there is none to speak of. */
static struct bounded radam_rectification(const rms_options *options, int step)
{
    const struct bounded two = {2.0L, 0.0L}, four = {4.0L, 0.0L}, number = {2.0L * (long double)step, 0.0L};
    const struct bounded rest = {(long double)(1.0 - options->beta2), 0.0L};
    const struct bounded limit = minus(over(two, rest), one);
    const struct bounded faded = power_of(options->beta2, step);
    const struct bounded length = minus(limit, over(times(number, faded), gap(options->beta2, step)));
    if (!(length.value > 5.0L))
        return zero;
    const struct bounded above = times(times(minus(length, four), minus(length, two)), limit);
    const struct bounded below = times(times(minus(limit, four), minus(limit, two)), length);
    return root_of(over(above, below));
}

static void radam(struct element *e, const rms_options *options, int step, struct bounded g)
{
    const struct format format = begin_coefficient();
    const struct bounded lr = {(long double)options->lr, 0.0L};
    const struct bounded rectification = radam_rectification(options, step);
    const struct bounded first = over(lr, gap(options->beta1, step));
    const bool adaptive = rectification.value > 0;
    const struct bounded share = root_of(gap(options->beta2, step));
    const struct bounded rate = end_coefficient(format, adaptive ? times(first, times(rectification, share)) : first);

    e->mean = average(options->beta1, e->mean, g);
    e->v = average_of_squares(options->beta2, e->v, g);
    const struct bounded p = e->param, root = adaptive ? divisor(options, e->v) : one;
    move_by(e, options, scaled(rate, e->mean, root));

    /* PyTorch: ((mean / (1 - beta1^t)) lr) (sqrt(1 - beta2^t) / root) rectification, each factor rounded. */
    struct element apart = *e;
    apart.param = p;
    struct bounded move = times(coefficient(options->lr), times(corrected(1.0, options->beta1, step), e->mean));
    if (adaptive)
        move = times(end_coefficient(format, rectification), times(move, over(end_coefficient(format, share), root)));
    move_by(&apart, options, move);
    e->param = either(e->param, apart.param);
}

static void lion(struct element *e, const rms_options *options, int step, struct bounded g)
{
    (void)step;
    const struct bounded look = average(options->beta1, e->mean, g);
    const long double sign = (long double)((look.value > 0) - (look.value < 0));
    move_by(e, options, times((struct bounded){sign, has_certain_sign(look) ? 0.0L : 2.0L}, coefficient(options->lr)));
    e->mean = average(options->beta2, e->mean, g);
}

static void (*const rules[RMS_RULE_COUNT])(struct element *e, const rms_options *options, int step,
                                           struct bounded g) = {
    [RMS_SGD] = sgd,     [RMS_ADAGRAD] = adagrad,   [RMS_RMSPROP] = rmsprop, [RMS_ADAM] = adam,
    [RMS_RPROP] = rprop, [RMS_ADADELTA] = adadelta, [RMS_ADAMAX] = adamax,   [RMS_NADAM] = nadam,
    [RMS_RADAM] = radam, [RMS_LION] = lion,
};

/* ---- The interface. */

static void use(rms_dtype dtype, unsigned in_words)
{
    arithmetic.format = format_of(dtype, in_words);
    arithmetic.dtype = dtype;
    arithmetic.words = in_words;
    arithmetic.overflowed = false;
}

struct element element_start(const rms_options *options, rms_dtype dtype, double param)
{
    use(dtype, 0);
    struct element element = {
        .param = {(long double)param, 0.0L},
        .step_size = coefficient(options->lr),
        .momentum_product = one,
    };
    if (options->rule == RMS_RMSPROP || options->rule == RMS_ADAGRAD)
        element.v = coefficient(options->initial_accumulator);
    return element;
}

void element_step(struct element *element, const rms_options *options, rms_dtype dtype, unsigned in_words, int step,
                  double grad, struct bounded clip_factor)
{
    use(dtype, in_words);
    rules[options->rule](element, options, step, prepared(options, grad, clip_factor, element->param));
    if (options->average_decay > 0)
        element->average =
            step == 1 ? element->param : average(options->average_decay, element->average, element->param);
    element->overflowed |= arithmetic.overflowed;
}

struct bounded clip_factor_of(const rms_options *options, rms_dtype dtype, const double *grad, size_t count)
{
    use(dtype, 0);
    long double sum = 0.0L;
    for (size_t i = 0; i < count; ++i)
        sum += ((long double)grad[i] * (long double)options->grad_scale) *
               ((long double)grad[i] * (long double)options->grad_scale);
    const long double norm = sqrtl(sum);
    if (!(options->clip_norm > 0))
        return one;
    const long double factor = fminl(1.0L, (long double)options->clip_norm / norm); /* some work it out at 1, too */
    return (struct bounded){factor, factor * (long double)(count + 6) * arithmetic.format.relative};
}
