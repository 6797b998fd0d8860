/* Powers with any exponent, and the sine of up to an eighth of a turn, of + - * / and bit operations alone: the C
 * library's differ between machines in the last bit. docs/math.md gives every operation, and the errors.
 *
 * Reduction of the argument after Cody and Waite, "Software Manual for the Elementary Functions", 1980; sums with
 * their rounding errors after Dekker, "A floating-point technique for extending the available precision", 1971;
 * series are Taylor's, cut where the rest is below 2^-62 of the whole. */
#ifndef RULES_ELEMENTARY_H
#define RULES_ELEMENTARY_H

#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ > 0)
#error "compile rmsprop without -ffast-math and its parts: they void the promise of equal bits"
#endif

#include <math.h>
#include <stdint.h>
#include <string.h>

/* The first 32 bits of log 2, whose product with a whole number below 2^21 is exact, and the rest. */
#define LOG2_HIGH 0x1.62e42feep-1
#define LOG2_LOW 0x1.a39ef35793c76p-33

/* A number as a sum of two, the second one small. */
struct two_parts {
    double high;
    double low;
};

/* The first 26 bits, rounded, and the rest: products of such parts are exact. For |x| up to 2^995. */
static inline struct two_parts in_two_parts(double x)
{
    const double spread = x * 0x1.0000002p+27;
    const double high = spread - (spread - x);
    return (struct two_parts){high, x - high};
}

/* 2^exponent, for exponents of normal numbers. */
static inline double power_of_two(int exponent)
{
    const uint64_t bits = (uint64_t)(exponent + 1023) << 52;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* c[0] + c[1] x + ... + c[count - 1] x^(count - 1), by Horner's rule. */
static inline double polynomial(double x, const double *c, size_t count)
{
    double sum = c[count - 1];
    for (size_t i = count - 1; i-- > 0;)
        sum = sum * x + c[i];
    return sum;
}

/* exp(high + low) = 2^k exp(r), |r| <= log(2) / 2 and a little; high has 52 bits at most, or low is 0. */
static inline double elementary_exp(struct two_parts x)
{
    static const double taylor[] = {1.0 / 2,         1.0 / 6,          1.0 / 24,         1.0 / 120,     1.0 / 720,
                                    1.0 / 5040,      1.0 / 40320,      1.0 / 362880,     1.0 / 3628800, 1.0 / 39916800,
                                    1.0 / 479001600, 1.0 / 6227020800, 1.0 / 87178291200};
    const double sum = x.high + x.low;
    if (!(sum < 710.0)) /* NaN too; the largest double is exp 709.78 */
        return sum > 0.0 ? HUGE_VAL : sum;
    if (sum < -746.0) /* half the smallest double is exp -745.13 */
        return 0.0;

    const int k = (int)(sum * 0x1.71547652b82fep+0 + (sum < 0.0 ? -0.5 : 0.5));
    const double high = x.high - k * LOG2_HIGH;
    const double low = x.low - k * LOG2_LOW;
    const double r = high + low;
    const double y = 1.0 + (high + (low + r * r * polynomial(r, taylor, sizeof taylor / sizeof *taylor)));

    /* Two factors, because 2^k itself may be no normal number; only the last product can round. */
    const int half = k / 2;
    return y * power_of_two(half) * power_of_two(k - half);
}

/* The log of a positive, finite x = 2^k m, m within [sqrt 1/2, sqrt 2), is k log 2 + 2 atanh(s), s = (m - 1) / (m + 1).
 * high has 26 bits. */
static inline struct two_parts elementary_log(double x)
{
    static const double series[] = {2.0 / 3,  2.0 / 5,  2.0 / 7,  2.0 / 9,  2.0 / 11, 2.0 / 13,
                                    2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21, 2.0 / 23};
    const int raised = x < 0x1p-1022 ? 54 : 0; /* a subnormal */
    const double normal = x * power_of_two(raised);
    uint64_t bits;
    memcpy(&bits, &normal, sizeof bits);

    /* Adding the distance from sqrt 1/2 to 1 carries into the exponent exactly when the significand is sqrt 2 or
     * more. */
    const uint64_t sqrt_half = 0x3fe6a09e667f3bcd;
    bits += 0x3ff0000000000000 - sqrt_half;
    const int k = (int)(bits >> 52) - 1023 - raised;
    bits = (bits & 0x000fffffffffffff) + sqrt_half;
    double m;
    memcpy(&m, &bits, sizeof m);

    /* s with its rest: of the division, and of m + 1. */
    const double divisor = m + 1.0;
    const double divisor_high = in_two_parts(divisor).high;
    const double divisor_low = m - (divisor_high - 1.0);
    const double s = (m - 1.0) / divisor;
    const double s_high = in_two_parts(s).high;
    const double s_low = ((m - 1.0 - s_high * divisor_high) - s_high * divisor_low) / divisor;

    const double s2 = s * s;
    const double tail = s * s2 * polynomial(s2, series, sizeof series / sizeof *series);
    const double octaves = k * LOG2_HIGH;
    const double high = in_two_parts(octaves + 2.0 * s_high).high;
    return (struct two_parts){high, octaves - high + 2.0 * s_high + (2.0 * s_low + (tail + k * LOG2_LOW))};
}

/* base^exponent, of a finite base of 0 or more and an exponent up to 2^64 in magnitude. Base 0 counts as 2^-1077, whose
 * first power is already 0. */
static inline double elementary_power(double base, double exponent)
{
    const struct two_parts logarithm = elementary_log(base);
    const struct two_parts times = in_two_parts(exponent);
    return elementary_exp(
        (struct two_parts){times.high * logarithm.high, times.low * logarithm.high + exponent * logarithm.low});
}

/* The sine of so many quarter turns, 0 to 1/2. */
static inline double elementary_sine_of_quarter_turns(double turns)
{
    static const double taylor[] = {-1.0 / 6,        1.0 / 120,        -1.0 / 5040,          1.0 / 362880,
                                    -1.0 / 39916800, 1.0 / 6227020800, -1.0 / 1307674368000, 1.0 / 355687428096000};
    const double x = turns * 0x1.921fb54442d18p+0; /* half of pi */
    const double x2 = x * x;
    return x + x * (x2 * polynomial(x2, taylor, sizeof taylor / sizeof *taylor));
}

#endif
