/* The problem mnist1d: ten shapes on a line, the same in every place and run. */
#include "lab_learning.h"

#include <math.h>

enum { WIDTH = 40, CLASSES = 10, TRAINING = 3500, VALIDATION = 500, TEST = 1000 };

static void parts_have_their_sizes_and_are_balanced(void **state)
{
    (void)state;
    struct lab_instance instance = open_request("mnist1d", NULL, NULL);
    const struct lab_dataset *const data = instance.shared;
    const struct lab_part parts[] = {data->training, data->validation, data->test};
    static const size_t sizes[] = {TRAINING, VALIDATION, TEST};
    for (size_t p = 0; p < COUNT_OF(parts); ++p) {
        size_t counts[CLASSES] = {0};
        assert_int_equal(parts[p].count, sizes[p]);
        for (size_t i = 0; i < sizes[p]; ++i)
            ++counts[parts[p].labels[i]];
        for (size_t c = 0; c < CLASSES; ++c)
            assert_int_equal(counts[c], sizes[p] / CLASSES);
    }
    lab_instance_close(&instance);
}

/* A shape is at most 0.33 x 1.2 high, the shear adds 0.19 at an end, and noise beyond nine deviations does not occur:
 * the smoothed kind's is below 0.1 x 0.4, the other's 0.02. */
static void samples_are_shapes_in_noise(void **state)
{
    (void)state;
    struct lab_instance instance = open_request("mnist1d", NULL, NULL);
    const struct lab_part *const part = &((const struct lab_dataset *)instance.shared)->training;
    double most = 0.0, squares[CLASSES] = {0.0};
    for (size_t i = 0; i < part->count * WIDTH; ++i) {
        const double number = fabs((double)part->rows[i]);
        assert_true(number < 0.4 + 0.19 + 9.0 * (0.04 + 0.02));
        most = number > most ? number : most;
        squares[part->labels[i / WIDTH]] += number * number;
    }
    assert_true(most > 0.4);
    /* Two hills hold more than a valley beside a flat one, by nearly twice; the shear, which is of all alike, adds to
     * both. */
    assert_true(squares[3] > 1.1 * squares[9]);
    lab_instance_close(&instance);
}

/* Neither the seed of a run nor a second opening changes the data. */
static void the_data_are_always_the_same(void **state)
{
    (void)state;
    struct lab_instance first = open_request("mnist1d", NULL, NULL), second = open_request("mnist1d", NULL, NULL);
    assert_digest(0x29079d9777d6db23, first.data_hash);
    assert_true(first.data_hash == second.data_hash && first.shared != second.shared);
    lab_instance_close(&first);
    lab_instance_close(&second);
}

static void a_run_has_these_bits_on_every_machine(void **state)
{
    const rms_isa isa = isa_of_test(state);
    struct lab_instance instance = open_request("mnist1d", NULL, NULL);
    assert_digest(0x12f63db04b9130ad, digest_of_run(&instance, isa, 1, 20));
    lab_instance_close(&instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_have_their_sizes_and_are_balanced),
        cmocka_unit_test(samples_are_shapes_in_noise),
        cmocka_unit_test(the_data_are_always_the_same),
        PER_ISA(a_run_has_these_bits_on_every_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
