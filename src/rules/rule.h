/* What all rules share: coefficients are worked out once per step in double and rounded once to the precision
 * of the computation; gradients are prepared in the order that rmsprop.h promises.
 *
 * A rule is three plain C functions on numbers of type real, compiled with real as float and again as double,
 * for each instruction set:
 *   NAME_coefficients  from options and the step number, in double;
 *   NAME_rate          what a parameter's gradient is multiplied by now;
 *   NAME_update        one parameter, one step.
 * Options that are off are neutral elements (x * 1, x + 0), exact in IEEE arithmetic. A slot that is not
 * kept is a null pointer, known when the kernel is compiled, so that its test leaves no branch behind.
 *
 * Only + - * / sqrt and conversions: each is correctly rounded everywhere, which is what makes the bits
 * equal. Comparisons are written as conditionals, not fminf and fmaxf, whose NaN rules keep compilers
 * from using vector instructions. Constants are whole numbers, which turn into either type exactly. */
#ifndef RULES_RULE_H
#define RULES_RULE_H

#include <float.h>
#include <math.h>
#include <rmsprop.h>

/* The x87 unit and others that keep excess precision cannot give the promised bits. */
#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0
#error "rmsprop needs float arithmetic without excess precision (on 32-bit x86: -msse2 -mfpmath=sse)"
#endif

/* Fast math reorders sums, takes NaN for impossible, and switches subnormals off for the whole process. */
#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ > 0)
#error "compile rmsprop without -ffast-math and its parts: they void the promise of equal bits"
#endif

#ifndef REAL
#error "the stub that includes rules says REAL, float or double"
#endif
typedef REAL real;
#define LARGEST_REAL (sizeof(real) == sizeof(float) ? (real)FLT_MAX : (real)DBL_MAX)

static inline real root_of(real x)
{
    return sizeof(real) == sizeof(float) ? (real)sqrtf((float)x) : (real)sqrt((double)x);
}

struct gradient_coefficients {
    real scale; /* unscaling, norm clipping and the sign of maximize, in one factor */
    real bound; /* clip_value, or infinity */
    real l2_decay;
};

static inline struct gradient_coefficients gradient_coefficients(const rms_options *options, double clip_factor)
{
    const double scale = options->grad_scale * clip_factor;
    return (struct gradient_coefficients){
        .scale = (real)(options->maximize ? -scale : scale),
        .bound = options->clip_value > 0 ? (real)options->clip_value : (real)INFINITY,
        .l2_decay = (real)options->l2_decay,
    };
}

static inline real prepared_gradient(const struct gradient_coefficients *c, real gradient, real parameter)
{
    const real scaled = gradient * c->scale;
    const real capped = scaled > c->bound ? c->bound : scaled;
    const real clipped = capped < -c->bound ? -c->bound : capped;
    return clipped + c->l2_decay * parameter;
}

/* Whether gradients are taken as they come. */
static inline bool gradient_is_plain(const struct gradient_coefficients *c)
{
    return c->scale == 1 && c->bound == (real)INFINITY;
}

/* The coefficients of such gradients as constants: a compiler that sees them leaves out the operations, and no bit
 * changes, since x * 1 is x and nothing lies beyond infinity. */
static inline struct gradient_coefficients plain_gradient(real l2_decay)
{
    return (struct gradient_coefficients){.scale = 1, .bound = (real)INFINITY, .l2_decay = l2_decay};
}

/* 1, -1, or 0 for a zero and for NaN. */
static inline real sign_of(real x)
{
    return (real)((x > 0 ? 1 : 0) - (x < 0 ? 1 : 0));
}

/* What decoupled weight decay leaves of a parameter (Loshchilov and Hutter, 2019). */
static inline real kept_share(const rms_options *options, double lr)
{
    return (real)(1.0 - lr * options->decoupled_decay);
}

/* base^exponent by repeated squaring: libm's pow differs between platforms in the last bit. Bits that are
 * not set multiply by 1: a branch would be guessed wrong at every other step number. */
static inline double power(double base, uint64_t exponent)
{
    double result = 1.0;
    while (exponent != 0) {
        result *= exponent & 1 ? base : 1.0;
        base *= base;
        exponent >>= 1;
    }
    return result;
}

/* What an average that started at 0 lacks: 1 / (1 - decay^step). Before the first step the divisor would be 0;
 * the first step's is used there, for those who ask for the effective rate. decay^step is at most
 * exp(-step * (1 - decay)): below exp(-40), which is less than 2^-54, the divisor rounds to 1 and the power
 * need not be worked out. */
static inline double start_correction(double decay, uint64_t step)
{
    if ((double)step * (1.0 - decay) > 40.0)
        return 1.0;
    return 1.0 / (1.0 - power(decay, step > 0 ? step : 1));
}

static inline double bias_correction(const rms_options *options, double decay, uint64_t step)
{
    return options->bias_correction ? start_correction(decay, step) : 1.0;
}

/* Momentum in one form for all frameworks: buffer = decay * buffer + intake * u; then the parameter moves
 * by fresh * u + held * buffer, times lr. The learning rate sits in the buffer (TensorFlow, Keras) or
 * outside (PyTorch); Nesterov looks one decay ahead. dampening is the share of each u that stays out. */
struct momentum_coefficients {
    real decay;
    real intake;
    real fresh;
    real held;
    real lr;
};

/* correction is what a buffer that is an average lacks for having started at 0; 1 for any other. */
static inline struct momentum_coefficients momentum_coefficients(const rms_options *options, double dampening,
                                                                 double correction)
{
    const bool buffered = options->momentum > 0;
    const bool inside = buffered && options->lr_in_momentum;
    const double share = buffered ? 1.0 - dampening : 1.0;
    return (struct momentum_coefficients){
        .decay = (real)options->momentum,
        .intake = (real)(inside ? options->lr * share : share),
        .fresh = options->nesterov ? (inside ? (real)options->lr : 1) : 0,
        .held = (real)(options->nesterov ? options->momentum : correction),
        .lr = inside ? 1 : (real)options->lr,
    };
}

static inline real momentum_move(const struct momentum_coefficients *c, real update, real *restrict buffer)
{
    if (!buffer)
        return c->lr * update;
    *buffer = c->decay * *buffer + c->intake * update;
    return c->lr * (c->fresh * update + c->held * *buffer);
}

/* What this step's update is multiplied by on its way to the parameter; what the buffer gives back of it at
 * later steps is not counted. */
static inline real momentum_rate(const struct momentum_coefficients *c)
{
    return c->lr * (c->fresh + c->held * c->intake);
}

#endif
