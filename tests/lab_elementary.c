/* exp, log, tanh, sin, cos and pow against the C library's in long double: the bounds that elementary.c derives. */
#include "elementary.h"
#include "support.h"

#include <float.h>
#include <math.h>

typedef double function(double x);
typedef long double reference(long double x);

struct sweep {
    const char *name;
    function *f;
    reference *exact;
    double from, to;
};

enum { EXP_NORMAL, EXP_SMALL, EXP_SUBNORMAL, LOG_SMALL, LOG_LARGE, TANH_SERIES, TANH_ALL };
static const struct sweep sweeps[] = {
    [EXP_NORMAL] = {"exp", lab_exp, expl, -708.0, 709.78},    [EXP_SMALL] = {"exp", lab_exp, expl, -2.0, 2.0},
    [EXP_SUBNORMAL] = {"exp", lab_exp, expl, -745.2, -708.0}, [LOG_SMALL] = {"log", lab_log, logl, 0x1p-1074, 3.0},
    [LOG_LARGE] = {"log", lab_log, logl, 1.0, DBL_MAX},       [TANH_SERIES] = {"tanh", lab_tanh, tanhl, -0.625, 0.625},
    [TANH_ALL] = {"tanh", lab_tanh, tanhl, -23.0, 23.0},
};

/* Where long double is no wider than double, the reference is itself up to 1 ulp off. */
static const double bound = LDBL_MANT_DIG > DBL_MANT_DIG ? 2.0 : 3.0;

/* |y - exact| in units of the last place of a double at exact. */
static double ulps(double y, long double exact)
{
    const double nearest = (double)exact;
    const double above = nextafter(fabs(nearest), (double)INFINITY);
    const double unit = isinf(above) ? DBL_MAX * DBL_EPSILON / 2 : above - fabs(nearest);
    return (double)fabsl(((long double)y - exact) / (long double)unit);
}

static double check_within(const struct sweep *sweep, double x, double most)
{
    const double y = sweep->f(x);
    const double error = ulps(y, sweep->exact((long double)x));
    if (!(error <= most))
        fail_msg("%s(%a) = %a is %g ulp off", sweep->name, x, y, error);
    return y;
}

static double check_at(const struct sweep *sweep, double x)
{
    return check_within(sweep, x, bound);
}

/* sin and cos are derived to be closer. */
static void check_wave(const struct sweep *sweep, double x)
{
    check_within(sweep, x, bound - 1.0);
}

static void functions_are_within_two_ulp_and_never_fall(void **state)
{
    (void)state;
    const size_t points = effort(200000);
    for (size_t i = 0; i < COUNT_OF(sweeps); ++i) {
        const struct sweep *const sweep = &sweeps[i];
        double before = -(double)INFINITY;
        for (size_t k = 0; k <= points; ++k) {
            const double share = (double)k / (double)points;
            const double x = sweep->from * (1.0 - share) + sweep->to * share;
            const double y = check_at(sweep, x);
            if (y < before)
                fail_msg("%s falls to %a at %a", sweep->name, y, x);
            before = y;
        }
    }
}

/* Where one formula hands over to another: the thresholds of tanh, the cells of exp, the octaves of log. */
static void functions_are_within_two_ulp_around_their_seams(void **state)
{
    (void)state;
    static const struct {
        int sweep;
        double seam;
    } seams[] = {
        {TANH_ALL, 0.625},
        {TANH_ALL, -0.625},
        {TANH_ALL, 22.0},
        {TANH_ALL, 0x1p-1000},
        {EXP_SMALL, 0x1.62e42fefa39efp-2},
        {EXP_SMALL, -0x1.62e42fefa39efp-2},
        {EXP_SMALL, 0x1.0a2b23f3bab73p+0},
        {EXP_NORMAL, -0x1.6232bdd7abcd2p+9},
        {EXP_NORMAL, 0x1.62b7d369a5aa9p+9},
        {EXP_SMALL, 0x1p-60},
        {LOG_SMALL, 0x1.6a09e667f3bcdp-1},
        {LOG_SMALL, 0x1.6a09e667f3bcdp+0},
        {LOG_SMALL, 1.0},
        {LOG_SMALL, 0x1p-1022},
        {LOG_SMALL, 0x1p-1062},
        {LOG_LARGE, 0x1.6a09e667f3bcdp+1000},
    };
    for (size_t i = 0; i < COUNT_OF(seams); ++i) {
        double below = seams[i].seam;
        double above = seams[i].seam;
        for (int k = 0; k < 1000; ++k) {
            check_at(&sweeps[seams[i].sweep], below);
            check_at(&sweeps[seams[i].sweep], above);
            below = nextafter(below, 0.0);
            above = nextafter(above, (double)INFINITY);
        }
    }
}

static void log_is_within_two_ulp_in_every_octave(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (int exponent = -1074; exponent < 1024; ++exponent)
        for (size_t k = 0; k < effort(50); ++k)
            check_at(&sweeps[LOG_LARGE], ldexp(1.0 + (double)(random_bits(&random) >> 12) * 0x1p-52, exponent));
}

/* A sweep of sin or cos, which fall as well. */
static void check_waves(double from, double to, size_t points)
{
    const struct sweep waves[] = {{"sin", lab_sin, sinl, from, to}, {"cos", lab_cos, cosl, from, to}};
    uint64_t random = 3;
    for (size_t i = 0; i < COUNT_OF(waves); ++i)
        for (size_t k = 0; k < points; ++k) {
            const double share = (double)(random_bits(&random) >> 11) * 0x1p-53;
            check_wave(&waves[i], from * (1.0 - share) + to * share);
        }
}

static void sin_and_cos_are_within_one_ulp_near_and_far(void **state)
{
    (void)state;
    static const double ends[] = {0.7854, 3.2, 100.0, 1e5, 0x1p20, 1e9, 1e15};
    for (size_t i = 0; i < COUNT_OF(ends); ++i)
        check_waves(-ends[i], ends[i], effort(50000));
    for (int exponent = -60; exponent < 1024; ++exponent)
        check_waves(ldexp(1.0, exponent), ldexp(1.9, exponent), effort(20));
}

/* Where a result is nearly 0 and its reduction cancels most bits: the doubles around multiples of pi / 2, and of pi / 4,
 * where quadrants begin. */
static void sin_and_cos_are_within_one_ulp_around_their_zeros(void **state)
{
    (void)state;
    static const struct sweep waves[] = {{"sin", lab_sin, sinl, 0, 0}, {"cos", lab_cos, cosl, 0, 0}};
    const size_t near = 1000, far = effort(100000);
    uint64_t random = 5;
    for (size_t n = 0; n < near + far; ++n) {
        const size_t k = n < near ? n + 1 : random_below(&random, 1400000) + 1;
        const double zero = (double)((long double)k * 0.785398163397448309615660845819875721L);
        const double points[] = {nextafter(zero, 0.0), zero, nextafter(zero, (double)INFINITY)};
        for (size_t i = 0; i < COUNT_OF(points); ++i)
            for (size_t w = 0; w < COUNT_OF(waves); ++w)
                check_wave(&waves[w], points[i]);
    }

    /* Where the reduction with three parts of pi / 2 would be too short. */
    check_wave(&waves[0], 0x1.93c05c9ed3cbcp+19);
    check_wave(&waves[1], 0x1.93c05c9ed3cbcp+18);

    /* The double nearest to a multiple of pi / 2 of all: Muller et al., "Handbook of Floating-Point Arithmetic", 2010,
     * section 11.3. */
    check_wave(&waves[1], 0x1.6ac5b262ca1ffp+849);
    assert_true(fabs(lab_cos(0x1.6ac5b262ca1ffp+849)) < 0x1p-60);
}

/* The derivation's 3 |y log x| + 2 roundings, one more for the reference where it is no wider than double; the square is
 * exactly x * x. */
static void pow_is_within_its_derived_bound(void **state)
{
    (void)state;
    uint64_t random = 4;
    for (size_t k = 0; k < effort(100000); ++k) {
        const int exponent = (int)random_below(&random, 30) - 15; /* so that 64th powers are normal numbers */
        const double x = ldexp(1.0 + (double)(random_bits(&random) >> 12) * 0x1p-52, exponent);
        const double y = k % 2 ? (double)random_below(&random, 129) - 64 : 40.0 * (double)random_float(&random);
        const long double exact = powl((long double)x, (long double)y);
        const double roundings = k % 2 ? 2 * fabs(y) : 3 * fabs(y * log(x)) + 3;
        if (fabsl((long double)lab_pow(x, y) - exact) > (long double)roundings * 0x1p-53L * exact + 0x1p-1074L)
            fail_msg("pow(%a, %a) = %a, not %La", x, y, lab_pow(x, y), exact);
        assert_true(lab_pow(x, 2.0) == x * x && lab_pow(-x, 3.0) == -(x * (x * x)));
    }
}

/* C17, F.10.4.4, against the C library's, which follows it: all pairs of numbers that are special to either argument. */
static void pow_has_the_limits_of_the_standard(void **state)
{
    (void)state;
    static const double infinity = (double)INFINITY;
    const double numbers[] = {0.0,  1.0, 0.5,   2.0,        3.0,        64.0,      65.0,
                              66.0, 2.5, 1e300, 0x1p53 - 1, 0x1p53 + 2, 0x1p-1074, infinity};
    const size_t count = COUNT_OF(numbers);
    for (size_t i = 0; i < 2 * count; ++i)
        for (size_t j = 0; j < 2 * count; ++j) {
            const double x = i < count ? numbers[i] : -numbers[i - count];
            const double y = j < count ? numbers[j] : -numbers[j - count];
            const double power = lab_pow(x, y);
            const double exact = pow(x, y);
            const bool same = isnan(exact) ? isnan(power)
                                           : power == exact || fabs(power - exact) <= 0x1p-42 * fabs(exact) + 0x1p-1074;
            if (!same || (!isnan(exact) && !signbit(power) != !signbit(exact)))
                fail_msg("pow(%a, %a) = %a, not %a", x, y, power, exact);
        }
    const double nan = (double)NAN;
    assert_true(lab_pow(nan, 0.0) == 1.0 && lab_pow(nan, -0.0) == 1.0 && lab_pow(1.0, nan) == 1.0);
    assert_true(isnan(lab_pow(nan, 1.0)) && isnan(lab_pow(nan, 0.5)) && isnan(lab_pow(2.0, nan)) &&
                isnan(lab_pow(-1.0, nan)));
}

static void limits_are_those_of_the_standard(void **state)
{
    (void)state;
    const double infinity = (double)INFINITY;
    const struct {
        function *f;
        double x, y;
    } limits[] = {
        {lab_exp, 0.0, 1.0},
        {lab_exp, -0.0, 1.0},
        {lab_exp, infinity, infinity},
        {lab_exp, -infinity, 0.0},
        {lab_exp, 709.79, infinity},
        {lab_exp, 1e300, infinity},
        {lab_exp, -745.14, 0.0},
        {lab_exp, -745.13, 0x1p-1074},
        {lab_exp, -1e300, 0.0},
        {lab_log, 1.0, 0.0},
        {lab_log, 0.0, -infinity},
        {lab_log, -0.0, -infinity},
        {lab_log, infinity, infinity},
        {lab_tanh, 0.0, 0.0},
        {lab_tanh, -0.0, -0.0},
        {lab_tanh, infinity, 1.0},
        {lab_tanh, -infinity, -1.0},
        {lab_tanh, 0x1p-1074, 0x1p-1074},
        {lab_tanh, 1e300, 1.0},
        {lab_tanh, -1e300, -1.0},
        {lab_sin, 0.0, 0.0},
        {lab_sin, -0.0, -0.0},
        {lab_sin, 0x1p-1074, 0x1p-1074},
        {lab_cos, 0.0, 1.0},
        {lab_cos, -0.0, 1.0},
        {lab_cos, 0x1p-1074, 1.0},
    };
    for (size_t i = 0; i < COUNT_OF(limits); ++i)
        if (bits_of_double(limits[i].f(limits[i].x)) != bits_of_double(limits[i].y))
            fail_msg("row %zu: f(%a) = %a, not %a", i, limits[i].x, limits[i].f(limits[i].x), limits[i].y);

    const double nan = (double)NAN;
    assert_true(isnan(lab_exp(nan)) && isnan(lab_log(nan)) && isnan(lab_tanh(nan)));
    assert_true(isnan(lab_sin(nan)) && isnan(lab_sin(infinity)) && isnan(lab_sin(-infinity)));
    assert_true(isnan(lab_cos(nan)) && isnan(lab_cos(infinity)) && isnan(lab_cos(-infinity)));
    assert_true(isnan(lab_log(-1.0)) && isnan(lab_log(-infinity)) && isnan(lab_log(-0x1p-1074)));
}

static void tanh_and_sin_are_odd_and_cos_is_even(void **state)
{
    (void)state;
    uint64_t random = 2;
    for (size_t k = 0; k < effort(100000); ++k) {
        const double x = 8.0 * (double)random_float(&random);
        assert_true(lab_tanh(-x) == -lab_tanh(x));
        assert_true(lab_sin(-x) == -lab_sin(x) && lab_cos(-x) == lab_cos(x));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_within_two_ulp_and_never_fall),
        cmocka_unit_test(functions_are_within_two_ulp_around_their_seams),
        cmocka_unit_test(log_is_within_two_ulp_in_every_octave),
        cmocka_unit_test(sin_and_cos_are_within_one_ulp_near_and_far),
        cmocka_unit_test(sin_and_cos_are_within_one_ulp_around_their_zeros),
        cmocka_unit_test(pow_is_within_its_derived_bound),
        cmocka_unit_test(pow_has_the_limits_of_the_standard),
        cmocka_unit_test(limits_are_those_of_the_standard),
        cmocka_unit_test(tanh_and_sin_are_odd_and_cos_is_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
