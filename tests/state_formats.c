/* State in fewer bits: which rules and tensors take it, how large it is, what is read from it and written to it, and what
 * it must not do: move a parameter without gradient, let squares become 0, or change the step that it is kept after. */
#include "oracle.h"
#include "oracle_state.h"
#include "storage_reference.h"

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

/* ---- Who takes it */

static void assert_refused(rms_rule rule, const char *assignments, const char *slot, const char *reason)
{
    for (rms_state_format format = RMS_STATE_16_BIT; format <= RMS_STATE_8_BIT; ++format) {
        rms_options options = rms_options_for(rule);
        rms_error error;
        rms_optimizer *optimizer = NULL;
        set_options(&options, assignments);
        assert_ok(rms_options_check(&options, &error), error.message);
        options.state_format = format;
        assert_status(RMS_ERROR_RANGE, rms_options_check(&options, &error), error.message);
        assert_contains(error.message, rms_state_format_name(format));
        assert_contains(error.message, slot);
        assert_contains(error.message, reason);
        assert_status(RMS_ERROR_RANGE, rms_create(&optimizer, &options, &error), error.message);
        assert_int_equal(rms_slots_kept(&options, RMS_F32), 0);
        assert_int_equal(rms_slot_bytes(&options, RMS_F32, 0, 1), 0);
        assert_int_equal(rms_state_bytes(&options, RMS_F32, 1), SIZE_MAX);
    }
}

static void what_cannot_be_right_is_refused_with_the_reason(void **state)
{
    (void)state;
    assert_refused(RMS_RMSPROP, "centered=true", "mean of rmsprop with centered", "v - mean^2");
    assert_refused(RMS_RMSPROP, "centered=true momentum=0.9", "mean of rmsprop with centered", "v - mean^2");
    assert_refused(RMS_ADAM, "amsgrad=true", "v_max of adam with amsgrad", "maximum");
    assert_refused(RMS_ADAMAX, "", "largest of adamax", "maximum");
    assert_refused(RMS_RPROP, "", "previous of rprop", "does not even out");
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
        for (rms_state_format format = RMS_STATE_FULL; format <= RMS_STATE_8_BIT; ++format)
            assert_int_equal(takes_state_format(rule, format),
                             format == RMS_STATE_FULL || (rule != RMS_ADAMAX && rule != RMS_RPROP));
}

static void doubles_are_refused(void **state)
{
    (void)state;
    double param = 0, grad = 0;
    void *slots[RMS_SLOTS_MAX] = {&param};
    rms_options options = rms_options_for(RMS_RMSPROP);
    options.state_format = RMS_STATE_8_BIT;
    rms_optimizer *optimizer = create_optimizer(&options);
    const rms_tensor tensor = {.name = "wide", .count = 1, .param = &param, .grad = &grad, .dtype = RMS_F64};
    assert_status(RMS_ERROR_UNSUPPORTED, rms_add(optimizer, &tensor), rms_message(optimizer));
    assert_contains(rms_message(optimizer), "\"wide\": dtype f64 with state_format = 8-bit");
    rms_error error;
    assert_status(RMS_ERROR_UNSUPPORTED, rms_apply(&options, RMS_F64, 1, 1, &param, &grad, slots, NULL, &error),
                  error.message);
    assert_int_equal(rms_slots_kept(&options, RMS_F64), 0);
    assert_int_equal(rms_state_bytes(&options, RMS_F64, 1), SIZE_MAX);
    assert_int_equal(rms_slot_bytes(&options, RMS_F64, 0, 1), 0);
    rms_free(optimizer);
}

static void the_format_is_fixed_where_there_are_tensors(void **state)
{
    (void)state;
    float param = 0, grad = 0;
    const rms_options options = rms_options_for(RMS_RMSPROP);
    rms_optimizer *optimizer = create_optimizer(&options);
    size_t group;
    assert_ok(rms_add_group(optimizer, &group), rms_message(optimizer));
    assert_ok(rms_set(optimizer, 0, "state_format", RMS_STATE_8_BIT), rms_message(optimizer));
    add_tensor(optimizer, "w", &param, &grad, 1);
    assert_status(RMS_ERROR_ARGUMENT, rms_set(optimizer, 0, "state_format", RMS_STATE_16_BIT), rms_message(optimizer));
    assert_contains(rms_message(optimizer), "would change which state is kept");
    assert_status(RMS_ERROR_RANGE, rms_set(optimizer, 0, "centered", 1), rms_message(optimizer));
    assert_ok(rms_set(optimizer, group, "state_format", RMS_STATE_16_BIT), rms_message(optimizer));
    double value;
    assert_ok(rms_get(optimizer, 0, "state_format", &value), rms_message(optimizer));
    assert_true(value == RMS_STATE_8_BIT);
    assert_int_equal(rms_state_size(optimizer, 0, "v"), 65);
    rms_free(optimizer);
}

/* ---- How large it is */

static void sizes_are_a_half_and_a_quarter(void **state)
{
    static const size_t counts[] = {1, 63, 64, 65, 127, 128, 1000, 65536, 65537};
    (void)state;
    rms_options options = rms_options_for(RMS_ADAM);
    options.average_decay = 0.9;
    for (size_t i = 0; i < COUNT_OF(counts); ++i) {
        const size_t n = counts[i], blocks = (n + 63) / 64, average = (4 * n + 63) / 64 * 64;
        options.state_format = RMS_STATE_16_BIT;
        assert_int_equal(rms_slot_bytes(&options, RMS_F32, 0, n), 2 * n);
        assert_int_equal(rms_slot_bytes(&options, RMS_F32, RMS_SLOT_AVERAGE, n), 4 * n);
        assert_int_equal(rms_state_bytes(&options, RMS_F32, n), 2 * ((2 * n + 63) / 64 * 64) + average);
        options.state_format = RMS_STATE_8_BIT;
        assert_int_equal(rms_slot_bytes(&options, RMS_BF16, 1, n), 65 * blocks);
        assert_int_equal(rms_slot_bytes(&options, RMS_BF16, RMS_SLOT_MASTER, n), 4 * n);
        assert_int_equal(rms_state_bytes(&options, RMS_F32, n), 2 * ((65 * blocks + 63) / 64 * 64) + average);
    }
    assert_int_equal(rms_slot_bytes(&options, RMS_F32, 0, 0), 0);
    assert_int_equal(rms_state_bytes(&options, RMS_F32, 0), 0);
    options.average_decay = 0;
    assert_int_equal(rms_slot_bytes(&options, RMS_F32, 0, SIZE_MAX), 0);
    assert_int_equal(rms_state_bytes(&options, RMS_F32, SIZE_MAX), SIZE_MAX);
    assert_int_equal(rms_state_bytes(&options, RMS_F32, PTRDIFF_MAX / 2), SIZE_MAX);
    assert_true(rms_state_bytes(&options, RMS_F32, PTRDIFF_MAX / 4) < SIZE_MAX);
}

/* ---- Reading and writing */

enum { COUNT = 2500 };

struct model {
    rms_options options;
    struct numbers param, grad;
    rms_optimizer *optimizer;
};

static struct model model_create(const rms_options *options, rms_dtype dtype, uint64_t seed)
{
    struct model model = {.options = *options};
    model.param = numbers_create(dtype, COUNT, 1);
    model.grad = numbers_create(dtype, COUNT, 2);
    fill_parameters_of(dtype, model.param.at, COUNT, seed);
    model.optimizer = create_optimizer(options);
    add_number(model.optimizer, "w", dtype, COUNT, model.param.at, model.grad.at);
    return model;
}

static void model_step(struct model *model, rms_dtype dtype, uint64_t seed, uint64_t step)
{
    fill_gradients_of(dtype, model->grad.at, COUNT, seed | 1, step);
    const rms_status status = rms_step(model->optimizer, NULL);
    assert_true(status == RMS_OK || status == RMS_SKIPPED_NONFINITE);
}

static void model_destroy(struct model *model)
{
    rms_free(model->optimizer);
    numbers_destroy(&model->param);
    numbers_destroy(&model->grad);
}

static size_t scales_at(void)
{
    return (COUNT + 63) / 64 * 64;
}

/* Numbers that were read and written back are the same again. Of averages only where the scale has stayed, as it mostly
 * does: those of another scale lie on another grid. */
static void check_return(struct model *model, const char *name, bool squares)
{
    static float read[COUNT], again[COUNT];
    static uint8_t scales[COUNT / RMS_STATE_BLOCK + 1];
    const bool scaled = model->options.state_format == RMS_STATE_8_BIT;
    const uint8_t *const kept = (const uint8_t *)rms_state(model->optimizer, 0, name) + (scaled ? scales_at() : 0);
    size_t same = 0;
    memcpy(scales, kept, sizeof scales);
    assert_ok(rms_read_state(model->optimizer, 0, name, read), rms_message(model->optimizer));
    assert_ok(rms_write_state(model->optimizer, 0, name, read), rms_message(model->optimizer));
    assert_ok(rms_read_state(model->optimizer, 0, name, again), rms_message(model->optimizer));
    for (size_t i = 0; i < COUNT; ++i) {
        if (scaled && !squares && kept[i / RMS_STATE_BLOCK] != scales[i / RMS_STATE_BLOCK])
            continue;
        assert_same_floats(&again[i], &read[i], 1, name, &model->options);
        ++same;
    }
    assert_true(same > COUNT / 2);
}

/* What is read is what the codes mean, and what is written is rounded to the nearest. */
static void check_copies(struct model *model, const char *name, bool squares, uint64_t seed)
{
    static float read[COUNT], expected[COUNT], again[COUNT];
    static uint8_t codes[2 * COUNT], scales[COUNT];
    const rms_state_format format = model->options.state_format;
    const uint8_t *const kept = rms_state(model->optimizer, 0, name);
    assert_ok(rms_read_state(model->optimizer, 0, name, read), rms_message(model->optimizer));
    oracle_decode_slot(format, squares, COUNT, kept, kept + scales_at(), expected);
    assert_same_floats(read, expected, COUNT, name, &model->options);
    check_return(model, name, squares);

    fill_gradients(read, COUNT, seed, 7);
    for (size_t i = 0; squares && i < COUNT; ++i)
        read[i] = fabsf(read[i]);
    oracle_encode_slot(format, squares, COUNT, read, codes, scales, NULL, 0);
    oracle_decode_slot(format, squares, COUNT, codes, scales, expected);
    assert_ok(rms_write_state(model->optimizer, 0, name, read), rms_message(model->optimizer));
    assert_ok(rms_read_state(model->optimizer, 0, name, again), rms_message(model->optimizer));
    assert_same_floats(again, expected, COUNT, name, &model->options);
}

static void what_is_read_is_what_the_codes_mean_and_what_is_written_is_the_nearest(void **state)
{
    (void)state;
    uint64_t seed = 71;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
        for (rms_state_format format = RMS_STATE_16_BIT; format <= RMS_STATE_8_BIT; ++format) {
            if (!takes_state_format(rule, format))
                continue;
            const rms_dtype dtype = rule % 2 == 0 ? RMS_F32 : RMS_BF16;
            const rms_options options = shortened_options(&seed, rule, RMS_MASTER_NONE, 0, format);
            struct model model = model_create(&options, dtype, seed);
            for (uint64_t step = 0; step < 3; ++step)
                model_step(&model, dtype, seed, step);
            for (size_t slot = 0; slot < rms_slot_count(rule); ++slot) {
                const char *const name = rms_slot_name(rule, slot);
                if (rms_state(model.optimizer, 0, name))
                    check_copies(&model, name, oracle_holds_squares(rule, slot), seed);
            }
            model_destroy(&model);
        }
    report_comparisons("copies");
}

/* Full state, masters and averages are copied as they are. */
static void full_state_is_copied_bit_for_bit(void **state)
{
    (void)state;
    static double wide[COUNT];
    static float narrow[COUNT];
    rms_options options = rms_options_for(RMS_RMSPROP);
    set_options(&options, "momentum=0.9 average_decay=0.5");
    struct model doubles = model_create(&options, RMS_F64, 5), brains = model_create(&options, RMS_BF16, 5);
    model_step(&doubles, RMS_F64, 5, 1);
    model_step(&brains, RMS_BF16, 5, 1);
    static const char *const names[] = {"v", "momentum", "average", "master"};
    for (size_t i = 0; i < COUNT_OF(names); ++i) {
        const bool kept = rms_state(doubles.optimizer, 0, names[i]) != NULL;
        const rms_status status = rms_read_state(doubles.optimizer, 0, names[i], wide);
        assert_status(kept ? RMS_OK : RMS_ERROR_NAME, status, rms_message(doubles.optimizer));
        if (kept)
            assert_memory_equal(wide, rms_state(doubles.optimizer, 0, names[i]), sizeof wide);
        assert_ok(rms_read_state(brains.optimizer, 0, names[i], narrow), rms_message(brains.optimizer));
        assert_memory_equal(narrow, rms_state(brains.optimizer, 0, names[i]), sizeof narrow);
        for (size_t k = 0; k < COUNT; ++k)
            narrow[k] = (float)k;
        assert_ok(rms_write_state(brains.optimizer, 0, names[i], narrow), rms_message(brains.optimizer));
        assert_memory_equal(narrow, rms_state(brains.optimizer, 0, names[i]), sizeof narrow);
    }
    model_destroy(&doubles);
    model_destroy(&brains);
}

static void assert_write_refused(struct model *model, size_t tensor, const char *name, const void *numbers,
                                 rms_status status, const char *part)
{
    unsigned char before[4 * COUNT];
    const size_t bytes = rms_state_size(model->optimizer, 0, "v");
    memcpy(before, rms_state(model->optimizer, 0, "v"), bytes);
    assert_status(status, rms_write_state(model->optimizer, tensor, name, numbers), rms_message(model->optimizer));
    assert_contains(rms_message(model->optimizer), part);
    assert_memory_equal(before, rms_state(model->optimizer, 0, "v"), bytes);
}

static void wrong_reads_and_writes_are_refused_and_change_nothing(void **state)
{
    static float numbers[COUNT + 1];
    (void)state;
    for (rms_state_format format = RMS_STATE_FULL; format <= RMS_STATE_8_BIT; ++format) {
        rms_options options = rms_options_for(RMS_RMSPROP);
        set_options(&options, "average_decay=0.5 master=remainder");
        options.state_format = format;
        struct model model = model_create(&options, RMS_BF16, 6);
        model_step(&model, RMS_BF16, 6, 1);
        memset(numbers, 0, sizeof numbers);
        assert_write_refused(&model, 0, "v", NULL, RMS_ERROR_ARGUMENT, "numbers: NULL");
        assert_write_refused(&model, 1, "v", numbers, RMS_ERROR_RANGE, "tensor 1 does not exist");
        assert_write_refused(&model, 0, NULL, numbers, RMS_ERROR_NAME, "NULL");
        assert_write_refused(&model, 0, "momentum", numbers, RMS_ERROR_NAME, "\"momentum\"");
        assert_write_refused(&model, 0, "remainder", numbers, RMS_ERROR_NAME, "\"remainder\"");
        assert_write_refused(&model, 0, "v", (char *)numbers + 1, RMS_ERROR_ARGUMENT, "not aligned to 4 bytes");
        assert_write_refused(&model, 0, "v", rms_state(model.optimizer, 0, "average"), RMS_ERROR_ARGUMENT,
                             "in the optimizer's own state");
        numbers[COUNT - 1] = -0x1p-149F;
        assert_write_refused(&model, 0, "v", numbers, RMS_ERROR_RANGE, "numbers[2499] is -1.4013e-45, but v holds");
        numbers[COUNT - 1] = -0.0F;
        assert_ok(rms_swap_averages(model.optimizer), rms_message(model.optimizer));
        assert_write_refused(&model, 0, "v", numbers, RMS_ERROR_ARGUMENT, "cannot write state while the averages");
        assert_ok(rms_read_state(model.optimizer, 0, "v", numbers), rms_message(model.optimizer));
        assert_ok(rms_swap_averages(model.optimizer), rms_message(model.optimizer));
        assert_status(RMS_ERROR_NAME, rms_read_state(model.optimizer, 0, "remainder", numbers), "remainder");
        assert_status(RMS_ERROR_ARGUMENT, rms_read_state(model.optimizer, 0, "v", NULL), "NULL");
        assert_int_equal(rms_state_size(model.optimizer, 0, "momentum"), 0);
        assert_int_equal(rms_state_size(model.optimizer, 1, "v"), 0);
        assert_int_equal(rms_state_size(model.optimizer, 0, NULL), 0);
        model_destroy(&model);
    }
    assert_status(RMS_ERROR_ARGUMENT, rms_write_state(NULL, 0, "v", numbers), "NULL");
    assert_status(RMS_ERROR_ARGUMENT, rms_read_state(NULL, 0, "v", numbers), "NULL");
    assert_int_equal(rms_state_size(NULL, 0, "v"), 0);
}

static void empty_tensors_have_state_of_no_numbers(void **state)
{
    (void)state;
    rms_options options = rms_options_for(RMS_ADAM);
    options.state_format = RMS_STATE_8_BIT;
    rms_optimizer *optimizer = create_optimizer(&options);
    float nothing = 7;
    add_tensor(optimizer, "none", NULL, NULL, 0);
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    assert_ok(rms_read_state(optimizer, 0, "v", &nothing), rms_message(optimizer));
    assert_ok(rms_write_state(optimizer, 0, "v", &nothing), rms_message(optimizer));
    assert_true(nothing == 7);
    assert_null(rms_state(optimizer, 0, "v"));
    assert_int_equal(rms_state_size(optimizer, 0, "v"), 0);
    rms_free(optimizer);
}

/* ---- Rates: those of the numbers that the codes mean */

static void rates_are_those_of_the_decoded_numbers(void **state)
{
    static float slots[RMS_RULE_SLOTS][COUNT], rate[COUNT], expected[COUNT];
    (void)state;
    uint64_t seed = 72;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
        for (rms_state_format format = RMS_STATE_16_BIT; format <= RMS_STATE_8_BIT; ++format) {
            if (!takes_state_format(rule, format))
                continue;
            rms_options options = shortened_options(&seed, rule, RMS_MASTER_F32, 0, format);
            struct model model = model_create(&options, RMS_F32, seed);
            options.state_format = RMS_STATE_FULL; /* what the oracle knows */
            struct oracle_tensor x = {.options = &options, .dtype = RMS_F32, .count = COUNT};
            for (x.step = 0; x.step < 4; ++x.step) {
                if (x.step > 0)
                    assert_ok(rms_step(model.optimizer, NULL), rms_message(model.optimizer));
                for (size_t slot = 0; slot < rms_slot_count(rule); ++slot)
                    if (rms_read_state(model.optimizer, 0, rms_slot_name(rule, slot), slots[slot]) == RMS_OK)
                        x.slots[slot] = slots[slot];
                assert_ok(rms_effective_lr(model.optimizer, 0, rate), rms_message(model.optimizer));
                oracle_rate(&x, expected);
                assert_same_floats(rate, expected, COUNT, rms_state_format_name(format), &model.options);
                fill_gradients_of(RMS_F32, model.grad.at, COUNT, seed | 1, x.step);
            }
            model_destroy(&model);
        }
    report_comparisons("rates");
}

/* ---- What it must not do */

/* The first step starts from state that every format holds exactly, so that parameters move as with full state. */
static void the_step_uses_the_fresh_number(void **state)
{
    (void)state;
    uint64_t seed = 73;
    for (size_t repetition = 0; repetition < effort(10); ++repetition)
        for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule) {
            if (!takes_state_format(rule, RMS_STATE_8_BIT))
                continue;
            rms_options options = shortened_options(&seed, rule, RMS_MASTER_F32, 0.5, RMS_STATE_8_BIT);
            options.initial_accumulator = rms_slot_count(rule) > 0 && options.initial_accumulator > 0 ? 0.25 : 0;
            const uint64_t data = random_bits(&seed);
            struct model models[3];
            for (size_t i = 0; i < COUNT_OF(models); ++i) {
                options.state_format = (rms_state_format)i;
                models[i] = model_create(&options, RMS_F32, data);
                model_step(&models[i], RMS_F32, data, 1);
            }
            assert_same_floats(models[1].param.at, models[0].param.at, COUNT, "16-bit", &options);
            assert_same_floats(models[2].param.at, models[0].param.at, COUNT, "8-bit", &options);
            for (size_t i = 0; i < COUNT_OF(models); ++i)
                model_destroy(&models[i]);
        }
    report_comparisons("first steps");
}

/* Every other gradient is always 0, its neighbours' are of all sizes, at times huge. */
static void a_parameter_without_gradient_never_moves(void **state)
{
    (void)state;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
        for (rms_state_format format = RMS_STATE_16_BIT; format <= RMS_STATE_8_BIT; ++format) {
            if (!takes_state_format(rule, format))
                continue;
            rms_options options = rms_options_for(rule);
            options.state_format = format;
            struct model model = model_create(&options, RMS_F32, 8);
            float *const param = model.param.at, *const grad = model.grad.at;
            float before[COUNT];
            memcpy(before, param, sizeof before);
            for (uint64_t step = 0; step < 50; ++step) {
                fill_gradients(grad, COUNT, 9, step);
                for (size_t i = 0; i < COUNT; i += 2)
                    grad[i] = 0;
                assert_ok(rms_step(model.optimizer, NULL), rms_message(model.optimizer));
            }
            for (size_t i = 0; i < COUNT; i += 2)
                if (!same_bits(param[i], before[i]))
                    fail_msg("%s: element %zu moved from %a to %a without a gradient", describe_options(&options), i,
                             (double)before[i], (double)param[i]);
            numbers_compared += COUNT / 2;
            model_destroy(&model);
        }
    report_comparisons("parameters at rest");
}

/* In 16 bits down to the smallest number there is; in 8, down to the least code, 31 octaves below the largest. */
static void squares_do_not_become_0_unless_they_are(void **state)
{
    (void)state;
    for (rms_state_format format = RMS_STATE_16_BIT; format <= RMS_STATE_8_BIT; ++format) {
        rms_options options = rms_options_for(RMS_RMSPROP);
        set_options(&options, "rho=0.5 lr=0");
        options.state_format = format;
        struct model model = model_create(&options, RMS_F32, 10);
        float *const grad = model.grad.at;
        static float v[COUNT];
        for (size_t i = 0; i < COUNT; ++i)
            grad[i] = i % 3 == 0 ? 0 : i % 64 == 1 ? 1e18F : 0x1p-60F;
        assert_ok(rms_step(model.optimizer, NULL), rms_message(model.optimizer));
        for (size_t i = 0; i < COUNT; ++i)
            grad[i] = i % 64 == 1 ? 1e18F : 0;
        for (size_t step = 0; step < 200; ++step)
            assert_ok(rms_step(model.optimizer, NULL), rms_message(model.optimizer));
        assert_ok(rms_read_state(model.optimizer, 0, "v", v), rms_message(model.optimizer));
        for (size_t i = 0; i < COUNT; ++i)
            if ((v[i] == 0) != (i % 3 == 0 && i % 64 != 1))
                fail_msg("%s, element %zu: v is %a", rms_state_format_name(format), i, (double)v[i]);
        model_destroy(&model);
    }
}

/* ---- Rows */

static void lazy_rows_must_not_share_blocks_of_8_bits(void **state)
{
    static float param[1920], values[192];
    static const size_t widths[] = {1, 32, 63, 66, 96, 64, 128, 192};
    (void)state;
    const int64_t index = 1;
    for (rms_state_format format = RMS_STATE_FULL; format <= RMS_STATE_8_BIT; ++format) {
        rms_options options = rms_options_for(RMS_RMSPROP);
        options.state_format = format;
        for (size_t i = 0; i < COUNT_OF(widths); ++i)
            for (rms_rows_mode mode = RMS_ROWS_LAZY; mode <= RMS_ROWS_DENSE; ++mode) {
                const size_t count = widths[i] * 10;
                rms_optimizer *optimizer = create_optimizer(&options);
                add_tensor(optimizer, "table", param, NULL, count);
                const rms_rows rows = {0, widths[i], 1, &index, values, mode, {0}};
                const bool refused =
                    format == RMS_STATE_8_BIT && mode == RMS_ROWS_LAZY && widths[i] % RMS_STATE_BLOCK != 0;
                assert_status(refused ? RMS_ERROR_UNSUPPORTED : RMS_OK, rms_step_rows(optimizer, &rows, 1, NULL),
                              rms_message(optimizer));
                if (refused)
                    assert_contains(rms_message(optimizer), "would share blocks of 8-bit state");
                rms_free(optimizer);
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_right_is_refused_with_the_reason),
        cmocka_unit_test(doubles_are_refused),
        cmocka_unit_test(the_format_is_fixed_where_there_are_tensors),
        cmocka_unit_test(sizes_are_a_half_and_a_quarter),
        cmocka_unit_test(what_is_read_is_what_the_codes_mean_and_what_is_written_is_the_nearest),
        cmocka_unit_test(full_state_is_copied_bit_for_bit),
        cmocka_unit_test(wrong_reads_and_writes_are_refused_and_change_nothing),
        cmocka_unit_test(empty_tensors_have_state_of_no_numbers),
        cmocka_unit_test(rates_are_those_of_the_decoded_numbers),
        cmocka_unit_test(the_step_uses_the_fresh_number),
        cmocka_unit_test(a_parameter_without_gradient_never_moves),
        cmocka_unit_test(squares_do_not_become_0_unless_they_are),
        cmocka_unit_test(lazy_rows_must_not_share_blocks_of_8_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
