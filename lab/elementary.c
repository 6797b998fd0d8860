/* exp, log, tanh, sin, cos and pow: argument reduction after Cody and Waite, "Software Manual for the Elementary
 * Functions", 1980; then a series whose remainder can be stated, rather than fitted coefficients.
 *
 * Errors below are in u = 2^-53, the largest relative error of one rounding. */
#include "elementary.h"

#if defined(__FAST_MATH__)
#error "compile the lab without -ffast-math: its bits would differ between machines"
#endif

#include <math.h>
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

/* x = (4 n + quadrant) pi / 2 + high + tail, |high| < 0.7854, |tail| <= 2^-53 |high|. */
struct angle {
    double high, tail;
    unsigned quadrant;
};

/* 2 / pi to 1184 bits behind the point, after 64 before it. */
static const uint32_t two_over_pi[] = {
    0,          0,          0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041,
    0xfe5163ab, 0xdebbc561, 0xb7246e3a, 0x424dd2e0, 0x06492eea, 0x09d1921c, 0xfe1deb1c, 0xb129a73e,
    0xe88235f5, 0x2ebb4484, 0xe99c7026, 0xb45f7e41, 0x3991d639, 0x835339f4, 0x9c845f8b, 0xbdf9283b,
    0x1ff897ff, 0xde05980f, 0xef2f118b, 0x5a0a6d1f, 0x6d367ecf, 0x27cb09b7, 0x4f463f66, 0x9e5fea2d,
    0x7527bac7, 0xebe5f17b, 0x3d0739f7, 0x8a5292ea, 0x6bfb5fb1, 0x1f8d5d08, 0x56033046};

enum { WINDOW = 6 }; /* words: 192 bits, most significant first */

/* sum += factor times those words that remain after a shift to the left by whole words. */
static void add_product(uint32_t sum[WINDOW], const uint32_t words[WINDOW], uint32_t factor, size_t shift)
{
    uint64_t carry = 0;
    for (size_t i = WINDOW - shift; i-- > 0;) {
        carry += sum[i] + (uint64_t)factor * words[i + shift];
        sum[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

/* The low 192 bits of x = m 2^e times the bits of 2 / pi from that of weight 2^(1 - e) on: those above bring multiples
 * of 4 quadrants. Counted in quadrants, two bits lie before the point; m < 2^53 times what lies behind the window is less
 * than 2^-137, and no double lies nearer to a whole number of quadrants than 2^-62. */
static void quadrants(uint32_t product[WINDOW], double x)
{
    const uint64_t bits = bits_of_double(x);
    const uint64_t m = (bits & 0x000fffffffffffff) | 0x0010000000000000;
    const size_t begin = (size_t)(bits >> 52) - 1013; /* in two_over_pi */
    uint32_t words[WINDOW];
    for (size_t i = 0; i < WINDOW; ++i) {
        const uint32_t *const at = &two_over_pi[begin / 32 + i];
        words[i] = (uint32_t)((((uint64_t)at[0] << 32 | at[1]) << begin % 32) >> 32);
        product[i] = 0;
    }
    add_product(product, words, (uint32_t)m, 0);
    add_product(product, words, (uint32_t)(m >> 32), 1);
}

/* Finite x >= 1/2, after Payne and Hanek, "Radian reduction for trigonometric functions", SIGNUM Newsletter 18, 1983. */
static struct angle reduce_large(double x)
{
    uint32_t fraction[WINDOW];
    quadrants(fraction, x);
    const unsigned quadrant = (fraction[0] >> 29 & 1) + (fraction[0] >> 30); /* the nearest */
    const uint32_t negative = fraction[0] >> 29 & 1 ? UINT32_MAX : 0;
    fraction[0] = (fraction[0] ^ negative) & 0x1fffffff;
    for (size_t i = 1; i < WINDOW; ++i)
        fraction[i] ^= negative; /* one's complement: 2^-190 too little */
    fraction[WINDOW - 1] |= 1;   /* never 0 */

    int exponent = -30;
    for (; !(fraction[0] >> 31); --exponent)
        add_product(fraction, fraction, 1, 0);
    const double unit = negative ? -power_of_two(exponent) : power_of_two(exponent);

    /* 32 bits of the fraction times 21 of pi / 2 are exact; what is left is less by 2^-20 and more. */
    static const double half_pi = 0x1.921fb54442d18p+0;
    static const double half_pi_high = 0x1.921fbp+0;
    static const double half_pi_low = 0x1.5110b4611a626p-22;
    const double product = fraction[0] * half_pi_high;
    const double rest = fraction[1] * 0x1p-32 + fraction[2] * 0x1p-64;
    const double below = fraction[0] * half_pi_low + rest * half_pi;
    const double high = product + below;
    return (struct angle){unit * high, unit * (below - (high - product)), quadrant};
}

/* 1/2 <= x <= 2^20, after Cody and Waite. pi / 2 in three parts, of which the first two end in 20 zero bits, so that
 * their products with k < 2^20 are exact; the first difference is, too, because both lie within a factor of 2 (Sterbenz),
 * and what the second rounds away is found by Dekker's sum. Left out are k 2^-122 and the roundings of k third, less than
 * 2^-101 together: too much where the rest itself is less than 2^-40, which few x come to. */
static inline struct angle reduce(double x)
{
    static const double first = 0x1.921fb544p+0;
    static const double second = 0x1.0b4611a6p-34;
    static const double third = 0x1.3198a2e037073p-69;
    static const double to_whole =
        0x1.8p52; /* a sum with it has no bits below 1, and ends in those of the whole number */
    const double shifted = x * 0x1.45f306dc9c883p-1 + to_whole;
    const double k = shifted - to_whole;
    const double rest = x - k * first;
    const double inner = rest - k * second;
    const double below = ((rest - inner) - k * second) - k * third;
    const double high = inner + below;
    if (fabs(high) < 0x1p-40)
        return reduce_large(x);
    return (struct angle){high, below - (high - inner), (unsigned)bits_of_double(shifted)};
}

/* sin and cos of high + tail, |high| < 0.7854, by Taylor's series to the 17th and the 16th power: what they leave is
 * below 2^-62 and 2^-58. The sums in pairs are shorter chains than Horner's. What is added to high, and to 1 - z / 2
 * exactly taken, is less than 0.09 and 0.016, so that its roundings count less than half a unit in the last place;
 * with the last addition's own half, below 1. */
static inline double sine(double high, double tail)
{
    const double z = high * high;
    const double z2 = z * z;
    const double low = (-1.0 / 6 + z * (1.0 / 120)) + z2 * (-1.0 / 5040 + z * (1.0 / 362880));
    const double above =
        (-1.0 / 39916800 + z * (1.0 / 6227020800)) + z2 * (-1.0 / 1307674368000 + z * (1.0 / 355687428096000));
    return high + (high * (z * (low + z2 * z2 * above)) + tail * (1.0 - 0.5 * z));
}

static inline double cosine(double high, double tail)
{
    const double z = high * high;
    const double z2 = z * z;
    const double half = 0.5 * z;
    const double one_less = 1.0 - half;
    const double low = (1.0 / 24 + z * (-1.0 / 720)) + z2 * (1.0 / 40320 + z * (-1.0 / 3628800));
    const double above = (1.0 / 479001600 + z * (-1.0 / 87178291200)) + z2 * (1.0 / 20922789888000);
    return one_less + (((1.0 - one_less) - half) + (z2 * (low + z2 * z2 * above) - high * tail));
}

/* The sine of |x| + `ahead` quadrants; NaN for infinity and NaN. */
static inline double sine_ahead(double magnitude, unsigned ahead)
{
    struct angle angle = {magnitude, 0.0, 0};
    if (magnitude > 0x1.921fbp-1) {
        if (!(magnitude < HUGE_VAL))
            return (double)NAN;
        angle = magnitude < 0x1p20 ? reduce(magnitude) : reduce_large(magnitude);
    }
    const unsigned quadrant = angle.quadrant + ahead;
    const double y = quadrant & 1 ? cosine(angle.high, angle.tail) : sine(angle.high, angle.tail);
    return quadrant & 2 ? -y : y;
}

double lab_sin(double x)
{
    const double y = sine_ahead(fabs(x), 0);
    return x < 0.0 || (x == 0.0 && signbit(x)) ? -y : y;
}

double lab_cos(double x)
{
    return sine_ahead(fabs(x), 1);
}

/* By squares: each product rounds once, and a square doubles what was wrong before, so below (n - 1) u of the power;
 * 1 / x, rounded itself, costs as much again. Nothing overflows that is not part of the result. */
static double whole_power(double x, unsigned n)
{
    double power = n & 1 ? x : 1.0;
    while (n >>= 1) {
        x *= x;
        if (n & 1)
            power *= x;
    }
    return power;
}

/* Whole exponents to 64 in magnitude, as polynomials have them, by products: x^2 is x * x. Others by exp(y log x), whose
 * argument is within 3 u of itself: below (3 |y log x| + 2) u of the power, some 2,000 u at the ends of the range. The
 * limits follow from those of exp and log, but for the three named here. */
double lab_pow(double x, double y)
{
    const double size = fabs(y);
    if (size <= 64.0 && size == floor(size))
        return whole_power(y < 0.0 ? 1.0 / x : x, (unsigned)size);
    if (x == 1.0 || (x == -1.0 && size == HUGE_VAL))
        return 1.0;

    const int odd = size < 0x1p53 && size == floor(size) && floor(size / 2) != size / 2;
    if (x < 0.0 && x > -HUGE_VAL && size != floor(size)) /* NaN too, which no power hides */
        return (double)NAN;
    const double power = lab_exp(y * lab_log(fabs(x)));
    return odd && signbit(x) ? -power : power;
}
