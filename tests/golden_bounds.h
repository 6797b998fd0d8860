/* What a rule makes of a gradient, in long double, with a bound on how far an evaluation in float or double can be from
 * it: the tolerance of golden_frameworks.c is derived here, not chosen.
 *
 * Running error analysis, after Wilkinson: every operation adds half an ulp of its result, 2^-24 (2^-53) relative or
 * 2^-150 (2^-1075) absolute, to what its operands pass on. Cancellation thereby widens the bound where it happens,
 * and nowhere else: in Adam's mean when signs flip, in the centered variance, in the gradient that weight decay is
 * added to. A framework and the library must each lie within the bound, hence within two of each other.
 *
 * One evaluation covers both orders of operations. Where they are the same, or a framework fuses a product with its
 * sum, which leaves one rounding out, it is the library's. Where they differ, both are evaluated; the value is the
 * library's, and the bound reaches to the farther end of either. How frameworks differ they say in words. */
#ifndef TESTS_GOLDEN_BOUNDS_H
#define TESTS_GOLDEN_BOUNDS_H

#include <rmsprop.h>

struct bounded {
    long double value; /* infinite or NaN, without error, once it has overflowed */
    long double error; /* infinite where nothing can be said */
};

/* The words of a golden file's arithmetic lines. */
enum {
    WORD_LERP = 1 << 0,
    WORD_INCREMENT = 1 << 1,
    WORD_COMPLEMENT = 1 << 2,
    WORD_POWERS = 1 << 3,
    WORD_RSQRT = 1 << 4,
    WORD_RECIPROCAL = 1 << 5,
    WORD_FLUSH = 1 << 6,
    WORD_DECAY = 1 << 7,
    WORD_BESIDE = 1 << 8,
    WORD_SUMS = 1 << 9,
};

struct word {
    const char *name;
    unsigned bit;
    const char *reason; /* for the table; NULL where the word alone does not take the error above 4 ulps */
};
extern const struct word words[];
extern const size_t word_count;

/* One parameter and its state; the rule decides what is used. */
struct element {
    struct bounded param, average;
    struct bounded v, mean, buffer, v_max; /* squares, mean, momentum or Adadelta's movements, AMSGrad's largest */
    struct bounded previous, step_size;    /* Rprop */
    struct bounded momentum_product;       /* NAdam: of all its momenta so far */
    bool overflowed;                       /* something exceeded the dtype on the way */
};

/* The element before its first step. */
struct element element_start(const rms_options *options, rms_dtype dtype, double param);

/* Takes one step of one element. clip_factor is what clipping by norm multiplies the gradient by. words: those of the
 * framework. */
void element_step(struct element *element, const rms_options *options, rms_dtype dtype, unsigned words, int step,
                  double grad, struct bounded clip_factor);

/* What clipping by norm multiplies these gradients by. */
struct bounded clip_factor_of(const rms_options *options, rms_dtype dtype, const double *grad, size_t count);

#endif
