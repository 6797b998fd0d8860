/* Philox against the published answers, and what is drawn from it against chance. All draws are fixed by
 * their counters, so that a test that passes passes always. */
#include "random.h"
#include "support.h"

#include <math.h>
#include <string.h>

/* Random123's tests/kat_vectors, philox4x32 with 10 rounds. */
static void philox_gives_the_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], answer[4];
    } vectors[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < COUNT_OF(vectors); ++i) {
        uint32_t output[4];
        lab_philox(vectors[i].counter, vectors[i].key, output);
        assert_memory_equal(output, vectors[i].answer, sizeof output);
    }
}

/* The mapping of (seed, stream, index) to key and counter, by the same vectors. */
static void bits_come_from_key_and_counter_as_documented(void **state)
{
    (void)state;
    assert_true(lab_random_bits(0, 0, 0) == 0xe169c58d6627e8d5);
    assert_true(lab_random_bits(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88) == 0x94fdccebd16cfe09);
}

/* Pearson's statistic of counts that should be equal: its mean is cells - 1, its variance twice that. */
static void assert_even(const size_t *counts, size_t cells, size_t draws, const char *what)
{
    const double expected = (double)draws / (double)cells;
    double statistic = 0.0;
    for (size_t i = 0; i < cells; ++i)
        statistic += ((double)counts[i] - expected) * ((double)counts[i] - expected) / expected;
    const double freedom = (double)(cells - 1);
    if (fabs(statistic - freedom) > 4.0 * sqrt(2.0 * freedom) + 4.0)
        fail_msg("%s: chi squared %g of %g degrees of freedom", what, statistic, freedom);
}

static void uniform_numbers_fill_the_unit_interval_evenly(void **state)
{
    (void)state;
    enum { CELLS = 64, DRAWS = 1 << 16 };
    size_t by_index[CELLS] = {0}, by_stream[CELLS] = {0}, by_seed[CELLS] = {0};
    for (size_t i = 0; i < DRAWS; ++i) {
        const double draws[] = {lab_random_uniform(7, 3, i), lab_random_uniform(7, i, 3), lab_random_uniform(i, 7, 3)};
        for (size_t k = 0; k < COUNT_OF(draws); ++k)
            assert_true(draws[k] >= 0.0 && draws[k] < 1.0);
        ++by_index[(size_t)(draws[0] * CELLS)];
        ++by_stream[(size_t)(draws[1] * CELLS)];
        ++by_seed[(size_t)(draws[2] * CELLS)];
    }
    assert_even(by_index, CELLS, DRAWS, "by index");
    assert_even(by_stream, CELLS, DRAWS, "by stream");
    assert_even(by_seed, CELLS, DRAWS, "by seed");
}

static void bounded_numbers_are_even_and_stay_below_the_bound(void **state)
{
    (void)state;
    static const uint64_t bounds[] = {1, 2, 3, 10, 17};
    enum { DRAWS = 30000 };
    for (size_t b = 0; b < COUNT_OF(bounds); ++b) {
        size_t counts[17] = {0};
        for (size_t i = 0; i < DRAWS; ++i) {
            const uint64_t draw = lab_random_below(11, b, i, bounds[b]);
            assert_true(draw < bounds[b]);
            ++counts[draw];
        }
        if (bounds[b] > 1)
            assert_even(counts, (size_t)bounds[b], DRAWS, "below");
    }
    for (size_t i = 0; i < 1000; ++i)
        assert_true(lab_random_below(1, 2, i, UINT64_C(1) << 32) == lab_random_bits(1, 2, i) >> 32);
}

/* Moments of 2^16 draws within 4.5 standard errors, sqrt(E x^2k - (E x^k)^2) / 2^8, and the tails' share within as many. */
static void normal_numbers_have_the_moments_and_tails_of_their_law(void **state)
{
    (void)state;
    enum { DRAWS = 1 << 16 };
    static const struct {
        double expected, deviation;
    } moments[] = {{0.0, 1.0}, {1.0, 1.4142}, {0.0, 3.8730}, {3.0, 9.7980}};
    static const double tails[] = {0.31731, 0.045500, 0.0026998}; /* beyond 1, 2 and 3 */
    double sums[COUNT_OF(moments)] = {0};
    size_t beyond[COUNT_OF(tails)] = {0};
    for (size_t i = 0; i < DRAWS; ++i) {
        const double x = lab_random_normal(i & 1, 3, i);
        assert_true(fabs(x) <= 8.6);
        double power = 1.0;
        for (size_t k = 0; k < COUNT_OF(sums); ++k)
            sums[k] += power *= x;
        for (size_t k = 0; k < COUNT_OF(tails); ++k)
            beyond[k] += fabs(x) > (double)(k + 1);
    }
    for (size_t k = 0; k < COUNT_OF(moments); ++k)
        if (fabs(sums[k] / DRAWS - moments[k].expected) > 4.5 * moments[k].deviation / 256)
            fail_msg("the mean of x^%zu is %g", k + 1, sums[k] / DRAWS);
    for (size_t k = 0; k < COUNT_OF(tails); ++k)
        if (fabs((double)beyond[k] / DRAWS - tails[k]) > 4.5 * sqrt(tails[k]) / 256)
            fail_msg("a share of %g lies beyond %zu", (double)beyond[k] / DRAWS, k + 1);
}

/* The formula in long double, from the bits that the cipher is known to give: the words of the zero vector. A relative
 * error of 2^-50 is that of a logarithm, a root, an angle and a cosine that is not small here. */
static void normal_numbers_are_box_and_mullers_of_one_counter(void **state)
{
    (void)state;
    const long double uniform = (long double)((0xe169c58d6627e8d5 >> 11) + 1) * 0x1p-53L;
    const long double turn = (long double)(0x9b00dbd8bc57ac4c >> 11) * 0x1p-53L;
    const long double expected = sqrtl(-2 * logl(uniform)) * cosl(6.28318530717958647692528676655900577L * turn);
    assert_true(fabsl((long double)lab_random_normal(0, 0, 0) - expected) <= 0x1p-50L * fabsl(expected));
}

static void a_permutation_holds_each_index_once(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 2, 3, 1257};
    for (size_t c = 0; c < COUNT_OF(counts); ++c) {
        uint32_t order[1257];
        bool seen[1257] = {false};
        lab_random_permutation(5, c, order, counts[c]);
        for (size_t i = 0; i < counts[c]; ++i) {
            assert_true(order[i] < counts[c]);
            assert_false(seen[order[i]]);
            seen[order[i]] = true;
        }
    }
}

static void all_permutations_are_equally_frequent(void **state)
{
    (void)state;
    enum { DRAWS = 24000 };
    size_t counts[64] = {0}, met[24];
    for (size_t stream = 0; stream < DRAWS; ++stream) {
        uint32_t order[4];
        lab_random_permutation(9, stream, order, 4);
        ++counts[order[0] * 16 + order[1] * 4 + order[2]];
    }
    size_t distinct = 0;
    for (size_t i = 0; i < COUNT_OF(counts); ++i)
        if (counts[i] > 0 && distinct < COUNT_OF(met))
            met[distinct++] = counts[i];
    assert_int_equal(distinct, 24);
    assert_even(met, 24, DRAWS, "permutations of 4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_known_answers),
        cmocka_unit_test(bits_come_from_key_and_counter_as_documented),
        cmocka_unit_test(uniform_numbers_fill_the_unit_interval_evenly),
        cmocka_unit_test(bounded_numbers_are_even_and_stay_below_the_bound),
        cmocka_unit_test(normal_numbers_have_the_moments_and_tails_of_their_law),
        cmocka_unit_test(normal_numbers_are_box_and_mullers_of_one_counter),
        cmocka_unit_test(a_permutation_holds_each_index_once),
        cmocka_unit_test(all_permutations_are_equally_frequent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
