/* exp, log and tanh: argument reduction after Cody and Waite, "Software Manual for the Elementary
 * Functions", 1980; then a series whose remainder can be stated, rather than fitted coefficients.
 *
 * Errors below are in u = 2^-53, the largest relative error of one rounding. */
#include "elementary.h"

#if defined(__FAST_MATH__)
#error "compile the lab without -ffast-math: its bits would differ between machines"
#endif

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* ln 2 in two parts. The high one ends in 21 zero bits or more, so that k * ln2_high is exact for
 * |k| < 2^21; both together carry ln 2 to 2^-86 or better. */
static const double ln2_high = 0x1.62e42feep-1;
static const double ln2_low = 0x1.a39ef35793c76p-33;
static const double inverse_ln2 = 0x1.71547652b82fep+0;

static double double_of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t bits_of_double(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* 2^exponent, for exponents of normal numbers. */
static double power_of_two(int exponent)
{
    return double_of_bits((uint64_t)(exponent + 1023) << 52);
}

/* c[0] + c[1] x + ... + c[count - 1] x^(count - 1). */
static inline double horner(double x, const double *c, size_t count)
{
    double sum = c[count - 1];
    for (size_t i = count - 1; i-- > 0;)
        sum = sum * x + c[i];
    return sum;
}

/* x = k ln 2 + r, |r| <= ln 2 / 2 = 0.347; exp x = 2^k exp r. Taylor's series of exp r to r^13 leaves
 * r^14 / 14! < 2^-57. Summed as 1 + (high + (r^2 q - low)), where r = high - low: the inner sum is less
 * than 1/2, so its rounding counts u/4, r^2 q (< 0.068, 3 roundings) another u/5, low u/16; with the last
 * addition's own half ulp, below 1 ulp. A subnormal result is rounded once more: below 1.5. */
double lab_exp(double x)
{
    static const double taylor[] = {1.0 / 2,       1.0 / 6,        1.0 / 24,        1.0 / 120,
                                    1.0 / 720,     1.0 / 5040,     1.0 / 40320,     1.0 / 362880,
                                    1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
    if (!(x < 710.0)) /* NaN too; the largest double is exp 709.78 */
        return x > 0.0 ? HUGE_VAL : x;
    if (x < -746.0) /* half the least subnormal is exp -745.13 */
        return 0.0;

    const int k = (int)(x * inverse_ln2 + (x < 0.0 ? -0.5 : 0.5));
    const double high = x - k * ln2_high;
    const double low = k * ln2_low;
    const double r = high - low;
    const double y = 1.0 + (high + (r * r * horner(r, taylor, sizeof taylor / sizeof *taylor) - low));

    /* Two factors, because 2^k itself may be no normal number; only the last product can round. */
    const int half = k / 2;
    return y * power_of_two(half) * power_of_two(k - half);
}

/* x = 2^k (1 + f), 1 + f within [sqrt 1/2, sqrt 2); s = f / (2 + f), |s| < 0.1716. Then
 *     log(1 + f) = 2 atanh s = 2 s + s R,  R = 2 s^2 / 3 + 2 s^4 / 5 + ...,
 * where 2 s = f - s f; stopped after s^20 / 21, what is left is below 2^-59 of the whole. Because f is
 * exact, and f^2 / 2 is taken off first, only corrections smaller than f/5 are inexact:
 *     f - (f^2 / 2 - s (f^2 / 2 + R)),
 * so the bound is below 1 ulp: half for the last subtraction, the rest from terms scaled by f^2 / 2. */
double lab_log(double x)
{
    static const double series[] = {2.0 / 3,  2.0 / 5,  2.0 / 7,  2.0 / 9,  2.0 / 11,
                                    2.0 / 13, 2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21};
    if (!(x > 0.0))
        return x == 0.0 ? -HUGE_VAL : (double)NAN;
    if (x == HUGE_VAL)
        return x;

    const int subnormal = x < 0x1p-1022;
    const uint64_t bits = bits_of_double(subnormal ? x * 0x1p54 : x);

    /* Adding the distance from sqrt 1/2 to 1 carries into the exponent exactly when the significand is
     * sqrt 2 or more. */
    const uint64_t one = 0x3ff0000000000000;
    const uint64_t sqrt_half = 0x3fe6a09e667f3bcd;
    const uint64_t shifted = bits + (one - sqrt_half);
    const int k = (int)(shifted >> 52) - 1023 - (subnormal ? 54 : 0);
    const double f = double_of_bits((shifted & 0x000fffffffffffff) + sqrt_half) - 1.0;

    const double s = f / (2.0 + f);
    const double s2 = s * s;
    const double R = s2 * horner(s2, series, sizeof series / sizeof *series);
    const double half_square = 0.5 * f * f;
    return k * ln2_high - ((half_square - (s * (half_square + R) + k * ln2_low)) - f);
}

/* Below 0.625, Lambert's continued fraction (1761) x / (1 + x^2 / (3 + x^2 / (5 + ...))) to the 15: it
 * leaves x^16 / (15!!^2 17) < 2^-56 of the whole. As a fraction x P / Q, written x - x (x^2 A / Q) with
 * x^2 A = Q - P: all coefficients are positive integers, and the correction, less than x/8, counts its 12
 * roundings so much less: below 1.5 u, with the last subtraction 2 ulp at most.
 *
 * Above, 1 - 2 / (exp 2x + 1): the quotient is at most 0.446 and within 3.3 u, which is 1.5 ulp of a
 * result in [1/2, 1); the subtraction adds half an ulp. */
double lab_tanh(double x)
{
    static const double difference[] = {675675.0, 45045.0, 594.0, 1.0};
    static const double denominator[] = {2027025.0, 945945.0, 51975.0, 630.0, 1.0};

    /* By magnitude and sign, so that -0 stays -0. NaN fails both tests and leaves as NaN; from 22 on the
     * quotient is less than u/2. */
    const double magnitude = fabs(x);
    double y = 1.0;
    if (magnitude < 0.625) {
        const double x2 = x * x;
        const double A = horner(x2, difference, sizeof difference / sizeof *difference);
        const double Q = horner(x2, denominator, sizeof denominator / sizeof *denominator);
        y = magnitude - magnitude * (x2 * A / Q);
    } else if (!(magnitude > 22.0)) {
        y = 1.0 - 2.0 / (lab_exp(2.0 * magnitude) + 1.0);
    }
    return copysign(y, x);
}
