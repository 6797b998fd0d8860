/* What is kept for which dtype and how large it is, where it starts, what may change it, and the ends of each format's
 * range. */
#include "oracle.h"
#include "oracle_codec.h"
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

/* ---- Which slots, and how large */

static bool is_refused(const rms_options *options, rms_dtype dtype)
{
    const bool averaged = options->average_decay > 0;
    return dtype == RMS_F16 &&
           (options->master == RMS_MASTER_REMAINDER || (options->master == RMS_MASTER_NONE && averaged));
}

/* The rule's own slots do not depend on the dtype. */
static unsigned expected_slots(const rms_options *options, rms_dtype dtype)
{
    rms_options bare = *options;
    bare.average_decay = 0;
    unsigned kept = rms_slots_kept(&bare, RMS_F32);
    assert_true(kept < 1U << RMS_RULE_SLOTS);
    if (dtype == RMS_BF16 && options->master == RMS_MASTER_REMAINDER)
        kept |= 1U << RMS_SLOT_REMAINDER;
    if ((dtype == RMS_F16 || dtype == RMS_BF16) && options->master == RMS_MASTER_F32)
        kept |= 1U << RMS_SLOT_MASTER;
    if (options->average_decay > 0)
        kept |= 1U << RMS_SLOT_AVERAGE;
    return kept;
}

static size_t expected_bytes(unsigned kept, rms_dtype dtype, size_t count)
{
    size_t total = 0;
    for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot)
        if (kept >> slot & 1) {
            const size_t size = slot == RMS_SLOT_REMAINDER ? 2 : dtype == RMS_F64 ? 8 : 4;
            total += (count * size + 63) / 64 * 64;
        }
    return total;
}

static void check_slots(const rms_options *options, rms_dtype dtype)
{
    static const size_t counts[] = {0, 1, 7, 8, 15, 16, 17, 31, 32, 33, 1000};
    const bool refused = is_refused(options, dtype);
    const unsigned kept = refused ? 0 : expected_slots(options, dtype);
    assert_int_equal(rms_slots_kept(options, dtype), kept);
    for (size_t i = 0; i < COUNT_OF(counts); ++i)
        assert_int_equal(rms_state_bytes(options, dtype, counts[i]),
                         refused ? SIZE_MAX : expected_bytes(kept, dtype, counts[i]));
    if (!refused && kept != 0) {
        assert_int_equal(rms_state_bytes(options, dtype, SIZE_MAX), SIZE_MAX);
        assert_int_equal(rms_state_bytes(options, dtype, PTRDIFF_MAX / 2), SIZE_MAX);
    }
}

static void slots_and_their_bytes_follow_from_options_and_dtype(void **state)
{
    (void)state;
    uint64_t seed = 31;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
        for (rms_master master = RMS_MASTER_F32; master <= RMS_MASTER_NONE; ++master)
            for (int repetition = 0; repetition < 20; ++repetition) {
                const rms_options options = storage_options(&seed, rule, master, repetition % 2 == 0 ? 0 : 0.5);
                for (rms_dtype dtype = RMS_F32; dtype <= RMS_BF16; ++dtype)
                    check_slots(&options, dtype);
                assert_int_equal(rms_slots_kept(&options, (rms_dtype)4), 0);
                assert_int_equal(rms_state_bytes(&options, (rms_dtype)4, 1), SIZE_MAX);
            }
}

static void slots_have_names_and_sizes(void **state)
{
    (void)state;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule) {
        assert_string_equal(rms_slot_name(rule, RMS_SLOT_MASTER), "master");
        assert_string_equal(rms_slot_name(rule, RMS_SLOT_REMAINDER), "remainder");
        assert_string_equal(rms_slot_name(rule, RMS_SLOT_AVERAGE), "average");
        assert_null(rms_slot_name(rule, RMS_SLOTS_MAX));
        for (size_t slot = 0; slot < RMS_RULE_SLOTS; ++slot)
            assert_int_equal(rms_slot_name(rule, slot) != NULL, slot < rms_slot_count(rule));
    }
    assert_null(rms_slot_name(RMS_RULE_COUNT, RMS_SLOT_MASTER));
    const rms_options options = rms_options_for(RMS_ADAM);
    assert_int_equal(rms_slot_bytes(&options, RMS_F32, 1, 100), 400);
    assert_int_equal(rms_slot_bytes(&options, RMS_F64, 1, 100), 800);
    assert_int_equal(rms_slot_bytes(&options, RMS_F32, 2, 100), 0);
    assert_int_equal(rms_slot_bytes(&options, RMS_F32, RMS_SLOTS_MAX, 100), 0);
    assert_int_equal(rms_slot_bytes(&options, (rms_dtype)4, 0, 100), 0);
}

/* ---- Where it starts */

enum { COUNT = 1500 };

/* Masters are the parameters, remainders 0, averages wait for the first step. */
static void assert_started(rms_optimizer *optimizer, const void *param, const rms_options *options, rms_dtype dtype,
                           size_t count)
{
    struct reference *fresh = reference_create("w", dtype, options, count, param);
    assert_same_tensor(optimizer, 0, param, fresh, "fresh");
    reference_destroy(fresh);
}

static void check_start(const rms_options *options, rms_dtype dtype, uint64_t seed)
{
    struct numbers param = numbers_create(dtype, COUNT, 1);
    struct numbers moved = numbers_create(dtype, COUNT, 2);
    struct numbers grad = numbers_create(dtype, COUNT, 3);
    fill_parameters_of(dtype, param.at, COUNT, seed);
    fill_gradients_of(dtype, grad.at, COUNT, seed | 1, 1);
    rms_optimizer *optimizer = create_optimizer(options);
    add_number(optimizer, "w", dtype, COUNT, param.at, grad.at);
    assert_started(optimizer, param.at, options, dtype, COUNT);

    struct reference *stepped = reference_create("w", dtype, options, COUNT, param.at);
    reference_set_gradient(stepped, grad.at);
    reference_step(&stepped, 1, options);
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    memcpy(moved.at, param.at, COUNT * rms_dtype_size(dtype));
    memset(param.at, 0x55, COUNT * rms_dtype_size(dtype));
    assert_ok(rms_rebind(optimizer, 0, moved.at, grad.at), rms_message(optimizer));
    assert_same_tensor(optimizer, 0, moved.at, stepped, "rebound");
    reference_step(&stepped, 1, options);
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    assert_same_tensor(optimizer, 0, moved.at, stepped, "stepped after rms_rebind");

    fill_parameters_of(dtype, moved.at, COUNT, seed + 1);
    assert_ok(rms_reset(optimizer), rms_message(optimizer));
    assert_started(optimizer, moved.at, options, dtype, COUNT);
    reference_destroy(stepped);
    rms_free(optimizer);
    numbers_destroy(&param);
    numbers_destroy(&moved);
    numbers_destroy(&grad);
}

static void state_starts_from_the_parameters_moves_with_them_and_is_reset_to_them(void **state)
{
    (void)state;
    uint64_t seed = 32;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
        for (rms_master master = RMS_MASTER_F32; master <= RMS_MASTER_NONE; ++master)
            for (rms_dtype dtype = RMS_F32; dtype <= RMS_BF16; ++dtype) {
                const rms_options options = storage_options(&seed, rule, master, dtype == RMS_F16 ? 0 : 0.9);
                if (!is_refused(&options, dtype))
                    check_start(&options, dtype, random_bits(&seed));
            }
    report_comparisons("states");
}

/* ---- What may change it */

static void check_set(rms_dtype dtype, const rms_options *options, const char *key, double value, bool allowed)
{
    uint64_t param = 0, grad = 0;
    rms_optimizer *optimizer = create_optimizer(options);
    add_number(optimizer, "w", dtype, 1, &param, &grad);
    double before, after;
    assert_ok(rms_get(optimizer, 0, key, &before), rms_message(optimizer));
    const rms_status status = rms_set(optimizer, 0, key, value);
    assert_status(allowed ? RMS_OK : RMS_ERROR_ARGUMENT, status, rms_message(optimizer));
    if (!allowed)
        assert_contains(rms_message(optimizer), "would change which state is kept, and group 0 has tensors already");
    assert_ok(rms_get(optimizer, 0, key, &after), rms_message(optimizer));
    assert_true(after == (allowed ? value : before));
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    rms_free(optimizer);
}

static void master_and_average_are_fixed_where_they_keep_state(void **state)
{
    (void)state;
    for (rms_dtype dtype = RMS_F32; dtype <= RMS_BF16; ++dtype)
        for (rms_master from = RMS_MASTER_F32; from <= RMS_MASTER_NONE; ++from) {
            rms_options options = rms_options_for(RMS_RMSPROP);
            options.master = from;
            if (is_refused(&options, dtype))
                continue;
            const bool is_short = dtype == RMS_F16 || dtype == RMS_BF16;
            for (rms_master to = RMS_MASTER_F32; to <= RMS_MASTER_NONE; ++to)
                check_set(dtype, &options, "master", to, !is_short || to == from);
            check_set(dtype, &options, "average_decay", 0.9, false);
            check_set(dtype, &options, "average_decay", 0, true);
            check_set(dtype, &options, "seed", 5, true);
            options.average_decay = 0.5;
            if (is_refused(&options, dtype))
                continue;
            check_set(dtype, &options, "average_decay", 0.9, true);
            check_set(dtype, &options, "average_decay", 0, false);
        }
}

static void assert_add_refused(const rms_options *options, const rms_tensor *tensor, rms_status expected,
                               const char *const *parts)
{
    rms_optimizer *optimizer = create_optimizer(options);
    assert_status(expected, rms_add(optimizer, tensor), rms_message(optimizer));
    for (; *parts; ++parts)
        assert_contains(rms_message(optimizer), *parts);
    assert_int_equal(rms_tensor_count(optimizer), 0);
    rms_free(optimizer);
}

static void what_f16_cannot_keep_is_refused_with_the_way_out(void **state)
{
    (void)state;
    uint16_t param = 0, grad = 0;
    const rms_tensor tensor = {.name = "half", .count = 1, .param = &param, .grad = &grad, .dtype = RMS_F16};
    const rms_tensor unknown = {.name = "odd", .count = 1, .param = &param, .grad = &grad, .dtype = (rms_dtype)4};
    rms_options options = rms_options_for(RMS_ADAM);
    rms_error error;
    options.master = RMS_MASTER_REMAINDER;
    assert_add_refused(&options, &tensor, RMS_ERROR_UNSUPPORTED,
                       (const char *[]){"\"half\"", "f16 with master = remainder", "choose master f32 or none", NULL});
    assert_status(RMS_ERROR_UNSUPPORTED, rms_apply(&options, RMS_F16, 1, 1, &param, &grad, NULL, NULL, &error),
                  error.message);
    assert_contains(error.message, "f16 with master = remainder");
    options.master = RMS_MASTER_NONE;
    options.average_decay = 0.5;
    assert_add_refused(
        &options, &tensor, RMS_ERROR_UNSUPPORTED,
        (const char *[]){"\"half\"", "master = none and average_decay = 0.5", "choose master f32", NULL});
    assert_add_refused(&options, &unknown, RMS_ERROR_UNSUPPORTED,
                       (const char *[]){"\"odd\"", "dtype 4 is unknown", "f32, f64, f16, bf16", NULL});
}

static void alignment_and_size_are_the_dtypes(void **state)
{
    (void)state;
    static _Alignas(64) char memory[64], other[64];
    const rms_options options = rms_options_for(RMS_SGD);
    for (rms_dtype dtype = RMS_F32; dtype <= RMS_BF16; ++dtype) {
        const size_t size = rms_dtype_size(dtype);
        char bound[64];
        snprintf(bound, sizeof bound, "not aligned to %zu bytes", size);
        const rms_tensor param = {"w", 1, memory + size / 2, other, 0, dtype, {0}};
        const rms_tensor grad = {"w", 1, memory, other + 64 - size / 2, 0, dtype, {0}};
        assert_add_refused(&options, &param, RMS_ERROR_ARGUMENT, (const char *[]){"param", bound, NULL});
        assert_add_refused(&options, &grad, RMS_ERROR_ARGUMENT, (const char *[]){"grad", bound, NULL});
        snprintf(bound, sizeof bound, "above %zu", (size_t)PTRDIFF_MAX / size);
        const rms_tensor large = {"w", PTRDIFF_MAX / size + 1, memory, other, 0, dtype, {0}};
        assert_add_refused(&options, &large, RMS_ERROR_RANGE, (const char *[]){bound, rms_dtype_name(dtype), NULL});
    }
}

/* ---- Rates: those of the precision of the computation, rounded to float. */

static void effective_rates_of_every_dtype_are_the_oracles(void **state)
{
    (void)state;
    static float rate[COUNT], expected[COUNT];
    uint64_t seed = 33;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
        for (rms_dtype dtype = RMS_F32; dtype <= RMS_BF16; ++dtype) {
            const rms_options options = storage_options(&seed, rule, RMS_MASTER_F32, 0);
            struct numbers param = numbers_create(dtype, COUNT, 0);
            struct numbers grad = numbers_create(dtype, COUNT, 0);
            fill_parameters_of(dtype, param.at, COUNT, seed);
            rms_optimizer *optimizer = create_optimizer(&options);
            add_number(optimizer, "w", dtype, COUNT, param.at, grad.at);
            struct oracle_tensor x = {.options = &options, .dtype = dtype, .count = COUNT};
            for (size_t slot = 0; slot < rms_slot_count(rule); ++slot)
                x.slots[slot] = rms_state(optimizer, 0, rms_slot_name(rule, slot));
            for (x.step = 0; x.step < 4; ++x.step) {
                if (x.step > 0)
                    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
                assert_ok(rms_effective_lr(optimizer, 0, rate), rms_message(optimizer));
                oracle_rate(&x, expected);
                assert_same_floats(rate, expected, COUNT, rms_dtype_name(dtype), &options);
                fill_gradients_of(dtype, grad.at, COUNT, seed | 1, x.step);
            }
            rms_free(optimizer);
            numbers_destroy(&param);
            numbers_destroy(&grad);
        }
    report_comparisons("rates");
}

/* ---- The ends of the range */

/* Two gradients of 3e200 and 4e200 have a norm of 5e200, though their squares are infinite. */
static void a_norm_whose_squares_overflow_is_right_and_clips(void **state)
{
    (void)state;
    double param[3] = {1, 1, 1}, grad[3] = {3e200, -4e200, 1e-5};
    float small_param = 1, small_grad = 2;
    rms_options options = rms_options_for(RMS_SGD);
    options.lr = 1;
    options.clip_norm = 10;
    rms_optimizer *optimizer = create_optimizer(&options);
    add_number(optimizer, "wide", RMS_F64, 3, param, grad);
    add_number(optimizer, "narrow", RMS_F32, 1, &small_param, &small_grad);
    rms_report report;
    assert_ok(rms_step(optimizer, &report), rms_message(optimizer));
    assert_true(fabs(report.gradient_norm / 5e200 - 1) < 4 * DBL_EPSILON);
    assert_true(fabs(report.clip_factor * 5e199 - 1) < 4 * DBL_EPSILON);
    assert_false(report.skipped);
    assert_true(fabs(param[0] - (1 - 6)) < 1e-14 && fabs(param[1] - (1 + 8)) < 1e-14 && param[2] == 1);
    assert_true(small_param == 1); /* its share of the clipped gradient is 4e-200, which float does not hold */
    rms_free(optimizer);
}

static void a_norm_beyond_the_largest_double_still_clips(void **state)
{
    (void)state;
    double param[4] = {0}, grad[4] = {DBL_MAX, DBL_MAX, -DBL_MAX, DBL_MAX};
    rms_options options = rms_options_for(RMS_SGD);
    options.lr = 1;
    options.clip_norm = 1;
    rms_report report;
    rms_error error;
    assert_ok(rms_apply(&options, RMS_F64, 1, 4, param, grad, NULL, &report, &error), error.message);
    assert_true(report.gradient_norm == DBL_MAX && report.clip_factor == 1 / DBL_MAX);
    for (size_t i = 0; i < 4; ++i)
        assert_true(fabs(param[i]) <= 1);
}

static void assert_skipped(rms_dtype dtype, const void *grad, size_t count, double grad_scale, const char *sentence)
{
    struct numbers param = numbers_create(dtype, count, 0);
    struct numbers before = numbers_create(dtype, count, 0);
    fill_parameters_of(dtype, param.at, count, 4);
    fill_parameters_of(dtype, before.at, count, 4);
    rms_options options = rms_options_for(RMS_RMSPROP);
    options.grad_scale = grad_scale;
    rms_optimizer *optimizer = create_optimizer(&options);
    add_number(optimizer, "w", dtype, count, param.at, grad);
    rms_report report;
    assert_status(RMS_SKIPPED_NONFINITE, rms_step(optimizer, &report), rms_message(optimizer));
    assert_contains(rms_message(optimizer), sentence);
    assert_true(report.skipped && !isfinite(report.gradient_norm) && report.steps == 0);
    assert_started(optimizer, before.at, &options, dtype, count);
    assert_same_numbers(dtype, param.at, before.at, count, "skipped", &options);
    rms_free(optimizer);
    numbers_destroy(&param);
    numbers_destroy(&before);
}

static void what_is_not_finite_is_named_in_every_dtype(void **state)
{
    (void)state;
    enum { LENGTH = 2100, BAD = 1500 };
    for (rms_dtype dtype = RMS_F32; dtype <= RMS_BF16; ++dtype) {
        struct numbers grad = numbers_create(dtype, LENGTH, 0);
        fill_gradients_of(dtype, grad.at, LENGTH, 1, 1);
        for (int sign = 0; sign < 3; ++sign) {
            const double bad = sign == 0 ? (double)NAN : sign == 1 ? HUGE_VAL : -HUGE_VAL;
            for (size_t i = BAD; i < LENGTH; i += 300) /* the first is the one that is named */
                if (dtype == RMS_F64)
                    ((double *)grad.at)[i] = bad;
                else if (dtype == RMS_F32)
                    ((float *)grad.at)[i] = (float)bad;
                else
                    ((uint16_t *)grad.at)[i] = oracle_encode(dtype, (float)bad);
            char sentence[128];
            snprintf(sentence, sizeof sentence, "\"w\": the gradient of element 1500 is %s (the step was skipped",
                     sign == 0   ? "NaN"
                     : sign == 1 ? "inf"
                                 : "-inf");
            assert_skipped(dtype, grad.at, LENGTH, 1, sentence);
        }
        numbers_destroy(&grad);
    }
}

/* Finite in its own format, but not after unscaling in the precision of the computation. */
static void a_gradient_that_unscaling_makes_infinite_is_named(void **state)
{
    (void)state;
    const double wide[2] = {0, 1e300};
    const float narrow[2] = {0, 1e20F};
    const uint16_t brain[2] = {0, oracle_encode(RMS_BF16, 0x1p66F)};
    assert_skipped(RMS_F64, wide, 2, 1e10, "element 1 is 1e+300, which overflows by grad_scale");
    assert_skipped(RMS_F32, narrow, 2, 1e20, "element 1 is 1e+20, which overflows by grad_scale");
    assert_skipped(RMS_BF16, brain, 2, 1e30, "element 1 is 7.3787e+19, which overflows by grad_scale");
}

/* What an update leaves of a parameter at the lower end of its format. */
static void step_of_one(rms_dtype dtype, void *param, const void *grad, double lr)
{
    rms_options options = rms_options_for(RMS_SGD);
    options.lr = lr;
    rms_optimizer *optimizer = create_optimizer(&options);
    add_number(optimizer, "w", dtype, 1, param, grad);
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    rms_free(optimizer);
}

static void subnormal_numbers_are_numbers(void **state)
{
    (void)state;
    double wide = 0x1p-1050;
    const double wide_grad = 0x1p-1060;
    step_of_one(RMS_F64, &wide, &wide_grad, 0.5);
    assert_true(wide == 0x1p-1050 - 0x1p-1061);
    uint16_t half = oracle_encode(RMS_F16, 0x1p-20F);
    const uint16_t half_grad = oracle_encode(RMS_F16, 0x1p-23F);
    step_of_one(RMS_F16, &half, &half_grad, 0.5);
    assert_true(oracle_decode(RMS_F16, half) == 0x1p-20 - 0x1p-24);
    uint16_t brain = oracle_encode(RMS_BF16, 0x1p-130F);
    const uint16_t brain_grad = oracle_encode(RMS_BF16, 0x1p-132F);
    step_of_one(RMS_BF16, &brain, &brain_grad, 0.5);
    assert_true(oracle_decode(RMS_BF16, brain) == 0x1p-130 - 0x1p-133);
}

/* A master may leave the range of the parameter, and come back: f16 ends at 65504. */
static void a_parameter_beyond_its_range_is_infinite_and_returns(void **state)
{
    (void)state;
    uint16_t param = oracle_encode(RMS_F16, 65504), grad = oracle_encode(RMS_F16, -64);
    rms_options options = rms_options_for(RMS_SGD);
    options.lr = 1;
    rms_optimizer *optimizer = create_optimizer(&options);
    add_number(optimizer, "w", RMS_F16, 1, &param, &grad);
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    assert_int_equal(param, oracle_infinity(RMS_F16));
    grad = oracle_encode(RMS_F16, 64);
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    assert_true(oracle_decode(RMS_F16, param) == 65504);
    rms_free(optimizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_and_their_bytes_follow_from_options_and_dtype),
        cmocka_unit_test(slots_have_names_and_sizes),
        cmocka_unit_test(state_starts_from_the_parameters_moves_with_them_and_is_reset_to_them),
        cmocka_unit_test(master_and_average_are_fixed_where_they_keep_state),
        cmocka_unit_test(what_f16_cannot_keep_is_refused_with_the_way_out),
        cmocka_unit_test(alignment_and_size_are_the_dtypes),
        cmocka_unit_test(effective_rates_of_every_dtype_are_the_oracles),
        cmocka_unit_test(a_norm_whose_squares_overflow_is_right_and_clips),
        cmocka_unit_test(a_norm_beyond_the_largest_double_still_clips),
        cmocka_unit_test(what_is_not_finite_is_named_in_every_dtype),
        cmocka_unit_test(a_gradient_that_unscaling_makes_infinite_is_named),
        cmocka_unit_test(subnormal_numbers_are_numbers),
        cmocka_unit_test(a_parameter_beyond_its_range_is_infinite_and_returns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
