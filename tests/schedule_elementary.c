/* The library's own exp, power and sine against the C library's in long double: within the errors that docs/math.md
 * states, exact where the true value is a double that is close at hand, and never the wrong way round. */
#include "../src/rules/elementary.h"
#include "support.h"

#include <float.h>
#include <math.h>

/* Where long double is no wider than double, the reference is itself up to 1 ulp off. */
static const double REFERENCE = LDBL_MANT_DIG > DBL_MANT_DIG ? 0.01 : 1.0;

static const long double HALF_PI = 1.5707963267948966192313216916397514L;

/* |y - exact| in units of the last place of a double at exact. */
static double ulps(double y, long double exact)
{
    const double nearest = (double)exact;
    const double unit = nextafter(fabs(nearest), (double)INFINITY) - fabs(nearest);
    return (double)fabsl(((long double)y - exact) / (long double)unit);
}

/* [0, 1), a multiple of 2^-53. */
static double random_share(uint64_t *random)
{
    return (double)(random_bits(random) >> 11) * 0x1p-53;
}

static double exp_of(double x)
{
    return elementary_exp((struct two_parts){x, 0});
}

static void exp_is_within_one_ulp(void **state)
{
    (void)state;
    static const double ranges[][2] = {{-0.35, 0.35}, {-2.0, 2.0}, {-40.0, 0.0}, {-745.0, 709.7}};
    uint64_t random = 1;
    for (size_t i = 0; i < COUNT_OF(ranges); ++i) {
        double worst = 0;
        for (size_t k = 0; k < effort(500000); ++k) {
            const double x = ranges[i][0] + (ranges[i][1] - ranges[i][0]) * random_share(&random);
            worst = fmax(worst, ulps(exp_of(x), expl((long double)x)));
        }
        print_message("exp, %g to %g: %.3f ulp at worst\n", ranges[i][0], ranges[i][1], worst);
        assert_true(worst < 1.0 + REFERENCE);
    }
}

static void limits_of_exp_are_those_of_the_standard(void **state)
{
    (void)state;
    const double infinity = (double)INFINITY;
    const double limits[][2] = {{0.0, 1.0},         {-0.0, 1.0},    {infinity, infinity}, {-infinity, 0.0},
                                {709.79, infinity}, {-745.14, 0.0}, {-745.13, 0x1p-1074}, {1e300, infinity},
                                {-1e300, 0.0},      {0x1p-60, 1.0}, {-0x1p-1074, 1.0}};
    for (size_t i = 0; i < COUNT_OF(limits); ++i)
        if (exp_of(limits[i][0]) != limits[i][1])
            fail_msg("exp(%a) = %a, not %a", limits[i][0], exp_of(limits[i][0]), limits[i][1]);
    assert_true(isnan(exp_of((double)NAN)));
}

/* A base between 2^-1074 and 2, near 1 in half of the cases. */
static double random_base(uint64_t *random)
{
    const double share = random_share(random);
    const int exponent = random_below(random, 2) ? 0 : -(int)random_below(random, 1074);
    return random_below(random, 2) ? 1.0 - ldexp(share, -(int)random_below(random, 40))
                                   : fmax(ldexp(1.0 + share, exponent), 0x1p-1074);
}

/* One sweep for each size of the result's logarithm, up to the smallest normal number. */
static void power_is_within_one_ulp_and_what_its_logarithm_adds(void **state)
{
    (void)state;
    static const double sizes[] = {1.0, 10.0, 40.0, 200.0, 700.0};
    uint64_t random = 2;
    for (size_t i = 0; i < COUNT_OF(sizes); ++i) {
        double worst = 0;
        for (size_t k = 0; k < effort(500000); ++k) {
            const double base = random_base(&random);
            const double logarithm = log(base);
            const double exponent = sizes[i] * random_share(&random) / fabs(logarithm);
            if (!(exponent < 0x1p64))
                continue;
            const double error = ulps(elementary_power(base, exponent), powl((long double)base, (long double)exponent));
            const double bound = 1.0 + 0.1 * exponent * fabs(logarithm) + REFERENCE;
            if (!(error <= bound))
                fail_msg("%a to the power of %a is %g ulp off, above %g", base, exponent, error, bound);
            worst = fmax(worst, error);
        }
        print_message("power, logarithm up to %g: %.3f ulp at worst\n", sizes[i], worst);
    }
}

static void power_is_exact_where_the_result_is_at_hand(void **state)
{
    (void)state;
    uint64_t random = 3;
    for (size_t k = 0; k < effort(200000); ++k) {
        const double base = random_base(&random);
        const double exponent = (double)random_below(&random, 1000);
        if (elementary_power(base, 1.0) != base || elementary_power(base, 0.0) != 1.0)
            fail_msg("%a to the power of 1 is %a, of 0 %a", base, elementary_power(base, 1.0),
                     elementary_power(base, 0.0));
        assert_true(elementary_power(0.5, exponent) == ldexp(1.0, -(int)exponent));
        assert_true(elementary_power(1.0, exponent * 0x1p50) == 1.0);
    }
    assert_true(elementary_power(0.0, 0.0) == 1.0 && elementary_power(0.0, 1.0) == 0.0);
    assert_true(elementary_power(0.5, 1080.0) == 0.0 && elementary_power(0.25, 0x1p64) == 0.0);
}

static void sine_is_within_two_ulp(void **state)
{
    (void)state;
    uint64_t random = 4;
    double worst = 0;
    for (size_t k = 0; k < effort(1000000); ++k) {
        const double turns = ldexp(random_share(&random), -1 - (int)random_below(&random, 30));
        worst = fmax(worst, ulps(elementary_sine_of_quarter_turns(turns), sinl((long double)turns * HALF_PI)));
    }
    print_message("sine: %.3f ulp at worst\n", worst);
    assert_true(worst < 2.0 + REFERENCE);
    assert_true(elementary_sine_of_quarter_turns(0.0) == 0.0);
}

/* Neighbouring doubles, also where exp changes its power of two. */
static void functions_never_go_the_wrong_way(void **state)
{
    (void)state;
    uint64_t random = 5;
    for (size_t k = 0; k < effort(100000); ++k) {
        const double seam = ((double)random_below(&random, 1000) + 0.5) * 0.6931471805599453;
        const double base = random_base(&random);
        const double logarithm = fabs(log(base));
        double x = seam;
        double exponent = (k % 2 ? seam : 40.0 * random_share(&random)) / (logarithm > 0 ? logarithm : 1.0);
        double turns = 0.5 * random_share(&random);
        for (int i = 0; i < 20; ++i) {
            const double next_x = nextafter(x, (double)INFINITY);
            const double next_exponent = nextafter(exponent, (double)INFINITY);
            const double next_turns = nextafter(turns, 0.5);
            assert_true(exp_of(-next_x) <= exp_of(-x));
            assert_true(exp_of(next_x) >= exp_of(x));
            if (base < 1 && next_exponent < 0x1p64)
                assert_true(elementary_power(base, next_exponent) <= elementary_power(base, exponent));
            assert_true(elementary_sine_of_quarter_turns(next_turns) >= elementary_sine_of_quarter_turns(turns));
            x = next_x;
            exponent = next_exponent;
            turns = next_turns;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_is_within_one_ulp),
        cmocka_unit_test(limits_of_exp_are_those_of_the_standard),
        cmocka_unit_test(power_is_within_one_ulp_and_what_its_logarithm_adds),
        cmocka_unit_test(power_is_exact_where_the_result_is_at_hand),
        cmocka_unit_test(sine_is_within_two_ulp),
        cmocka_unit_test(functions_never_go_the_wrong_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
