/* struct_size: programs built against another header, and memory that was never filled in. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

/* What rms_options was in version 0.1.0: nothing shorter was ever compiled. */
#define FIRST_SIZE (offsetof(rms_options, parallel) + sizeof(const rms_parallel *))

/* rms_options as a later version might have it. */
struct later_options {
    rms_options known;
    double unknown[4];
};

static struct later_options later_options_for(rms_rule rule)
{
    struct later_options later;
    memset(&later, 0xAA, sizeof later);
    assert_ok(rms_options_init(&later.known, sizeof later, rule), "rms_options_init");
    return later;
}

static void init_fills_the_callers_size_and_no_more(void **state)
{
    (void)state;
    struct {
        rms_options options;
        unsigned char guard[64];
    } memory;
    memset(&memory, 0xAA, sizeof memory);
    assert_ok(rms_options_init(&memory.options, sizeof memory.options, RMS_ADAM), "rms_options_init");
    for (size_t i = 0; i < sizeof memory.guard; ++i)
        assert_int_equal(memory.guard[i], 0xAA);

    const struct later_options later = later_options_for(RMS_ADAM);
    assert_int_equal(later.known.struct_size, sizeof later);
    for (size_t i = 0; i < COUNT_OF(later.unknown); ++i)
        assert_true(bits_of_double(later.unknown[i]) == 0);
}

static void options_of_a_later_header_are_taken_while_what_is_new_is_zero(void **state)
{
    (void)state;
    struct later_options later = later_options_for(RMS_RMSPROP);
    rms_error error;
    assert_ok(rms_options_check(&later.known, &error), error.message);
    assert_ok(rms_options_set(&later.known, "momentum", 0.5, &error), error.message);
    assert_int_equal(later.known.struct_size, sizeof later);
    assert_true(later.known.momentum == 0.5);
    rms_optimizer *optimizer = create_optimizer(&later.known);
    double momentum;
    assert_ok(rms_get(optimizer, 0, "momentum", &momentum), rms_message(optimizer));
    assert_true(momentum == 0.5);
    rms_free(optimizer);
}

static void options_of_a_later_header_are_refused_when_something_new_is_set(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; ++i) {
        struct later_options later = later_options_for(RMS_RMSPROP);
        later.unknown[i] = 1.0;
        rms_error error;
        rms_optimizer *optimizer;
        double value;
        assert_status(RMS_ERROR_UNSUPPORTED, rms_options_check(&later.known, &error), error.message);
        assert_contains(error.message, rms_version());
        assert_status(RMS_ERROR_UNSUPPORTED, rms_create(&optimizer, &later.known, &error), error.message);
        assert_null(optimizer);
        assert_status(RMS_ERROR_UNSUPPORTED, rms_options_set(&later.known, "lr", 1, &error), error.message);
        assert_status(RMS_ERROR_UNSUPPORTED, rms_options_get(&later.known, "lr", &value, &error), error.message);
        assert_int_equal(rms_slots_kept(&later.known, RMS_F32), 0);
    }
}

/* A later version may give them a meaning. Whatever is not 0 is set, also what is no bool. */
static void flags_without_a_meaning_yet_are_refused_when_set(void **state)
{
    (void)state;
    static const unsigned char values[] = {1, 255};
    rms_options options;
    for (size_t i = 0; i < COUNT_OF(options.reserved_flags); ++i)
        for (size_t k = 0; k < COUNT_OF(values); ++k) {
            options = rms_options_for(RMS_RMSPROP);
            memset(&options.reserved_flags[i], values[k], 1);
            char named[32];
            (void)snprintf(named, sizeof named, "reserved_flags[%zu]", i);
            rms_error error;
            rms_optimizer *optimizer;
            assert_status(RMS_ERROR_UNSUPPORTED, rms_options_check(&options, &error), error.message);
            assert_contains(error.message, named);
            assert_contains(error.message, rms_version());
            assert_status(RMS_ERROR_UNSUPPORTED, rms_create(&optimizer, &options, &error), error.message);
            assert_contains(error.message, named);
            assert_null(optimizer);
        }
    options = rms_options_for(RMS_RMSPROP);
    options.reserved_number = -1;
    rms_error error;
    assert_status(RMS_ERROR_UNSUPPORTED, rms_options_check(&options, &error), error.message);
    assert_contains(error.message, "reserved_number");
    assert_contains(error.message, rms_version());
}

/* zero_grad has taken the place of a flag that had to be 0, and the struct has grown behind what was its end. */
static void options_of_the_header_before_state_formats_are_taken(void **state)
{
    (void)state;
    const size_t before = offsetof(rms_options, state_format);
    assert_int_equal(offsetof(rms_options, zero_grad), offsetof(rms_options, momentum_average) + 1);
    assert_int_equal(offsetof(rms_options, average_decay), offsetof(rms_options, momentum_average) + 8);
    assert_int_equal(before, offsetof(rms_options, seed) + sizeof(int));
    rms_options *const older = malloc(before);
    assert_non_null(older);
    rms_error error;
    double value;
    assert_ok(rms_options_init(older, before, RMS_RMSPROP), "rms_options_init");
    assert_ok(rms_options_check(older, &error), error.message);
    assert_ok(rms_options_get(older, "state_format", &value, &error), error.message);
    assert_true(value == RMS_STATE_FULL);
    assert_status(RMS_ERROR_UNSUPPORTED, rms_options_set_text(older, "state_format", "8-bit", &error), error.message);
    assert_contains(error.message, "state_format");
    assert_ok(rms_options_set(older, "zero_grad", 1, &error), error.message);
    assert_ok(rms_options_check(older, &error), error.message);
    assert_ok(rms_options_get(older, "zero_grad", &value, &error), error.message);
    assert_true(value == 1);
    assert_int_equal(rms_slot_bytes(older, RMS_F32, 0, 10), 40);
    free(older);
}

/* The caller's memory ends with its struct: what it does not know has its default. */
static void options_of_the_first_header_are_taken_and_what_is_new_is_off(void **state)
{
    (void)state;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule) {
        rms_options *const first = malloc(FIRST_SIZE);
        assert_non_null(first);
        assert_ok(rms_options_init(first, FIRST_SIZE, rule), "rms_options_init");
        rms_error error;
        assert_ok(rms_options_check(first, &error), error.message);
        assert_ok(rms_options_set(first, "lr", 0.5, &error), error.message);
        const rms_options now = rms_options_for(rule);
        assert_int_equal(rms_slots_kept(first, RMS_F32), rms_slots_kept(&now, RMS_F32));
        rms_option_info info;
        double value;
        for (size_t i = 0; rms_option_at(rule, i, &info); ++i) {
            assert_ok(rms_options_get(first, info.key, &value, &error), error.message);
            assert_true(value == (strcmp(info.key, "lr") == 0 ? 0.5 : info.default_value));
        }
        assert_status(RMS_ERROR_UNSUPPORTED, rms_options_set(first, "average_decay", 0.5, &error), error.message);
        assert_contains(error.message, "average_decay");
        assert_status(RMS_ERROR_UNSUPPORTED, rms_options_set_text(first, "master", "none", &error), error.message);
        rms_optimizer *optimizer = create_optimizer(first);
        assert_ok(rms_get(optimizer, 0, "lr", &value), rms_message(optimizer));
        assert_true(value == 0.5);
        rms_free(optimizer);
        free(first);
    }
}

static void sizes_that_no_header_ever_had_are_refused(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 1, sizeof(size_t), FIRST_SIZE - 1, 1 << 20, SIZE_MAX};
    for (size_t i = 0; i < COUNT_OF(sizes); ++i) {
        rms_options options = rms_options_for(RMS_RMSPROP);
        options.struct_size = sizes[i];
        rms_error error;
        assert_status(RMS_ERROR_ARGUMENT, rms_options_check(&options, &error), error.message);
        assert_contains(error.message, "struct_size");
        assert_contains(error.message, "rms_options_for");
        assert_status(RMS_ERROR_ARGUMENT, rms_options_init(&options, sizes[i], RMS_RMSPROP), "rms_options_init");
    }
}

static void options_that_were_only_zeroed_are_refused(void **state)
{
    (void)state;
    rms_options options;
    memset(&options, 0, sizeof options);
    rms_optimizer *optimizer;
    rms_error error;
    assert_status(RMS_ERROR_ARGUMENT, rms_create(&optimizer, &options, &error), error.message);
    assert_null(optimizer);
}

static void an_unknown_rule_is_refused_everywhere(void **state)
{
    (void)state;
    rms_options options = rms_options_for((rms_rule)77);
    rms_error error;
    double value;
    rms_optimizer *optimizer;
    assert_status(RMS_ERROR_ARGUMENT, rms_options_check(&options, &error), error.message);
    options = rms_options_for(RMS_SGD);
    options.rule = (rms_rule)77;
    assert_status(RMS_ERROR_ARGUMENT, rms_options_check(&options, &error), error.message);
    assert_contains(error.message, "77");
    assert_status(RMS_ERROR_ARGUMENT, rms_options_set(&options, "lr", 1, &error), error.message);
    assert_status(RMS_ERROR_ARGUMENT, rms_options_set_text(&options, "lr", "1", &error), error.message);
    assert_status(RMS_ERROR_ARGUMENT, rms_options_get(&options, "lr", &value, &error), error.message);
    assert_status(RMS_ERROR_ARGUMENT, rms_create(&optimizer, &options, &error), error.message);
    assert_status(RMS_ERROR_ARGUMENT, rms_options_init(&options, sizeof options, (rms_rule)-1), "rms_options_init");
}

static void slots_and_state_bytes_follow_the_options(void **state)
{
    (void)state;
    static const struct {
        rms_rule rule;
        const char *options;
        unsigned kept;
        size_t slots;
    } rows[] = {
        {RMS_SGD, "", 0, 0},
        {RMS_SGD, "momentum=0.9", 1, 1},
        {RMS_ADAGRAD, "", 1, 1},
        {RMS_RMSPROP, "", 1, 1},
        {RMS_RMSPROP, "centered=true", 3, 2},
        {RMS_RMSPROP, "momentum=0.9", 5, 2},
        {RMS_RMSPROP, "centered=true momentum=0.9", 7, 3},
        {RMS_ADAM, "", 3, 2},
        {RMS_ADAM, "amsgrad=true", 7, 3},
        {RMS_RPROP, "", 3, 2},
        {RMS_ADADELTA, "", 3, 2},
        {RMS_ADAMAX, "", 3, 2},
        {RMS_NADAM, "", 3, 2},
        {RMS_RADAM, "", 3, 2},
        {RMS_LION, "", 1, 1},
        {RMS_SGD, "average_decay=0.9", 32, 1},
        {RMS_RMSPROP, "momentum=0.9 average_decay=0.9", 37, 3},
    };
    for (size_t i = 0; i < COUNT_OF(rows); ++i) {
        rms_options options = rms_options_for(rows[i].rule);
        set_options(&options, rows[i].options);
        assert_int_equal(rms_slots_kept(&options, RMS_F32), rows[i].kept);
        assert_int_equal(rms_state_bytes(&options, RMS_F32, 0), 0);
        const size_t bytes = rms_state_bytes(&options, RMS_F32, 1000);
        assert_true(bytes >= rows[i].slots * 4000 && bytes < rows[i].slots * 4000 + rows[i].slots * 64 + 1);
        assert_int_equal(bytes % 64, 0);
        if (rows[i].slots > 0) {
            assert_true(rms_state_bytes(&options, RMS_F32, SIZE_MAX) == SIZE_MAX);
            assert_true(rms_state_bytes(&options, RMS_F32, SIZE_MAX / sizeof(float)) == SIZE_MAX);
            assert_true(rms_state_bytes(&options, RMS_F32, (size_t)PTRDIFF_MAX / sizeof(float) + 1) == SIZE_MAX);
        }
    }
    assert_true(rms_state_bytes(NULL, RMS_F32, 1) == SIZE_MAX);
    assert_int_equal(rms_slots_kept(NULL, RMS_F32), 0);
}

static void slot_bytes_follow_the_format(void **state)
{
    (void)state;
    static const struct {
        const char *options;
        rms_dtype dtype;
        size_t slot;
        size_t count;
        size_t bytes;
    } rows[] = {
        {"", RMS_F32, 0, 1000, 4000},
        {"", RMS_F64, 0, 1000, 8000},
        {"", RMS_F16, 1, 1000, 4000},
        {"state_format=16-bit", RMS_F32, 0, 1000, 2000},
        {"state_format=16-bit", RMS_BF16, 1, 1001, 2002},
        {"state_format=8-bit", RMS_F32, 0, 0, 0},
        {"state_format=8-bit", RMS_F32, 0, 1, 65},
        {"state_format=8-bit", RMS_F32, 1, 64, 65},
        {"state_format=8-bit", RMS_F16, 0, 65, 130},
        {"state_format=8-bit", RMS_BF16, 0, 1000, 1024 + 16},
        {"state_format=8-bit", RMS_F32, 0, 64000000, 65000000},
        {"state_format=8-bit", RMS_F32, 0, SIZE_MAX, 0},
        {"state_format=8-bit", RMS_F32, 0, (size_t)PTRDIFF_MAX, 0},
        {"state_format=16-bit", RMS_F32, 0, (size_t)PTRDIFF_MAX / 2 + 1, 0},
        {"state_format=8-bit", RMS_F32, 2, 10, 0}, /* not kept */
        {"state_format=8-bit", RMS_F64, 0, 10, 0}, /* not for doubles */
        {"state_format=8-bit", (rms_dtype)77, 0, 10, 0},
        {"state_format=8-bit", RMS_BF16, RMS_SLOT_MASTER, 10, 40},
        {"state_format=8-bit master=remainder", RMS_BF16, RMS_SLOT_REMAINDER, 10, 20},
        {"state_format=8-bit average_decay=0.5", RMS_F32, RMS_SLOT_AVERAGE, 10, 40},
        {"state_format=8-bit", RMS_F32, RMS_SLOTS_MAX, 10, 0},
        {"state_format=8-bit", RMS_F32, SIZE_MAX, 10, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); ++i) {
        rms_options options = rms_options_for(RMS_ADAM);
        set_options(&options, rows[i].options);
        assert_int_equal(rms_slot_bytes(&options, rows[i].dtype, rows[i].slot, rows[i].count), rows[i].bytes);
    }
    rms_options options = rms_options_for(RMS_ADAM);
    options.state_format = RMS_STATE_8_BIT;
    assert_int_equal(rms_state_bytes(&options, RMS_F32, 1000), 2 * (1040 + 48));
    assert_true(rms_state_bytes(&options, RMS_F64, 1) == SIZE_MAX);
    assert_true(rms_state_bytes(&options, RMS_F32, SIZE_MAX) == SIZE_MAX);
    assert_int_equal(rms_slots_kept(&options, RMS_F32), 3);
    assert_int_equal(rms_slots_kept(&options, RMS_F64), 0);
    options.amsgrad = true;
    assert_int_equal(rms_slot_bytes(&options, RMS_F32, 0, 10), 0);
    assert_int_equal(rms_slot_bytes(NULL, RMS_F32, 0, 10), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_fills_the_callers_size_and_no_more),
        cmocka_unit_test(options_of_a_later_header_are_taken_while_what_is_new_is_zero),
        cmocka_unit_test(options_of_a_later_header_are_refused_when_something_new_is_set),
        cmocka_unit_test(flags_without_a_meaning_yet_are_refused_when_set),
        cmocka_unit_test(options_of_the_header_before_state_formats_are_taken),
        cmocka_unit_test(options_of_the_first_header_are_taken_and_what_is_new_is_off),
        cmocka_unit_test(sizes_that_no_header_ever_had_are_refused),
        cmocka_unit_test(options_that_were_only_zeroed_are_refused),
        cmocka_unit_test(an_unknown_rule_is_refused_everywhere),
        cmocka_unit_test(slots_and_state_bytes_follow_the_options),
        cmocka_unit_test(slot_bytes_follow_the_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
