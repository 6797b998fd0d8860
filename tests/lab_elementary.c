/* exp, log and tanh against the C library's in long double: the bounds that elementary.c derives. */
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

static double check_at(const struct sweep *sweep, double x)
{
    const double y = sweep->f(x);
    const double error = ulps(y, sweep->exact((long double)x));
    if (!(error <= bound))
        fail_msg("%s(%a) = %a is %g ulp off", sweep->name, x, y, error);
    return y;
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

static void limits_are_those_of_the_standard(void **state)
{
    (void)state;
    const double infinity = (double)INFINITY;
    const struct {
        function *f;
        double x, y;
    } limits[] = {
        {lab_exp, 0.0, 1.0},           {lab_exp, -0.0, 1.0},          {lab_exp, infinity, infinity},
        {lab_exp, -infinity, 0.0},     {lab_exp, 709.79, infinity},   {lab_exp, 1e300, infinity},
        {lab_exp, -745.14, 0.0},       {lab_exp, -745.13, 0x1p-1074}, {lab_exp, -1e300, 0.0},
        {lab_log, 1.0, 0.0},           {lab_log, 0.0, -infinity},     {lab_log, -0.0, -infinity},
        {lab_log, infinity, infinity}, {lab_tanh, 0.0, 0.0},          {lab_tanh, -0.0, -0.0},
        {lab_tanh, infinity, 1.0},     {lab_tanh, -infinity, -1.0},   {lab_tanh, 0x1p-1074, 0x1p-1074},
        {lab_tanh, 1e300, 1.0},        {lab_tanh, -1e300, -1.0},
    };
    for (size_t i = 0; i < COUNT_OF(limits); ++i)
        if (bits_of_double(limits[i].f(limits[i].x)) != bits_of_double(limits[i].y))
            fail_msg("row %zu: f(%a) = %a, not %a", i, limits[i].x, limits[i].f(limits[i].x), limits[i].y);

    const double nan = (double)NAN;
    assert_true(isnan(lab_exp(nan)) && isnan(lab_log(nan)) && isnan(lab_tanh(nan)));
    assert_true(isnan(lab_log(-1.0)) && isnan(lab_log(-infinity)) && isnan(lab_log(-0x1p-1074)));
}

static void tanh_is_odd(void **state)
{
    (void)state;
    uint64_t random = 2;
    for (size_t k = 0; k < effort(100000); ++k) {
        const double x = 8.0 * (double)random_float(&random);
        assert_true(lab_tanh(-x) == -lab_tanh(x));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_within_two_ulp_and_never_fall),
        cmocka_unit_test(functions_are_within_two_ulp_around_their_seams),
        cmocka_unit_test(log_is_within_two_ulp_in_every_octave),
        cmocka_unit_test(limits_are_those_of_the_standard),
        cmocka_unit_test(tanh_is_odd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
