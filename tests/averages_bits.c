/* Averages of parameters: what they are is storage_bits' and rows_bits' business; here they change places with the
 * parameters, and everything comes back bit for bit. */
#include "storage_reference.h"

#include "oracle_codec.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t add_number(rms_optimizer *optimizer, const char *name, rms_dtype dtype, size_t count, void *param,
                         const void *grad)
{
    const rms_tensor tensor = {.name = name, .count = count, .param = param, .grad = grad, .dtype = dtype};
    assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
    return rms_tensor_count(optimizer) - 1;
}

static void swap(rms_optimizer *optimizer, bool in)
{
    assert_ok(rms_swap_averages(optimizer), rms_message(optimizer));
    assert_int_equal(rms_averages_in(optimizer), in);
}

/* ---- All that a tensor consists of, as bytes */

struct image {
    size_t bytes;
    unsigned char *data;
};

static void append(struct image *image, const void *data, size_t bytes)
{
    image->data = realloc(image->data, image->bytes + bytes + 1);
    assert_non_null(image->data);
    if (bytes > 0)
        memcpy(image->data + image->bytes, data, bytes);
    image->bytes += bytes;
}

static struct image image_of(rms_optimizer *optimizer, rms_rule rule)
{
    struct image image = {0};
    for (size_t t = 0; t < rms_tensor_count(optimizer); ++t) {
        rms_tensor tensor;
        uint64_t steps;
        assert_ok(rms_tensor_at(optimizer, t, &tensor), rms_message(optimizer));
        assert_ok(rms_get_steps(optimizer, t, &steps), rms_message(optimizer));
        append(&image, &steps, sizeof steps);
        append(&image, tensor.param, tensor.count * rms_dtype_size(tensor.dtype));
        for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot) {
            const char *const name = rms_slot_name(rule, slot);
            const void *const state = name ? rms_state(optimizer, t, name) : NULL;
            if (state)
                append(&image, state, rms_state_size(optimizer, t, name));
        }
    }
    return image;
}

static void assert_same_image(struct image *a, struct image *b)
{
    assert_int_equal(a->bytes, b->bytes);
    assert_memory_equal(a->data, b->data, a->bytes);
    numbers_compared += a->bytes;
    free(a->data);
    free(b->data);
}

/* ---- In and out */

/* Averages that are hard to put into 16 bits: ties, overflow, zeros of both signs, subnormals, infinity, NaN. */
static void plant(void *average, rms_dtype dtype)
{
    static const uint32_t codes[] = {0x3f808000, 0x3f818000, 0xbf808000, 0x7f7fffff, 0xff7fffff, 0x7f7f7fff,
                                     0x80000000, 0x00000000, 0x00000001, 0x80008000, 0x00007fff, 0x007fffff,
                                     0x7f800000, 0xff800000, 0x7fc12345, 0xffc00001};
    for (size_t i = 0; i < COUNT_OF(codes); ++i) {
        float value;
        memcpy(&value, &codes[i], sizeof value);
        if (dtype == RMS_F64)
            ((double *)average)[i] = (double)value;
        else
            memcpy((float *)average + i, &value, sizeof value);
    }
}

/* What the average looks like in the parameter's place. */
static uint16_t shown(rms_dtype dtype, rms_master master, float average)
{
    uint16_t remainder;
    return master == RMS_MASTER_F32 ? oracle_encode(dtype, average) : oracle_split(average, &remainder);
}

static void assert_shown(rms_dtype dtype, const rms_options *options, const void *param, const void *average,
                         size_t count)
{
    uint16_t *const expected = bytes_create(count * sizeof *expected);
    const bool is_short = dtype == RMS_F16 || dtype == RMS_BF16;
    for (size_t i = 0; is_short && i < count; ++i)
        expected[i] = shown(dtype, options->master, ((const float *)average)[i]);
    assert_same_numbers(dtype, param, is_short ? expected : average, count, "averages in", options);
    free(expected);
}

static void check_swap(const rms_options *options, rms_dtype dtype, size_t count, uint64_t seed)
{
    struct numbers param = numbers_create(dtype, count, 3), late = numbers_create(dtype, count, 5);
    struct numbers grad = numbers_create(dtype, count, 1);
    fill_parameters_of(dtype, param.at, count, seed);
    fill_parameters_of(dtype, late.at, count, seed + 1);
    rms_optimizer *optimizer = create_optimizer(options);
    add_number(optimizer, "w", dtype, count, param.at, grad.at);
    for (uint64_t step = 0; step < 3; ++step) {
        fill_gradients_of(dtype, grad.at, count, seed | 1, step);
        assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    }
    add_number(optimizer, "late", dtype, count, late.at, grad.at);
    void *const average = rms_state(optimizer, 0, "average");
    if (count >= 100)
        plant(average, dtype);
    const size_t bytes = rms_state_size(optimizer, 0, "average");
    void *const kept = bytes_create(bytes);
    if (count > 0)
        memcpy(kept, average, bytes);
    void *const unmoved = bytes_create(count * rms_dtype_size(dtype));
    if (count > 0)
        memcpy(unmoved, late.at, count * rms_dtype_size(dtype));

    struct image before = image_of(optimizer, options->rule);
    swap(optimizer, true);
    assert_shown(dtype, options, param.at, kept, count);
    assert_same_numbers(dtype, late.at, unmoved, count, "never stepped", options);
    swap(optimizer, false);
    struct image after = image_of(optimizer, options->rule);
    assert_same_image(&before, &after);
    rms_free(optimizer);
    free(kept);
    free(unmoved);
    numbers_destroy(&param);
    numbers_destroy(&late);
    numbers_destroy(&grad);
}

static void averages_are_shown_and_everything_comes_back(void **state)
{
    static const size_t counts[] = {0, 1, 100, 1023, 1024, 1025, 2500};
    const rms_isa isa = isa_of_test(state);
    uint64_t seed = 61;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
        for (rms_master master = RMS_MASTER_F32; master <= RMS_MASTER_NONE; ++master)
            for (rms_dtype dtype = RMS_F32; dtype <= RMS_BF16; ++dtype)
                for (size_t i = 0; i < COUNT_OF(counts); ++i) {
                    rms_options options = storage_options(&seed, rule, master, 0.9);
                    options.isa = isa;
                    if (rms_state_bytes(&options, dtype, 1) != SIZE_MAX)
                        check_swap(&options, dtype, counts[i], random_bits(&seed));
                }
    report_comparisons(rms_isa_name(isa));
}

/* ---- Swapping after every step leaves no trace in the run. */

static void a_run_with_looks_at_the_averages_is_the_run_without(void **state)
{
    (void)state;
    enum { COUNT = 1100, RUNS = 2 };
    uint64_t seed = 62;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
        for (rms_master master = RMS_MASTER_F32; master <= RMS_MASTER_NONE; ++master) {
            const rms_options options = storage_options(&seed, rule, master, 0.99);
            static uint16_t param[RUNS][COUNT], grad[COUNT];
            static double wide[RUNS][COUNT], wide_grad[COUNT];
            rms_optimizer *optimizers[RUNS];
            for (size_t i = 0; i < RUNS; ++i) {
                fill_parameters_of(RMS_BF16, param[i], COUNT, 6);
                fill_parameters_of(RMS_F64, wide[i], COUNT, 6);
                optimizers[i] = create_optimizer(&options);
                add_number(optimizers[i], "brain", RMS_BF16, COUNT, param[i], grad);
                add_number(optimizers[i], "wide", RMS_F64, COUNT, wide[i], wide_grad);
            }
            for (uint64_t step = 0; step < 5; ++step) {
                fill_gradients_of(RMS_BF16, grad, COUNT, 7, step);
                fill_gradients_of(RMS_F64, wide_grad, COUNT, 7, step);
                for (size_t i = 0; i < RUNS; ++i)
                    assert_ok(rms_step(optimizers[i], NULL), rms_message(optimizers[i]));
                swap(optimizers[0], true);
                swap(optimizers[0], false);
            }
            struct image looked = image_of(optimizers[0], rule), plain = image_of(optimizers[1], rule);
            assert_same_image(&looked, &plain);
            rms_free(optimizers[0]);
            rms_free(optimizers[1]);
        }
    report_comparisons("runs");
}

/* ---- While they are in */

static void what_would_mix_them_up_is_refused(void **state)
{
    (void)state;
    float param[3] = {1, 2, 3}, other[3] = {1, 2, 3};
    const float grad[3] = {1, -1, 1};
    rms_options options = rms_options_for(RMS_RMSPROP);
    options.average_decay = 0.5;
    rms_optimizer *optimizer = create_optimizer(&options);
    add_tensor(optimizer, "w", param, grad, 3);
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    struct image out = image_of(optimizer, RMS_RMSPROP);
    swap(optimizer, true);
    struct image in = image_of(optimizer, RMS_RMSPROP);
    const rms_tensor late = {.name = "late", .count = 3, .param = other, .grad = grad};
    const struct {
        const char *verb;
        rms_status status;
    } refused[] = {{"step", rms_step(optimizer, NULL)},
                   {"step", rms_step_rows(optimizer, NULL, 0, NULL)},
                   {"reset", rms_reset(optimizer)},
                   {"add a tensor", rms_add(optimizer, &late)},
                   {"rebind a tensor", rms_rebind(optimizer, 0, other, grad)},
                   {"set steps", rms_set_steps(optimizer, 0, 7)}};
    for (size_t i = 0; i < COUNT_OF(refused); ++i)
        assert_status(RMS_ERROR_ARGUMENT, refused[i].status, refused[i].verb);
    assert_status(RMS_ERROR_ARGUMENT, rms_step(optimizer, NULL), "step");
    assert_string_equal(rms_message(optimizer), "cannot step while the averages are in the parameters' place; call "
                                                "rms_swap_averages once more first");
    struct image still_in = image_of(optimizer, RMS_RMSPROP);
    assert_same_image(&in, &still_in);
    double decay;
    size_t group;
    assert_ok(rms_set(optimizer, 0, "average_decay", 0.25), rms_message(optimizer));
    assert_ok(rms_get(optimizer, 0, "average_decay", &decay), rms_message(optimizer));
    assert_ok(rms_add_group(optimizer, &group), rms_message(optimizer));
    swap(optimizer, false);
    struct image back = image_of(optimizer, RMS_RMSPROP);
    assert_same_image(&out, &back);
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    rms_free(optimizer);
    numbers_compared = 0;
}

static void an_object_without_averages_can_swap_nothing(void **state)
{
    (void)state;
    float param = 1;
    const float grad = 1;
    const rms_options options = rms_options_for(RMS_SGD);
    assert_false(rms_averages_in(NULL));
    assert_status(RMS_ERROR_ARGUMENT, rms_swap_averages(NULL), "no object");
    rms_optimizer *optimizer = create_optimizer(&options);
    add_tensor(optimizer, "w", &param, &grad, 1);
    swap(optimizer, true);
    assert_true(param == 1);
    swap(optimizer, false);
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    rms_free(optimizer);
}

/* ---- Where they start, and how they go on */

static void the_first_average_is_the_parameter_even_a_negative_zero(void **state)
{
    (void)state;
    float param[2] = {-0.0F, 1};
    const float grad[2] = {0, 0};
    rms_options options = rms_options_for(RMS_SGD);
    options.average_decay = 0.5;
    rms_optimizer *optimizer = create_optimizer(&options);
    add_tensor(optimizer, "w", param, grad, 2);
    float *const average = rms_state(optimizer, 0, "average");
    average[1] = INFINITY; /* of a former life, and no matter */
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    assert_int_equal(bits_of(average[0]), bits_of(-0.0F));
    assert_true(average[1] == 1);
    rms_free(optimizer);
}

/* A row that the first lazy steps leave alone has its parameters for an average, not zeros; those that it had at the
 * first step, although the caller wrote them after rms_add. */
static void rows_that_lazy_steps_leave_alone_average_to_themselves(void **state)
{
    (void)state;
    enum { ROWS = 40, WIDTH = 50, COUNT = ROWS * WIDTH };
    for (rms_dtype dtype = RMS_F32; dtype <= RMS_BF16; ++dtype) {
        struct numbers param = numbers_create(dtype, COUNT, 0), values = numbers_create(dtype, WIDTH, 0);
        struct numbers before = numbers_create(dtype, COUNT, 0);
        memset(param.at, 0, COUNT * rms_dtype_size(dtype));
        rms_options options = rms_options_for(RMS_RMSPROP);
        options.average_decay = 0.5;
        rms_optimizer *optimizer = create_optimizer(&options);
        add_number(optimizer, "table", dtype, COUNT, param.at, NULL);
        fill_parameters_of(dtype, param.at, COUNT, 8);
        fill_parameters_of(dtype, before.at, COUNT, 8);
        fill_gradients_of(dtype, values.at, WIDTH, 1, 1);
        if (dtype == RMS_F16 || dtype == RMS_BF16)
            assert_ok(rms_reset(optimizer), rms_message(optimizer)); /* the master, too */
        const size_t kept = (size_t)30 * WIDTH;
        for (int64_t row = 30; row < 35; ++row) {
            const rms_rows rows = {0, WIDTH, 1, &row, values.at, RMS_ROWS_LAZY, {0}};
            assert_ok(rms_step_rows(optimizer, &rows, 1, NULL), rms_message(optimizer));
        }
        swap(optimizer, true);
        assert_same_numbers(dtype, param.at, before.at, kept, rms_dtype_name(dtype), &options);
        rms_free(optimizer);
        numbers_destroy(&param);
        numbers_destroy(&before);
        numbers_destroy(&values);
    }
    report_comparisons("rows left alone");
}

static void average_decay_may_change_on_the_way(void **state)
{
    (void)state;
    enum { COUNT = 1300 };
    static const double decays[] = {0.9, 0.5, 0.999, 0x1p-30};
    for (rms_dtype dtype = RMS_F32; dtype <= RMS_BF16; ++dtype) {
        struct numbers param = numbers_create(dtype, COUNT, 0), grad = numbers_create(dtype, COUNT, 0);
        rms_options options = rms_options_for(RMS_ADAM);
        options.average_decay = 0.1;
        fill_parameters_of(dtype, param.at, COUNT, 9);
        rms_optimizer *optimizer = create_optimizer(&options);
        add_number(optimizer, "w", dtype, COUNT, param.at, grad.at);
        struct reference *reference = reference_create("w", dtype, &options, COUNT, param.at);
        for (uint64_t step = 0; step < COUNT_OF(decays); ++step) {
            options.average_decay = decays[step];
            assert_ok(rms_set(optimizer, 0, "average_decay", decays[step]), rms_message(optimizer));
            fill_gradients_of(dtype, grad.at, COUNT, 1, step);
            reference_set_gradient(reference, grad.at);
            reference_step(&reference, 1, &options);
            assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
            assert_same_tensor(optimizer, 0, param.at, reference, "decay changed");
        }
        reference_destroy(reference);
        rms_free(optimizer);
        numbers_destroy(&param);
        numbers_destroy(&grad);
    }
    report_comparisons("changed decays");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PER_ISA(averages_are_shown_and_everything_comes_back),
        cmocka_unit_test(a_run_with_looks_at_the_averages_is_the_run_without),
        cmocka_unit_test(what_would_mix_them_up_is_refused),
        cmocka_unit_test(an_object_without_averages_can_swap_nothing),
        cmocka_unit_test(the_first_average_is_the_parameter_even_a_negative_zero),
        cmocka_unit_test(rows_that_lazy_steps_leave_alone_average_to_themselves),
        cmocka_unit_test(average_decay_may_change_on_the_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
