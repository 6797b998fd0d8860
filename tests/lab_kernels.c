/* The net's inner loops: every instruction set against a plain loop, bit for bit. */
#include "elementary.h"
#include "kernels.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct lab_kernels *kernels_of_test(void **state)
{
    const struct lab_kernels *const kernels = lab_kernels_for(isa_of_test(state));
    assert_non_null(kernels);
    return kernels;
}

/* One number in 16 is not tame: overflow, infinity, NaN, a subnormal, a zero with a sign. */
static float any_float(uint64_t *random)
{
    static const float wild[] = {3e38F, -3e38F, INFINITY, NAN, 1e-42F, -0.0F, 0.0F, 1e-30F};
    return random_below(random, 16) == 0 ? wild[random_below(random, COUNT_OF(wild))] : random_float(random);
}

/* One sum after the other, in rising depth. */
static void plain_product(size_t rows, size_t depth, size_t columns, struct lab_matrix a, const float *b, float *c)
{
    for (size_t i = 0; i < rows; ++i)
        for (size_t j = 0; j < columns; ++j)
            for (size_t k = 0; k < depth; ++k)
                c[i * columns + j] += a.values[i * a.row_step + k * a.column_step] * b[k * columns + j];
}

struct product {
    size_t rows, depth, columns;
    bool transposed; /* a lies column by column */
};

static void check_product(const struct lab_kernels *kernels, struct product p, bool wild, uint64_t *random)
{
    float *const a = floats_create(p.rows * p.depth);
    float *const b = floats_create(p.depth * p.columns);
    float *const expected = floats_create(p.rows * p.columns);
    struct guarded c = guarded_create(p.rows * p.columns * sizeof(float), 4);
    for (size_t i = 0; i < p.rows * p.depth; ++i)
        a[i] = wild ? any_float(random) : random_float(random);
    for (size_t i = 0; i < p.depth * p.columns; ++i)
        b[i] = wild ? any_float(random) : random_float(random);
    for (size_t i = 0; i < p.rows * p.columns; ++i)
        expected[i] = random_float(random);
    memcpy(c.data, expected, p.rows * p.columns * sizeof(float));

    const struct lab_matrix matrix = {a, p.transposed ? 1 : p.depth, p.transposed ? p.rows : 1};
    kernels->multiply_add(p.rows, p.depth, p.columns, matrix, b, c.data);
    plain_product(p.rows, p.depth, p.columns, matrix, b, expected);
    const size_t place = first_difference(c.data, expected, p.rows * p.columns);
    numbers_compared += p.rows * p.columns;
    if (place < p.rows * p.columns || guarded_breach(&c) != PTRDIFF_MAX)
        fail_msg("%zu x %zu x %zu: element %zu differs, or bytes beyond were written", p.rows, p.depth, p.columns,
                 place);
    guarded_destroy(&c);
    free(a);
    free(b);
    free(expected);
}

/* Rows about those of a tile, columns about those of a vector and two, depth about what the stack holds. */
static void a_product_is_that_of_a_plain_loop(void **state)
{
    static const size_t rows[] = {1, 3, 4, 7, 8, 9, 17};
    static const size_t depths[] = {1, 2, 5, 127, 128, 129, 257};
    static const size_t columns[] = {1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 50};
    const struct lab_kernels *const kernels = kernels_of_test(state);
    uint64_t random = 1;
    for (size_t r = 0; r < COUNT_OF(rows); ++r)
        for (size_t d = 0; d < COUNT_OF(depths); ++d)
            for (size_t c = 0; c < COUNT_OF(columns); ++c) {
                const struct product p = {rows[r], depths[d], columns[c], (r + d + c) % 2 == 1};
                check_product(kernels, p, (d + c) % 4 == 0, &random);
            }
    report_comparisons("products");
}

static void nothing_is_a_product_of_nothing(void **state)
{
    const struct lab_kernels *const kernels = kernels_of_test(state);
    const float b[6] = {3.0F, 4.0F};
    float c[2] = {1.5F, -0.0F};
    kernels->multiply_add(0, 3, 2, (struct lab_matrix){b, 3, 1}, b, c);
    kernels->multiply_add(1, 0, 2, (struct lab_matrix){b, 0, 1}, b, c);
    assert_true(bits_of(c[0]) == bits_of(1.5F) && bits_of(c[1]) == bits_of(-0.0F));
}

static void check_tanh(const struct lab_kernels *kernels, float *values, size_t count)
{
    float *const expected = floats_create(count);
    for (size_t i = 0; i < count; ++i)
        expected[i] = (float)lab_tanh((double)values[i]);
    kernels->tanh(values, count);
    const size_t place = first_difference(values, expected, count);
    numbers_compared += count;
    if (place < count)
        fail_msg("of %zu, number %zu: 0x%08x, not 0x%08x", count, place, bits_of(values[place]),
                 bits_of(expected[place]));
    free(expected);
}

/* All of some bits' patterns, so that every exponent and both signs come up; then where tanh takes other ways. */
static void tanh_has_the_bits_of_lab_tanh(void **state)
{
    static const float edges[] = {0.0F,   -0.0F, 0.625F,   0x1.3ffffep-1F, 22.0F, 0x1.600002p+4F, 9.0F,
                                  700.0F, 3e38F, INFINITY, -INFINITY,      NAN,   1e-45F,         -1e-40F};
    const struct lab_kernels *const kernels = kernels_of_test(state);
    enum { COUNT = 1024 };
    float values[COUNT];
    uint64_t random = 2;
    for (size_t round = 0; round < effort(200); ++round) {
        for (size_t i = 0; i < COUNT; ++i) {
            const uint32_t bits = (uint32_t)random_bits(&random);
            memcpy(&values[i], &bits, sizeof bits);
            if (i % 2 == 1) /* half of them where tanh is neither its argument nor 1 */
                values[i] = 12.0F * random_float(&random);
        }
        check_tanh(kernels, values, COUNT);
    }
    for (size_t count = 0; count <= COUNT_OF(edges); ++count) {
        memcpy(values, edges, count * sizeof *edges);
        check_tanh(kernels, values, count);
    }
    report_comparisons("tanh");
}

static void tanh_leaves_what_lies_behind(void **state)
{
    const struct lab_kernels *const kernels = kernels_of_test(state);
    for (size_t count = 0; count <= 40; ++count) {
        struct guarded values = guarded_create(count * sizeof(float), 4);
        memset(values.data, 0x3f, count * sizeof(float));
        kernels->tanh(values.data, count);
        assert_true(guarded_breach(&values) == PTRDIFF_MAX);
        guarded_destroy(&values);
    }
}

static void the_best_kernels_are_some_of_those_there_are(void **state)
{
    (void)state;
    const struct lab_kernels *const best = lab_kernels_best();
    bool found = false;
    for (size_t i = 0; i < isa_count; ++i) {
        assert_true((lab_kernels_for(isas[i]) != NULL) == rms_isa_supported(isas[i]));
        found = found || lab_kernels_for(isas[i]) == best;
    }
    assert_true(found);
    assert_null(lab_kernels_for(RMS_ISA_AUTO));
    if (rms_isa_supported(RMS_ISA_AVX512))
        assert_ptr_equal(best, lab_kernels_for(RMS_ISA_AVX512));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PER_ISA(a_product_is_that_of_a_plain_loop),
        PER_ISA(nothing_is_a_product_of_nothing),
        PER_ISA(tanh_has_the_bits_of_lab_tanh),
        PER_ISA(tanh_leaves_what_lies_behind),
        cmocka_unit_test(the_best_kernels_are_some_of_those_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
