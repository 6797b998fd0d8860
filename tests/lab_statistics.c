/* Medians and bootstrap intervals against what can be worked out by hand. */
#include "statistics.h"
#include "support.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define INF ((double)INFINITY)

static void medians_are_the_middle_or_the_mean_of_the_middle_two(void **state)
{
    (void)state;
    const struct {
        double values[6];
        size_t count;
        double median;
    } cases[] = {
        {{3.0}, 1, 3.0},
        {{3.0, 1.0}, 2, 2.0},
        {{9.0, -1.0, 4.0}, 3, 4.0},
        {{4.0, 1.0, 3.0, 2.0}, 4, 2.5},
        {{5.0, 5.0, 5.0, 1.0, 9.0}, 5, 5.0},
        {{DBL_MAX, DBL_MAX}, 2, DBL_MAX},
        {{1.0, INF, 2.0}, 3, 2.0},
        {{1.0, INF}, 2, INF},
        {{INF, 1.0, INF, 2.0}, 4, INF},
        {{INF, 1.0, 3.0, 2.0}, 4, 2.5},
        {{INF, INF, INF}, 3, INF},
        {{-INF, 1.0}, 2, -INF},
        {{-INF, INF}, 2, 0.0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        double values[6];
        memcpy(values, cases[i].values, sizeof values);
        assert_true(lab_median(values, cases[i].count) == cases[i].median);
        assert_memory_equal(values, cases[i].values, sizeof values);
        assert_true(lab_bootstrap_median(values, cases[i].count, 1).median == cases[i].median);
        assert_memory_equal(values, cases[i].values, sizeof values);
    }
}

static void nothing_has_no_median(void **state)
{
    (void)state;
    const struct lab_interval interval = lab_bootstrap_median(NULL, 0, 1);
    assert_true(isnan(lab_median(NULL, 0)));
    assert_true(isnan(interval.median) && isnan(interval.low) && isnan(interval.high));
}

/* Of n distinct values, n odd, a resample's median is at most the k-th (from 1) when more than half of its n
 * draws are: P(Binomial(n, k / n) > n / 2). */
static double share_up_to(int n, int k)
{
    const double p = (double)k / n;
    double share = 0.0;
    for (int hits = (n + 1) / 2; hits <= n; ++hits)
        share +=
            exp(lgamma(n + 1.0) - lgamma(hits + 1.0) - lgamma(n - hits + 1.0)) * pow(p, hits) * pow(1.0 - p, n - hits);
    return share;
}

/* The value that covers a share of the exact distribution; fails if 10,000 resamples could miss it: four
 * standard deviations of a share of 0.025 are 0.0063. */
static double exact_quantile(int n, double share)
{
    int k = 1;
    while (share_up_to(n, k) < share)
        ++k;
    assert_true(fabs(share_up_to(n, k) - share) > 0.0063);
    assert_true(k == 1 || fabs(share_up_to(n, k - 1) - share) > 0.0063);
    return k;
}

static void the_interval_is_that_of_the_exact_bootstrap_distribution(void **state)
{
    (void)state;
    static const int sizes[] = {3, 5, 7, 11, 13, 19, 29};
    for (size_t i = 0; i < COUNT_OF(sizes); ++i) {
        const int n = sizes[i];
        double values[29];
        for (int k = 0; k < n; ++k)
            values[k] = n - k;
        for (uint64_t seed = 0; seed < 5; ++seed) {
            const struct lab_interval interval = lab_bootstrap_median(values, (size_t)n, seed);
            assert_true(interval.low == exact_quantile(n, 0.025));
            assert_true(interval.high == exact_quantile(n, 0.975));
        }
    }
}

/* 4 of 10 runs missed the target: the median is a number, the upper end is not. */
static void an_interval_reaches_to_infinity_where_runs_missed(void **state)
{
    (void)state;
    const double steps[] = {40, 80, 80, 120, 160, 200, INF, INF, INF, INF};
    const struct lab_interval interval = lab_bootstrap_median(steps, COUNT_OF(steps), 3);
    assert_true(interval.median == 180.0);
    assert_true(interval.low >= 40.0 && interval.low <= 120.0);
    assert_true(interval.high == INF);
}

static void a_seed_gives_the_same_interval_whatever_the_order_of_values(void **state)
{
    (void)state;
    double rising[50], falling[50];
    for (size_t i = 0; i < 50; ++i)
        rising[i] = falling[49 - i] = sqrt((double)i);
    const struct lab_interval a = lab_bootstrap_median(rising, 50, 7);
    const struct lab_interval b = lab_bootstrap_median(falling, 50, 7);
    assert_memory_equal(&a, &b, sizeof a);
    assert_true(a.low < a.median && a.median < a.high);
}

/* Of n values of which half are 1, a resample has as many ones as n tosses of a coin have heads. For 10 tosses,
 * P(heads <= 1) = 0.0107 and P(heads <= 2) = 0.0547; for 16, P(heads <= 3) = 0.0106 and P(heads <= 4) = 0.0384: all
 * further from 0.025 than 10,000 resamples stray. */
static void the_interval_of_a_mean_is_that_of_tossed_coins(void **state)
{
    (void)state;
    static const struct {
        size_t count;
        double low, high;
    } cases[] = {{10, 0.2, 0.8}, {16, 0.25, 0.75}};
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        double values[16];
        for (size_t k = 0; k < cases[i].count; ++k)
            values[k] = (double)(k % 2);
        for (uint64_t seed = 0; seed < 5; ++seed) {
            const struct lab_mean mean = lab_bootstrap_mean(values, cases[i].count, seed);
            assert_true(mean.mean == 0.5);
            assert_true(mean.low == cases[i].low && mean.high == cases[i].high);
        }
    }
    const struct lab_mean nothing = lab_bootstrap_mean(NULL, 0, 1);
    assert_true(isnan(nothing.mean) && isnan(nothing.low) && isnan(nothing.high));
    const double lost[] = {1.0, INF};
    const struct lab_mean infinite = lab_bootstrap_mean(lost, COUNT_OF(lost), 1);
    assert_true(infinite.mean == INF && infinite.low == 1.0 && infinite.high == INF);
}

/* ---- The middle half */

static void the_middle_is_the_mean_of_what_is_left_without_a_quarter_at_either_end(void **state)
{
    (void)state;
    const struct {
        double values[8];
        size_t count;
        double middle;
    } cases[] = {
        {{3.0}, 1, 3.0},
        {{1.0, 4.0}, 2, 2.5},
        {{9.0, 0.0, 3.0}, 3, 4.0},
        {{-50.0, 1.0, 3.0, 90.0}, 4, 2.0},
        {{INF, 1.0, 2.0, 6.0, -INF}, 5, 3.0},
        {{8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, -90.0}, 8, 4.5},
        {{1.0, INF, INF, INF}, 4, INF},
        {{INF, -INF}, 2, 0.0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i)
        assert_true(lab_bootstrap_middle(cases[i].values, cases[i].count, 1).mean == cases[i].middle);
    assert_true(isnan(lab_bootstrap_middle(NULL, 0, 1).mean));
}

/* Of four values the middle half are two, whose mean is the median; so it is of each resample. */
static void the_interval_of_a_middle_of_four_is_that_of_the_median(void **state)
{
    (void)state;
    const double values[] = {1.0, 8.0, 2.0, 4.0};
    for (uint64_t seed = 0; seed < 5; ++seed) {
        const struct lab_interval median = lab_bootstrap_median(values, COUNT_OF(values), seed);
        const struct lab_mean middle = lab_bootstrap_middle(values, COUNT_OF(values), seed);
        assert_true(middle.mean == median.median && middle.low == median.low && middle.high == median.high);
    }
}

/* Four ones and four threes: drawn from each by itself there are always four of each, drawn together there are not. */
static void strata_are_drawn_from_by_themselves(void **state)
{
    (void)state;
    const double values[] = {1.0, 1.0, 1.0, 1.0, 3.0, 3.0, 3.0, 3.0};
    const size_t halves[] = {4, 0, 4}, whole[] = {8};
    const struct lab_mean apart = lab_bootstrap_strata(values, halves, COUNT_OF(halves), 1);
    assert_true(apart.mean == 2.0 && apart.low == 2.0 && apart.high == 2.0);
    const struct lab_mean together = lab_bootstrap_strata(values, whole, COUNT_OF(whole), 1);
    const struct lab_mean middle = lab_bootstrap_middle(values, COUNT_OF(values), 1);
    assert_memory_equal(&together, &middle, sizeof middle);
    assert_true(together.mean == 2.0 && together.low == 1.0 && together.high == 3.0);
    assert_true(isnan(lab_bootstrap_strata(values, halves, 0, 1).mean));
}

/* Of seven values one at either end is left out. The first problem gives zeros and ones, the second tens to thirties. */
static void strata_of_several_sizes_are_weighed_together(void **state)
{
    (void)state;
    const double values[] = {0.0, 0.0, 1.0, 1.0, 10.0, 20.0, 30.0};
    const size_t counts[] = {4, 3};
    const struct lab_mean mean = lab_bootstrap_strata(values, counts, COUNT_OF(counts), 1);
    assert_true(mean.mean == (0.0 + 1.0 + 1.0 + 10.0 + 20.0) / 5.0);
    assert_true(mean.low >= (0.0 + 0.0 + 0.0 + 10.0 + 10.0) / 5.0 && mean.low < mean.mean);
    assert_true(mean.high <= (1.0 + 1.0 + 1.0 + 30.0 + 30.0) / 5.0 && mean.high > mean.mean);
    const double shuffled[] = {1.0, 0.0, 1.0, 0.0, 30.0, 10.0, 20.0};
    const struct lab_mean same = lab_bootstrap_strata(shuffled, counts, COUNT_OF(counts), 1);
    assert_memory_equal(&same, &mean, sizeof mean);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians_are_the_middle_or_the_mean_of_the_middle_two),
        cmocka_unit_test(nothing_has_no_median),
        cmocka_unit_test(the_interval_is_that_of_the_exact_bootstrap_distribution),
        cmocka_unit_test(an_interval_reaches_to_infinity_where_runs_missed),
        cmocka_unit_test(a_seed_gives_the_same_interval_whatever_the_order_of_values),
        cmocka_unit_test(the_interval_of_a_mean_is_that_of_tossed_coins),
        cmocka_unit_test(the_middle_is_the_mean_of_what_is_left_without_a_quarter_at_either_end),
        cmocka_unit_test(the_interval_of_a_middle_of_four_is_that_of_the_median),
        cmocka_unit_test(strata_are_drawn_from_by_themselves),
        cmocka_unit_test(strata_of_several_sizes_are_weighed_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
